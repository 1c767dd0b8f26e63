"""Otsu's threshold."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from shortcut_audit.config import PseudoMaskConfig
from shortcut_audit.masks.rules import RULES
from shortcut_audit.shapes import Floats, Mask

LEVELS = 256


class Otsu:
    """Pixels above the level of 256 that parts the image into two classes best (Otsu 1979)."""

    constant: ClassVar[str | None] = None
    grid: ClassVar[tuple[float, ...]] = ()

    def take(self, values: Floats, config: PseudoMaskConfig) -> Mask:  # noqa: ARG002 (a rule without a constant)
        """Take what lies above Otsu's threshold of 0 to the largest value in 256 levels."""
        levels = np.floor(values * (LEVELS - 1) / values.max()).astype(np.int64)
        above: Mask = levels > otsu_level(np.bincount(levels.ravel(), minlength=LEVELS))
        return above


def otsu_level(counts: np.ndarray) -> int:
    """Return the last level of the lower class: the first maximum of the variance between classes.

    Otsu 1979, equation 18.

    Args:
        counts: (L,) how many pixels each level has, at least two levels with some.
    """
    share = np.cumsum(counts) / counts.sum()
    moment = np.cumsum(np.arange(len(counts)) * counts) / counts.sum()
    inside = (share > 0) & (share < 1)
    between = np.zeros(len(counts))
    between[inside] = (moment[-1] * share - moment)[inside] ** 2 / (share * (1 - share))[inside]
    return int(np.argmax(between))


RULES.register("otsu")(Otsu())
