"""Run lengths of COCO: runs of 0 and 1 in turn, down the columns, as numbers or as a short string.

The string is described in the COCO API's ``maskApi``: from the fourth run on the difference to the run
two before, in groups of five bits from the lowest, the sixth bit says that more follow, plus 48.
``shortcut_audit.data.drawn.codecs.coco`` reads it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shortcut_audit.shapes import Mask

_SHIFT, _MORE, _SIGN, _FIRST = 5, 0x20, 0x10, 48


def runs_of(mask: Mask) -> list[int]:
    """Return the runs of a mask (H,W), the first one of zeros (of length 0 where the mask begins with 1)."""
    flat = mask.ravel(order="F")
    changes = np.flatnonzero(np.diff(flat)) + 1
    edges = np.concatenate([[0], changes, [len(flat)]])
    runs: list[int] = np.diff(edges).tolist()
    return [0, *runs] if len(flat) and flat[0] else runs


def pack_runs(runs: Sequence[int]) -> str:
    """Return runs as COCO's string."""
    letters = []
    for place, run in enumerate(runs):
        rest = run - runs[place - 2] if place > 2 else run
        more = True
        while more:
            bits = rest & (_MORE - 1)
            rest >>= _SHIFT
            more = rest != (-1 if bits & _SIGN else 0)
            letters.append(chr(_FIRST + (bits | _MORE if more else bits)))
    return "".join(letters)
