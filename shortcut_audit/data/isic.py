"""The files of the ISIC releases: images, outlines of lesions, masks of dermoscopic structures, all named by id."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from shortcut_audit.data.places import stem
from shortcut_audit.errors import InputError, UsageError

_IMAGES = (".jpg", ".jpeg", ".png")
_BESIDE = ("_superpixels", "_segmentation", "_mask")
_MASKS = ("_segmentation", "_mask")
_STRUCTURE = "_attribute_"


def bare_id(name: str) -> str:
    """Return an id without what ISIC 2019 adds to the images that it made smaller."""
    return stem(name).removesuffix("_downsampled")


class Lesions(NamedTuple):
    """Images and masks of lesions, id -> path.

    ``again`` has the ids of several images, of which the last by its path is taken; ``disputed`` those of two masks
    that differ, with both paths.
    """

    images: dict[str, str]
    masks: dict[str, str]
    again: set[str]
    disputed: dict[str, tuple[str, str]]


def index_lesions(folders: Sequence[Path], root: Path) -> Lesions:
    """Return images and masks of lesions, with paths under ``root``. Superpixels and structures are neither.

    The id is the name without its ending: ``ISIC_0000000`` of ``ISIC_0000000_segmentation.png``, of
    ``ISIC_0000000_Segmentation.png`` (2016) and of ``ISIC_0000000_downsampled.jpg`` (2019).
    """
    images: dict[str, str] = {}
    masks: dict[str, str] = {}
    again: set[str] = set()
    disputed: dict[str, tuple[str, str]] = {}
    for folder in folders:
        for path in sorted(folder.rglob("ISIC_*")):
            name, place = stem(path.name), path.relative_to(root).as_posix()
            if path.suffix.lower() not in _IMAGES or _STRUCTURE in name:
                continue
            ending = next((e for e in _BESIDE if name.lower().endswith(e)), None)
            if ending is None:
                if images.get(key := bare_id(name), place) != place:
                    again.add(key)
                images[key] = place
            elif ending in _MASKS:
                first = masks.setdefault(key := bare_id(name[: -len(ending)]), place)
                # Part 3B of 2016 holds copies of the masks of part 1; those of two challenges differ.
                if first != place and (root / first).read_bytes() != path.read_bytes():
                    disputed[key] = (first, place)
    return Lesions(images, masks, again, disputed)


def index_structures(folders: Sequence[Path], root: Path) -> dict[str, dict[str, str]]:
    """Return the masks of task 2 of 2018, ``ISIC_0000000_attribute_streaks.png``: structure -> id -> path."""
    found: dict[str, dict[str, str]] = {}
    for folder in folders:
        for path in sorted(folder.rglob(f"ISIC_*{_STRUCTURE}*.png")):
            name, _, structure = stem(path.name).partition(_STRUCTURE)
            found.setdefault(structure, {})[name] = path.relative_to(root).as_posix()
    return found


def with_lesions(
    frame: pl.DataFrame, folders: Sequence[Path], root: Path, *, where: str
) -> tuple[pl.DataFrame, list[str]]:
    """Return the rows that have an image, with ``image`` and ``mask.lesion``, and a note on the others.

    Args:
        frame: rows whose ``sample_id`` is an id of ISIC.
        folders: where images and masks lie, at any depth.
        root: what the paths are relative to.
        where: how the note names the table.

    Raises:
        InputError: two masks of one of the images, and not the same.
    """
    images, masks, again, disputed = index_lesions(folders, root)
    ids = [bare_id(name) for name in frame["sample_id"].to_list()]
    if twice := sorted(disputed.keys() & set(ids)):
        one, other = disputed[twice[0]]
        raise InputError(f"{root}: '{twice[0]}' has two masks that differ: {one} and {other}; keep one of them")
    frame = frame.with_columns(
        pl.Series("image", [images.get(name) for name in ids], dtype=pl.String),
        pl.Series("mask.lesion", [masks.get(name) for name in ids], dtype=pl.String),
    )
    kept = frame.filter(pl.col("image").is_not_null())
    missing = frame.height - kept.height
    notes = [f"{where}: {missing:,} of {frame.height:,} rows have no image here and are left out"] * bool(missing)
    if twice := sorted(again & set(ids)):
        notes.append(
            f"images that lie here more than once: {len(twice):,}, the first '{twice[0]}': {images[twice[0]]} is taken"
        )
    return kept, notes


def need_images(frame: pl.DataFrame, root: Path, *, dataset: str) -> None:
    """Refuse a table of which no row has an image.

    Raises:
        UsageError: naming the folder.
    """
    if not frame.height:
        raise UsageError(
            f"{root}: the tables of {dataset} are here, and not one of their images; name the folder that holds "
            "both with --root"
        )


def without_blank(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the table without the column ``name`` if it says nothing of any row."""
    blank = name in frame.columns and frame[name].null_count() == frame.height
    return frame.drop(name) if blank else frame
