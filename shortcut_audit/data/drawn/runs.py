"""Run lengths: text to pairs of numbers, pairs to a mask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from shortcut_audit.data.drawn.cell import Size
from shortcut_audit.data.drawn.codecs import CodeError
from shortcut_audit.shapes import Ints, Mask

COLUMNS = ("encodedpixels", "rle", "maskrle", "rlemask", "segmentation", "encoding", "mask", "value")
_BLANK = ("", "-1", "nan", "none", "null")


def text_of(entry: Mapping[str, Any]) -> str | None:
    """Return the run lengths of an entry as text; None where it has no such column, "" where nothing is drawn."""
    name = next((name for name in COLUMNS if name in entry), None)
    if name is None:
        return None
    text = "" if entry[name] is None else str(entry[name]).strip()
    return "" if text.casefold() in _BLANK else text


def pairs_of(entry: Mapping[str, Any]) -> Ints:
    """Return pairs (R, 2) of an entry.

    Raises:
        CodeError: no column of run lengths, what is no whole number, an odd count, or more than fits 1e9 pixels.
    """
    text = text_of(entry)
    if text is None:
        raise CodeError(f"has no column of run lengths; expected one of {', '.join(COLUMNS[:4])}")
    words = text.split()
    if odd := next((word for word in words if not (word.isascii() and word.isdigit() and len(word) < 10)), None):
        raise CodeError(f"holds '{odd[:40]}' among its run lengths; expected whole numbers, or -1 for an empty mask")
    if len(words) % 2:
        raise CodeError(f"holds {len(words)} numbers, which are not pairs; one is missing")
    return np.array(words, dtype=np.int64).reshape(-1, 2)


def mask_of(starts: Ints, lengths: Ints, size: Size) -> Mask:
    """Return the mask (H, W) whose runs, counted down the columns from 0, start and last as given.

    Raises:
        CodeError: a run of no pixels, or beyond the last pixel.
    """
    height, width = size
    if len(lengths) and lengths.min() < 1:
        raise CodeError("has a run of 0 pixels; every run has at least one")
    ends = starts + lengths
    if len(ends) and ends.max() > height * width:
        raise CodeError(
            f"ends at pixel {ends.max():,}, but {width} x {height} has {height * width:,}; "
            "write the size that the mask was drawn at, as in 'siim@1024x1024:'"
        )
    steps = np.zeros(height * width + 1, dtype=np.int64)
    np.add.at(steps, starts, 1)
    np.add.at(steps, ends, -1)
    return np.ascontiguousarray((np.cumsum(steps[:-1]) > 0).reshape(width, height).T)


def in_order(pairs: Ints) -> bool:
    """Whether pairs can be (start from 1, length): every run starts after the end of the one before."""
    starts, ends = pairs[:, 0], pairs.sum(axis=1)
    return bool((starts >= 1).all() and (starts[1:] >= ends[:-1]).all())
