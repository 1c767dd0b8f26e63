"""COCO run lengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from shortcut_audit.data.drawn.cell import Size
from shortcut_audit.data.drawn.codecs import CODECS, CodeError, Entry
from shortcut_audit.shapes import Ints, Mask


class Coco:
    """COCO run lengths: a list of counts of 0 and 1 in turn, down the columns, or the same packed into text."""

    size: ClassVar[Size | None] = None

    def draw(self, entry: Entry, size: Size) -> Mask:
        """Decode ``counts``; they must make up the whole image."""
        runs = _runs(entry)
        if runs is None:
            raise CodeError("has no 'counts'; expected an object with 'size' and 'counts'")
        counts = _unpacked(runs) if isinstance(runs, str) else _whole_numbers(runs)
        height, width = size
        if counts.sum() != height * width:
            raise CodeError(f"has runs of {counts.sum():,} pixels, but {width} x {height} has {height * width:,}")
        flat = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
        return np.ascontiguousarray(flat.reshape(width, height).T)

    def fits(self, entries: Sequence[Entry]) -> bool:
        """Every entry has counts."""
        return all(_runs(entry) is not None for entry in entries)


def _runs(entry: Entry) -> Any:
    inner = entry.get("segmentation")
    return (inner if isinstance(inner, Mapping) else entry).get("counts")


def _whole_numbers(runs: Any) -> Ints:
    if not isinstance(runs, list) or not all(isinstance(run, int) and 0 <= run < 10**9 for run in runs):
        raise CodeError("has 'counts' that are neither text nor a list of whole numbers")
    return np.array(runs, dtype=np.int64)


def _unpacked(text: str) -> Ints:
    """Return the counts in a packed text.

    Each character holds five bits of a number, the lowest first, with bit 6 for "more follows"; the last one's
    fifth bit is the sign. From the fourth number on, what is written is the difference to the number two before.
    """
    counts: list[int] = []
    value = shift = 0
    for letter in text:
        bits = ord(letter) - 48
        if not 0 <= bits < 64 or shift > 30:
            raise CodeError(f"has '{letter}' in its counts, which COCO does not write")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        if not 0 <= counts[-1] < 10**9:
            raise CodeError(f"has a run of {counts[-1]} pixels")
        value = shift = 0
    if shift:
        raise CodeError("has counts that end in the middle of a number")
    return np.array(counts, dtype=np.int64)


CODECS.register("coco")(Coco())
