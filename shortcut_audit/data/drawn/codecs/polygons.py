"""Outlines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from PIL import Image, ImageDraw

from shortcut_audit.data.drawn.cell import Size
from shortcut_audit.data.drawn.codecs import CODECS, CodeError, Entry
from shortcut_audit.shapes import Floats, Mask

_KEYS = ("segmentation", "polygons", "polygon", "points", "contour", "value")
_FAR = 1e6


class Polygons:
    """Polygons, each a list of points (x, y) or of x and y in turn, in pixels; filled, with their outline."""

    size: ClassVar[Size | None] = None

    def draw(self, entry: Entry, size: Size) -> Mask:
        """Fill every polygon of an entry; a pixel that the outline passes through is inside."""
        found = _value(entry)
        if found is None:
            raise CodeError(f"has no polygon; expected one of {', '.join(_KEYS[:4])}")
        canvas = Image.new("1", (size[1], size[0]))
        for polygon in _each(found):
            corners = [(float(x), float(y)) for x, y in polygon]
            ImageDraw.Draw(canvas).polygon(corners, fill=1, outline=1)
        drawn = np.array(canvas)
        if len(_each(found)) and not drawn.any():
            raise CodeError(f"lies outside {size[1]} x {size[0]}; write the size that it was drawn at")
        return drawn

    def fits(self, entries: Sequence[Entry]) -> bool:
        """Every entry is a list of lists of numbers."""
        try:
            return all((found := _value(entry)) is not None and _each(found) is not None for entry in entries)
        except CodeError:
            return False


def _value(entry: Entry) -> Any:
    """Return what is under the first known key; text is JSON, and an empty cell is no polygon at all."""
    found = next((entry[key] for key in _KEYS if key in entry and not isinstance(entry[key], dict)), None)
    if isinstance(found, str):
        try:
            return json.loads(found or "[]")
        except (ValueError, RecursionError) as error:
            raise CodeError(f"holds '{found[:40]}', which is no list of points") from error
    return found


def _each(found: Any) -> list[Floats]:
    """Return polygons, each (points, 2)."""
    if not isinstance(found, list):
        raise CodeError("has a polygon that is no list")
    if not found:
        return []
    one = not isinstance(found[0], list) or (len(found[0]) == 2 and not isinstance(found[0][0], list))
    return [_points(polygon) for polygon in ([found] if one else found)]


def _points(polygon: Any) -> Floats:
    try:
        points = np.array(polygon, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise CodeError("has points that are not pairs of numbers") from error
    if points.ndim == 1 and points.size % 2 == 0:
        points = points.reshape(-1, 2)
    if points.ndim != 2 or points.shape[1] != 2:
        raise CodeError("has points that are not pairs of numbers")
    if len(points) < 3:
        raise CodeError(f"has a polygon of {len(points)} points; three are the least")
    if not (np.abs(points) < _FAR).all():
        raise CodeError("has a point that is not a number, or far outside of any image")
    return points


CODECS.register("polygons")(Polygons())
