"""A mask that is a picture: 0/1, 0/255, 0/127/255, a palette, colours, soft edges, one value of a label map."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shortcut_audit.data.decode import BadImageError, decode, stored_values
from shortcut_audit.shapes import Mask

_IGNORE, _FULL = 127 * 257, 65535
_JPEG = b"\xff\xd8"
_SOFT = 16
"""A picture of more grey levels than this has soft edges."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A drawn mask: ``foreground`` (H, W), and ``known`` (H, W), False where the drawer said "ignore".

    What is not known is not foreground: learn nothing from it.
    """

    foreground: Mask
    known: Mask

    @classmethod
    def whole(cls, foreground: Mask) -> Drawn:
        """Return a mask of which every pixel is known."""
        return cls(foreground=foreground, known=np.ones_like(foreground))


def read_picture(path: Path) -> Drawn:
    """Read a picture: what is not black is in the mask, with two exceptions.

    In a picture of 0, 127 and 255 (of 8 bits), 127 means "ignore": not known. A JPEG, and any picture of more
    than 16 grey levels (soft edges), is cut at half of its largest value; if it has a peak at 127, what is
    nearer to 127 than to 0 and 255 is not known.

    Raises:
        BadImageError: as for :func:`~shortcut_audit.data.decode.decode`, or several colours and none of them black.
    """
    grey = np.rint(decode(path).max(axis=2) * _FULL).astype(np.int64)
    counts = np.bincount(grey.ravel(), minlength=_FULL + 1)
    levels = np.flatnonzero(counts)
    soft = len(levels) > _SOFT or path.read_bytes()[:2] == _JPEG
    if (_has_peak(counts) and levels[-1] > _FULL * 3 // 4) if soft else _three_levels(levels):
        nearest = np.abs(grey[..., None] - np.array([0, _IGNORE, _FULL])).argmin(axis=2)
        return Drawn(foreground=nearest == 2, known=nearest != 1)
    if not soft and len(levels) > 1 and levels[0] > 0:
        raise BadImageError(
            f"{path}: {len(levels)} colours and none of them black, so what is background is not known; "
            "save the mask with 0 as its background"
        )
    return Drawn.whole(grey > (levels[-1] / 2 if soft else 0))


def read_value(path: Path, value: int) -> Drawn:
    """Read one structure of a label map: the pixels that hold ``value``. A map without it has none of the structure.

    Raises:
        BadImageError: as for :func:`~shortcut_audit.data.decode.stored_values`.
    """
    return Drawn.whole(stored_values(path) == value)


def _three_levels(levels: NDArray[np.int64]) -> bool:
    return levels[-1] == _FULL and _IGNORE in levels and set(levels.tolist()) <= {0, _IGNORE, _FULL}


def _has_peak(counts: NDArray[np.int64]) -> bool:
    """Whether far more pixels are near 127 than near the levels half-way to black and white.

    A soft edge passes all levels alike; an area drawn as "ignore" and saved as JPEG stays near its own.
    """
    reach = 12 * 257
    peak, *between = (
        int(counts[level - reach : level + reach].sum()) for level in (_IGNORE, _IGNORE // 2, (_IGNORE + _FULL) // 2)
    )
    return peak > 4 * max(*between, 1)
