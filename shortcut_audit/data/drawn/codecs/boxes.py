"""Boxes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from shortcut_audit.data.drawn.cell import Size
from shortcut_audit.data.drawn.codecs import CODECS, CodeError, Entry
from shortcut_audit.shapes import Mask

_CORNER_AND_SIZE = (("x", "y", "width", "height"), ("x", "y", "w", "h"), ("bboxx", "y", "w", "h"))
_CORNERS = (("xmin", "ymin", "xmax", "ymax"), ("x1", "y1", "x2", "y2"))


class Boxes:
    """Boxes (x, y, width, height) or (x_min, y_min, x_max, y_max) in pixels; of a COCO object, its bbox."""

    size: ClassVar[Size | None] = None

    def draw(self, entry: Entry, size: Size) -> Mask:
        """Fill one box; every pixel that it touches is inside. What is outside of the image is cut off."""
        mask = np.zeros(size, dtype=bool)
        found = _corners(entry)
        if found is None:
            raise CodeError("has no box; expected columns x, y, width, height or x_min, y_min, x_max, y_max")
        if not found:
            return mask
        left, top, right, bottom = found
        if right <= left or bottom <= top:
            raise CodeError(f"has a box of {right - left:g} x {bottom - top:g} pixels")
        rows = slice(max(math.floor(top), 0), max(math.ceil(bottom), 0))
        columns = slice(max(math.floor(left), 0), max(math.ceil(right), 0))
        mask[rows, columns] = True
        if not mask.any():
            raise CodeError(
                f"has a box that lies outside {size[1]} x {size[0]}; write the size that it was drawn at, "
                "as in 'boxes@1024x1024:'"
            )
        return mask

    def fits(self, entries: Sequence[Entry]) -> bool:
        """Every entry has the columns of a box, and no outline."""
        return all(_named(entry) is not None and not entry.get("segmentation") for entry in entries)


def _named(entry: Entry) -> tuple[list[Any], bool] | None:
    """Return four values, and whether the last two are a width and a height."""
    if isinstance(box := entry.get("bbox", entry.get("value")), list) and len(box) == 4:
        return box, not any(isinstance(value, list) for value in box)
    for columns, sized in (*((c, True) for c in _CORNER_AND_SIZE), *((c, False) for c in _CORNERS)):
        if all(column in entry for column in columns):
            return [entry[column] for column in columns], sized
    return None


def _corners(entry: Entry) -> tuple[float, ...] | None:
    """Return left, top, right, bottom; () where all are blank, None where there are none."""
    named = _named(entry)
    if named is None:
        return None
    values, sized = named
    if all(value is None or not str(value).strip() for value in values):
        return ()
    try:
        x, y, third, fourth = (float(value) for value in values)
    except (TypeError, ValueError) as error:
        raise CodeError(f"has a box of {', '.join(str(value) for value in values)}; expected four numbers") from error
    corners = (x, y, x + third, y + fourth) if sized else (x, y, third, fourth)
    if not all(abs(value) < 1e6 for value in corners):
        raise CodeError("has a box that is not a number, or far outside of any image")
    return corners


CODECS.register("boxes")(Boxes())
