"""Threshold rules: one file each. A rule says which pixels of a map are taken.

A rule sees the positive part of a smoothed attribution, at least one pixel of it positive and not all
equal, and must not depend on its units: ten times the map gives the same mask.
"""

from __future__ import annotations

from typing import ClassVar, Protocol, runtime_checkable

from shortcut_audit.config import PseudoMaskConfig
from shortcut_audit.registry import Registry
from shortcut_audit.shapes import Floats, Mask


@runtime_checkable
class Rule(Protocol):
    """What a file of this package registers; the first line of its docstring is shown to users.

    ``constant`` names the key of the configuration that decides how much is taken, None if there is
    none; ``grid`` are the values of it that tuning tries, from the fewest pixels to the most.
    """

    constant: ClassVar[str | None]
    grid: ClassVar[tuple[float, ...]]

    def take(self, values: Floats, config: PseudoMaskConfig) -> Mask:
        """Return the pixels (H,W) taken of ``values`` (H,W) >= 0."""
        ...


RULES: Registry[Rule] = Registry("threshold rule", __name__)
