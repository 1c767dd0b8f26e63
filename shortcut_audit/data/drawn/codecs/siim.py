"""Relative run lengths of SIIM-ACR and CANDID-PTX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from shortcut_audit.data.drawn.cell import Size
from shortcut_audit.data.drawn.codecs import CODECS, CodeError, Entry
from shortcut_audit.data.drawn.runs import in_order, mask_of, pairs_of
from shortcut_audit.shapes import Mask


class Siim:
    """Pairs (gap since the end of the previous run, length), down the columns; 1024x1024 unless said."""

    size: ClassVar[Size | None] = (1024, 1024)

    def draw(self, entry: Entry, size: Size) -> Mask:
        """Decode one row; the rows of an image are decoded apart, since gaps start anew in each."""
        pairs = pairs_of(entry)
        ends = np.cumsum(pairs.sum(axis=1))
        return mask_of(ends - pairs[:, 1], pairs[:, 1], size)

    def fits(self, entries: Sequence[Entry]) -> bool:
        """Some row cannot be starts and lengths, since a gap is smaller than the end of the run before."""
        try:
            return not all(in_order(pairs_of(entry)) for entry in entries)
        except CodeError:
            return False


CODECS.register("siim")(Siim())
