"""A quantile of each image."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from shortcut_audit.config import PseudoMaskConfig
from shortcut_audit.masks.rules import RULES
from shortcut_audit.shapes import Floats, Mask


class Quantile:
    """Positive pixels above the ``share`` quantile of the image; it fixes the area, so masks lose size."""

    constant: ClassVar[str | None] = "share"
    grid: ClassVar[tuple[float, ...]] = (0.99, 0.98, 0.97, 0.95, 0.92, 0.9, 0.85, 0.8, 0.7)

    def take(self, values: Floats, config: PseudoMaskConfig) -> Mask:
        """Take what lies above the quantile of all pixels."""
        return above_quantile(values, config.share)


def above_quantile(values: Floats, share: float) -> Mask:
    """Return the pixels above the ``share`` quantile of all pixels of ``values``."""
    return values > np.quantile(values, share)


RULES.register("quantile")(Quantile())
