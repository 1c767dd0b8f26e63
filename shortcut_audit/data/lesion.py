"""A synthetic dermoscopic image: skin, and a lesion that is the more irregular the more it looks malignant.

All that tells malignant from benign is one number, the lesion's *irregularity*: border, asymmetry and colours follow
it. It is normal with SD 1 in both classes, so nobody can rank them better than Phi(distance / sqrt 2) by the lesion.
Colours and shapes were chosen to look plausible, not measured. Lengths are fractions of the side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from shortcut_audit.shapes import Floats, Mask

SKIN = np.array([0.86, 0.67, 0.57])
BROWN = np.array([0.47, 0.28, 0.18])
BLOTCHES = np.array([[0.16, 0.10, 0.10], [0.34, 0.34, 0.44], [0.66, 0.33, 0.30], [0.74, 0.58, 0.50]])
"""Black-brown, blue-grey, red and pale: the colours of an irregular lesion."""
AREA_MEDIAN = 0.10
AREA_SIGMA = 0.5
AREA_RANGE = (0.02, 0.32)
WAVES = 7
NOISE_SD = 0.012


@dataclass(frozen=True, kw_only=True)
class Skin:
    """What the skin of one patient looks like."""

    tone: float
    redness: float


@dataclass(frozen=True, kw_only=True)
class Lesion:
    """Place, area (a fraction of the image), elongation, irregularity, and the seed of border and texture."""

    x: float
    y: float
    area: float
    stretch: float
    irregularity: float
    pigment: float
    seed: int


def draw_skin(rng: np.random.Generator) -> Skin:
    """Choose a patient's skin."""
    return Skin(tone=rng.uniform(0.78, 1.08), redness=rng.uniform(-0.04, 0.05))


def draw_lesion(rng: np.random.Generator, *, irregularity: float, larger: float) -> Lesion:
    """Choose a lesion; ``larger`` shifts its log area by so many SD."""
    area = AREA_MEDIAN * float(np.exp(AREA_SIGMA * (rng.normal() + larger)))
    return Lesion(
        x=rng.uniform(0.43, 0.57),
        y=rng.uniform(0.43, 0.57),
        area=float(np.clip(area, *AREA_RANGE)),
        stretch=rng.uniform(0.85, 1.18),
        irregularity=irregularity + float(rng.normal()),
        pigment=rng.uniform(0.65, 0.95),
        seed=int(rng.integers(2**31)),
    )


def render_lesion(skin: Skin, lesion: Lesion, *, size: int) -> tuple[Floats, Mask]:
    """Return the image without artefacts and noise (H, W, 3), and the lesion's mask (H, W)."""
    rng = np.random.default_rng(lesion.seed)
    odd = 1 / (1 + np.exp(-lesion.irregularity))
    x, y = np.meshgrid((np.arange(size) + 0.5) / size, (np.arange(size) + 0.5) / size)
    inside, mask = _shape(rng, lesion, odd, x - lesion.x, y - lesion.y)
    base = np.clip(SKIN * skin.tone + np.array([skin.redness, 0.0, 0.0]), 0, 1)
    image = base * (1 + 0.035 * _cloud(rng, size, 0.10) + 0.02 * _cloud(rng, size, 0.02))[..., None]
    image *= (1.04 - 0.22 * ((x - 0.5) ** 2 + (y - 0.5) ** 2))[..., None]
    colour = BROWN * skin.tone * (1 + 0.16 * _cloud(rng, size, 0.018) + 0.10 * _cloud(rng, size, 0.05))[..., None]
    for blotch in BLOTCHES:
        place = _cloud(rng, size, 0.07) + 0.8 * (rng.normal() * (x - lesion.x) + rng.normal() * (y - lesion.y)) / 0.2
        share = np.clip(2.0 * (place - 2.1 + 2.0 * odd), 0, 1)[..., None] * 0.8 * odd
        colour = colour * (1 - share) + blotch * share
    cover = (lesion.pigment * inside)[..., None]
    return np.clip(image * (1 - cover) + colour * cover, 0, 1), mask


def _shape(rng: np.random.Generator, lesion: Lesion, odd: float, dx: Floats, dy: Floats) -> tuple[Floats, Mask]:
    """Return how much of a pixel the lesion covers, soft at the border, and its mask of exactly the wanted area."""
    angle = np.arctan2(dy * lesion.stretch, dx / lesion.stretch)
    waves = np.zeros_like(dx)
    for k in range(2, 2 + WAVES):
        waves += rng.normal() * np.cos(k * angle + rng.uniform(0, 2 * np.pi)) / k**0.7
    distance = np.hypot(dx / lesion.stretch, dy * lesion.stretch) / (1 + (0.03 + 0.13 * odd) * waves).clip(0.4)
    wanted = max(4, round(lesion.area * dx.size))
    edge = float(np.partition(distance.ravel(), wanted)[wanted])
    softness = edge * (0.20 - 0.10 * odd)
    return np.clip((edge - distance) / softness + 0.5, 0, 1), distance < edge


def _cloud(rng: np.random.Generator, size: int, scale: float) -> Floats:
    """Return smooth noise (size, size) with SD 1 whose spots are about ``scale`` wide."""
    smooth = gaussian_filter(rng.normal(size=(size, size)), max(scale * size, 0.6), mode="reflect")
    return smooth / max(float(smooth.std()), 1e-9)
