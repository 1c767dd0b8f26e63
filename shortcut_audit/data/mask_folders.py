"""Films in one folder, masks of the same names in another; a film without a mask has no finding. There is no table.

A mask that is missing, or called otherwise than its film, would make a sick film a healthy one without a word. So what
has no mask is counted, and masks of which none belongs to a film are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from shortcut_audit.data.decode import is_black
from shortcut_audit.data.drawn import EMPTY
from shortcut_audit.data.images import visit_images
from shortcut_audit.data.places import find_folders, index_pictures
from shortcut_audit.errors import InputError
from shortcut_audit.provenance import PathGuard


def find_pair(root: Path, films: str, masks: Sequence[str]) -> tuple[Path, Path] | None:
    """Return the folder of films under ``root`` or one folder deeper, and that of masks beside it; else None."""
    pairs = [(folder, folder.parent / name) for folder in find_folders(root, [films]) for name in masks]
    return next(((folder, beside) for folder, beside in pairs if beside.is_dir()), None)


def drawn_or_well(films: Path, masks: Path, root: Path, *, finding: str) -> tuple[pl.DataFrame, list[str]]:
    """Return one row a film with ``image``, label and mask, and notes on what is not paired.

    The finding is there where a mask has a pixel. No mask and one without a pixel both mean that it is not.

    Args:
        films: the folder of films, at any depth.
        masks: the folder of masks, at any depth.
        root: folder that the cells' paths start from.
        finding: name of label and mask.

    Raises:
        InputError: not one mask is called as a film is, two files of a folder have the same name, or a mask that
            cannot be read.
    """
    images, drawn = index_pictures(films, root), index_pictures(masks, root)
    ours = [name for name in images if name in drawn]
    if not ours:
        called = f"'{next(iter(drawn))}' for one" if drawn else "there is none"
        raise InputError(
            f"{masks}: no mask is called as a film of {films} is ({called}); a film without a mask would count as one "
            f"without {finding}, so give each mask the name of its film"
        )
    black = _black([drawn[name] for name in ours], root, finding)
    cells = {name: EMPTY if empty else drawn[name] for name, empty in zip(ours, black, strict=True)}
    found = [cells.get(name, EMPTY) for name in images]
    frame = pl.DataFrame(
        {
            "sample_id": list(images),
            "image": list(images.values()),
            f"label.{finding}": [float(cell != EMPTY) for cell in found],
            f"mask.{finding}": found,
        }
    )
    return frame, _notes(list(images), list(drawn), sum(black), finding)


def _black(paths: Sequence[str], root: Path, finding: str) -> list[bool]:
    guard, found = PathGuard(root), dict[int, bool]()

    def look(row: int, path: Path) -> None:
        found[row] = is_black(path)

    files = [guard(path, where=f"mask {row + 1}") for row, path in enumerate(paths)]
    reasons = visit_images(files, look, what="Looking for empty masks")
    for reason in reasons.values():
        raise InputError(f"{reason} ({len(reasons):,} such masks; without its mask, {finding} of a film is not known)")
    return [found[row] for row in range(len(files))]


def _notes(films: Sequence[str], drawn: Sequence[str], black: int, finding: str) -> list[str]:
    without = len(set(films) - set(drawn))
    alone = [name for name in drawn if name not in set(films)]
    notes = [f"{without:,} of {len(films):,} films have no mask and count as films without {finding}"]
    if black:
        notes.append(f"{black:,} of {len(drawn):,} masks have no pixel: their films count as films without {finding}")
    if alone:
        notes.append(f"{len(alone):,} of {len(drawn):,} masks have no film here and are left out, '{alone[0]}' for one")
    return notes
