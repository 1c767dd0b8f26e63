"""Run lengths as in most Kaggle competitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from shortcut_audit.data.drawn.cell import Size
from shortcut_audit.data.drawn.codecs import CODECS, CodeError, Entry
from shortcut_audit.data.drawn.runs import in_order, mask_of, pairs_of
from shortcut_audit.shapes import Mask


class Kaggle:
    """Pairs (start, counted from 1, and length), down the columns."""

    size: ClassVar[Size | None] = None

    def draw(self, entry: Entry, size: Size) -> Mask:
        """Decode one row."""
        pairs = pairs_of(entry)
        if not in_order(pairs):
            raise CodeError("has runs that start before the end of the run before; are they relative ('siim:')?")
        return mask_of(pairs[:, 0] - 1, pairs[:, 1], size)

    def fits(self, entries: Sequence[Entry]) -> bool:
        """Every row is in order, and a row of ten gaps in order by chance is beyond belief."""
        try:
            pairs = [pairs_of(entry) for entry in entries]
        except CodeError:
            return False
        return all(in_order(one) for one in pairs) and sum(max(len(one) - 1, 0) for one in pairs) >= 10


CODECS.register("kaggle")(Kaggle())
