"""The smallest set that holds a share of the attribution."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from shortcut_audit.config import PseudoMaskConfig
from shortcut_audit.masks.rules import RULES
from shortcut_audit.shapes import Floats, Mask


class Mass:
    """Smallest set of pixels that holds ``share`` of the positive smoothed attribution."""

    constant: ClassVar[str | None] = "share"
    grid: ClassVar[tuple[float, ...]] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)

    def take(self, values: Floats, config: PseudoMaskConfig) -> Mask:
        """Take pixels from the largest down."""
        return smallest_set(values, config.share)


def smallest_set(values: Floats, share: float) -> Mask:
    """Return the smallest set of pixels that holds at least ``share`` of the sum of ``values`` >= 0.

    Of equal pixels the earlier one in reading order is taken first.
    """
    order = np.argsort(-values, axis=None, kind="stable")
    held = np.cumsum(values.ravel()[order])
    taken = np.zeros(values.shape, dtype=bool)
    if held[-1] > 0:
        count = int(np.searchsorted(held, share * held[-1])) + 1
        taken.ravel()[order[:count]] = True
    return taken


RULES.register("mass")(Mass())
