"""Masks that people drew, however they are written down: one cell of a table in, two arrays (H, W) out.

A cell of ``mask.NAME`` or ``footprint.NAME`` is one or several parts joined by ``|``; a mask is their union
(``left lung/1.gif|right lung/1.gif``). A part is

    folder/file.png                     a picture: what is not black is in the mask (``picture.py``)
    folder/file.png#VALUE               a label map: the pixels that hold this number, as stored (of a palette: index)
    [CODEC[@WxH]:]file.csv#ID[#CLASS]   the rows of ID (and CLASS) in a table, united
    [CODEC[@WxH]:]file.json#ID[#CLASS]  the same in JSON: ID -> value, ID -> CLASS -> value, or a COCO data set
    empty                               somebody looked, and there is nothing: an empty mask, all of it known

Tables end in .csv or .tsv (packed: .csv.gz), with the id in a column of a usual name (``ImageId``), else in the first.
CODEC is the name of a file in ``codecs/``:

    siim       relative run lengths: pairs (gap, length), column by column; SIIM-ACR, CANDID-PTX; 1024x1024
    kaggle     pairs (start from 1, length), column by column
    coco       COCO, compressed text or a list of counts; brings its own size
    polygons   lists of points (x, y) in pixels
    boxes      x, y, width, height or x_min, y_min, x_max, y_max, in pixels

Without CODEC it is told from the content; where that could be either of two, the cell is refused with both names.
``@WxH`` is the size that coordinates are meant in; without it the size written beside the entry, else the one of
the codec, else that of the image. The mask keeps its own size: :func:`fitted` brings it to the working size.

Readers of data sets write cells with :func:`cell_of` and, where nobody drew because there is nothing,
:data:`EMPTY`; the manifest resolves them (``Manifest.drawn``) and everybody reads them by :func:`read_drawn`::

    cell_of("train-rle.csv", key=uid, codec="siim")        -> "siim:train-rle.csv#1.2.276"
    cell_of("boxes.csv", key=name, kind="Mass", codec="boxes", size=(1024, 1024))
    UNION.join(["left lung/1.gif", "right lung/1.gif"])
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from shortcut_audit.data.drawn.cell import EMPTY, UNION, Part, Size, cell_of, parse_cell
from shortcut_audit.data.drawn.entries import read_entries
from shortcut_audit.data.drawn.picture import Drawn, read_picture, read_value
from shortcut_audit.shapes import Mask

__all__ = ["EMPTY", "UNION", "Drawn", "Part", "Size", "cell_of", "fitted", "parse_cell", "read_drawn"]


def read_drawn(parts: Sequence[Part], *, image: Path | None = None) -> Drawn:
    """Return the union of all parts of a cell.

    A pixel is foreground where any part says so, and known where any says foreground or all know it. Parts of
    several sizes are brought to the largest.

    Args:
        parts: what :func:`parse_cell` returns.
        image: the image that the mask belongs to; its size is used where the mask does not say its own.

    Raises:
        BadImageError: a file that is missing or cannot be read, an id that is not in it, or a mask that does
            not fit its own size; the message names file and id.
    """
    drawn = [_read(part, image) for part in parts]
    height, width = (max(one.foreground.shape[axis] for one in drawn) for axis in (0, 1))
    drawn = [fitted(one, (height, width)) for one in drawn]
    foreground = np.logical_or.reduce([one.foreground for one in drawn])
    return Drawn(foreground=foreground, known=foreground | np.logical_and.reduce([one.known for one in drawn]))


def fitted(drawn: Drawn, size: Size) -> Drawn:
    """Return the mask at another size (H, W), nearest neighbour."""
    return Drawn(foreground=_nearest(drawn.foreground, size), known=_nearest(drawn.known, size))


def _nearest(mask: Mask, size: Size) -> Mask:
    if mask.shape == size:
        return mask
    resized = Image.fromarray(mask.astype(np.uint8)).resize((size[1], size[0]), Image.Resampling.NEAREST)
    return np.asarray(resized) > 0


def _read(part: Part, image: Path | None) -> Drawn:
    if part.file is None:
        return Drawn.whole(np.zeros((1, 1), dtype=bool))
    if part.value is not None:
        return read_value(part.file, part.value)
    return Drawn.whole(read_entries(part, image)) if part.key is not None else read_picture(part.file)
