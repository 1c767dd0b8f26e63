"""Finds the files of a data set under the folder that a user names, as they unpacked it."""

from __future__ import annotations

import os
from collections.abc import Container, Iterator, Sequence
from pathlib import Path

import polars as pl

from shortcut_audit.errors import InputError, UsageError

EXTENSIONS = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".dcm", ".dicom", ".img"})
"""Endings of image files. Whatever else follows a dot belongs to the name: ids of DICOM are full of dots."""


def stem(name: str) -> str:
    """Return the name of a file without the extension of an image."""
    start, dot, ending = name.rpartition(".")
    return start if dot + ending.lower() in EXTENSIONS else name


def find_file(root: Path, names: Sequence[str]) -> Path | None:
    """Return the first of ``names`` that is under ``root`` or one folder deeper, also packed as ``.gz``."""
    children = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    for folder in (root, *children):
        for name in names:
            for path in (folder / name, folder / f"{name}.gz"):
                if path.is_file():
                    return path
    return None


def need_file(root: Path, names: Sequence[str], *, dataset: str) -> Path:
    """Return :func:`find_file`.

    Args:
        root: the folder that the user named.
        names: file names or short paths, the best first.
        dataset: what the message calls the data set.

    Raises:
        UsageError: none is there.
    """
    if found := find_file(root, names):
        return found
    raise UsageError(
        f"{root}: no {' or '.join(names)} of {dataset}, neither here nor one folder deeper; name the folder that "
        "was downloaded with --root"
    )


def find_folders(root: Path, names: Sequence[str], *, deeper: int = 1) -> list[Path]:
    """Return the folders called one of ``names`` (patterns) under ``root`` or up to so many folders deeper."""
    places = ("*/" * depth + name for depth in range(deeper + 1) for name in names)
    return sorted({path for place in places for path in root.glob(place) if path.is_dir()})


def with_images(
    frame: pl.DataFrame, folders: Sequence[Path], root: Path, *, where: str, skip: Sequence[str] = ()
) -> tuple[pl.DataFrame, list[str]]:
    """Return the rows that have an image, with the column ``image`` after ``sample_id``, and a note on the others.

    Args:
        frame: rows whose ``sample_id`` is the name of their image without its extension.
        folders: where images lie, at any depth.
        root: what the paths are relative to.
        where: how messages name the table.
        skip: words; folders with one of them in their name hold no images.

    Raises:
        UsageError: not one row has an image.
        InputError: two images have the name of one row.
    """
    ids = frame["sample_id"].to_list()
    index = index_images(folders, root, wanted=set(ids), skip=skip)
    paths = pl.Series("image", [index.get(name) for name in ids], dtype=pl.String)
    missing = paths.null_count()
    if missing == frame.height and missing:
        raise UsageError(
            f"{where}: no image of its {frame.height:,} rows was found, '{ids[0]}' for one; "
            "name the folder that holds the table and the images with --root"
        )
    kept = frame.clone().insert_column(frame.columns.index("sample_id") + 1, paths).filter(paths.is_not_null())
    return kept, [f"{missing:,} of {frame.height:,} rows have no image here and are left out"] if missing else []


def index_images(
    folders: Sequence[Path], root: Path, *, wanted: Container[str], skip: Sequence[str] = ()
) -> dict[str, str]:
    """Return name without extension -> path relative to ``root`` of every wanted file under the folders.

    Raises:
        InputError: two files have the same name.
    """
    found: dict[str, str] = {}
    for path in _files(folders, skip):
        name = stem(path.name)
        if name in wanted:
            place = path.relative_to(root).as_posix()
            if found.setdefault(name, place) != place:
                raise InputError(f"{root}: two images are called '{name}': {found[name]} and {place}; keep one of them")
    return found


def index_pictures(folder: Path, root: Path) -> dict[str, str]:
    """Return :func:`index_images` of every picture; what macOS leaves beside them (``._name.png``) is none.

    Raises:
        InputError: two files have the same name.
    """
    names = (path.name for path in folder.rglob("*") if path.suffix.lower() in EXTENSIONS and path.name[0] != ".")
    return index_images([folder], root, wanted={stem(name) for name in names})


def _files(folders: Sequence[Path], skip: Sequence[str]) -> Iterator[Path]:
    for folder in folders:
        for place, inner, names in os.walk(folder):
            inner[:] = sorted(name for name in inner if not any(word in name.lower() for word in skip))
            yield from (Path(place, name) for name in sorted(names))
