"""A patchy opacity in the lungs of a synthetic film: what stands for an infection.

Bright, cloudy, in one to four places of one or both lungs. Contrast and size were chosen to be seen, not
measured on films; nothing in the audit rests on them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from shortcut_audit.shapes import Floats, Mask

CONTRAST = 0.13
CONTRAST_SIGMA = 0.25
EDGE = 0.5
"""Density at which the mask of the opacity ends."""
TEXTURE = 0.35


@dataclass(frozen=True, kw_only=True)
class Opacity:
    """Patches (side, x, y, radius), contrast, and the seed of its texture. Lengths are fractions of the side."""

    patches: tuple[tuple[int, float, float, float], ...]
    contrast: float
    texture: int


def draw_opacity(rng: np.random.Generator) -> Opacity:
    """Choose places, sizes and contrast."""
    patches = []
    for _ in range(int(rng.integers(1, 5))):
        side = int(rng.choice([-1, 1]))
        x = 0.5 + side * (0.215 + rng.uniform(-0.07, 0.07))
        patches.append((side, float(x), float(rng.uniform(0.32, 0.68)), float(rng.uniform(0.04, 0.08))))
    contrast = CONTRAST * float(np.exp(rng.normal(0.0, CONTRAST_SIGMA)))
    return Opacity(patches=tuple(patches), contrast=contrast, texture=int(rng.integers(2**31)))


def render_opacity(opacity: Opacity, lung: Mask) -> tuple[Floats, Mask]:
    """Return the brightness to add (H, W) and the opacity's mask (H, W); both end where the lung ends."""
    height, width = lung.shape
    y = ((np.arange(height) + 0.5) / height)[:, None]
    x = ((np.arange(width) + 0.5) / width)[None, :]
    clouds = [np.exp(-0.5 * ((x - px) ** 2 + (y - py) ** 2) / radius**2) for _, px, py, radius in opacity.patches]
    texture = gaussian_filter(np.random.default_rng(opacity.texture).normal(size=lung.shape), width / 32)
    density = np.maximum.reduce(clouds) * (1 + TEXTURE * texture / max(float(texture.std()), 1e-9)) * lung
    return opacity.contrast * np.clip(density, 0.0, 1.0), density > EDGE
