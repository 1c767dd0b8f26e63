"""A fixed part of the largest value."""

from __future__ import annotations

from typing import ClassVar

from shortcut_audit.config import PseudoMaskConfig
from shortcut_audit.masks.rules import RULES
from shortcut_audit.shapes import Floats, Mask


class Fixed:
    """Pixels above ``level`` times the largest positive smoothed attribution of the image."""

    constant: ClassVar[str | None] = "level"
    grid: ClassVar[tuple[float, ...]] = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)

    def take(self, values: Floats, config: PseudoMaskConfig) -> Mask:
        """Take what lies above that part."""
        above: Mask = values > config.level * values.max()
        return above


RULES.register("fixed")(Fixed())
