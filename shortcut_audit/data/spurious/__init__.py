"""Spurious attributes that can be drawn into a film, one file each.

Drawing is split in two (as TorchIO splits its transforms): ``draw`` makes all random choices and
returns them, ``apply`` uses none. The same parameters therefore give the same device on any film
and at any size, which is what makes an exact counterpart possible.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np

from shortcut_audit.registry import Registry
from shortcut_audit.shapes import Floats, Mask

Params = dict[str, list[float]]
"""Drawn parameters, lengths in fractions of the image's side."""


@runtime_checkable
class SpuriousAttribute(Protocol):
    """Something that can be drawn into an image and goes with a label for no good reason."""

    def draw(self, rng: np.random.Generator, *, side: int) -> Params:
        """Make all random choices; ``side`` is -1 (image left) or 1 (image right)."""

    def apply(self, image: Floats, params: Params) -> tuple[Floats, Mask]:
        """Return the (H, W) image with the attribute, and its footprint (H, W)."""


SPURIOUS: Registry[SpuriousAttribute] = Registry("drawable attribute", __name__)
