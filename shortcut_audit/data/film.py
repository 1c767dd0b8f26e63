"""A synthetic chest film: lungs, ribs, heart, clavicles and, where there is one, a pneumothorax.

The recipe follows measurements on SIIM-ACR (area, thickness and place of the finding): an apical
crescent without lung markings behind a thin visceral line. Contrast and area are set so that a model
that never saw the tube association finds it about as hard as the real thing (AUROC .80 to .90);
nothing else is tuned. Coordinates are fractions of the side: x to the right, y downwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter

from shortcut_audit.data.strokes import stroke
from shortcut_audit.shapes import Floats, Mask

CRESCENT_CONTRAST = 0.050
CRESCENT_CONTRAST_SIGMA = 0.45
VISCERAL_LINE = 0.030
AREA_MEDIAN = 0.016
AREA_SIGMA = 0.9
AREA_RANGE = (0.002, 0.12)
MARKINGS_SD = 0.03
NOISE_SD = 0.03
GAIN_SD = 0.06
RIB_PAIRS = 9


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """What one patient looks like: the same in all films of that patient."""

    lung_width: float
    lung_height: float
    lung_power: float
    heart_width: float
    heart_shift: float
    rib_slope: float
    rib_offset: float
    tissue: float


@dataclass(frozen=True, kw_only=True)
class Pneumothorax:
    """Side (-1 image left, 1 image right), area as a fraction of the image, and contrast."""

    side: int
    area: float
    contrast: float


@dataclass(frozen=True, kw_only=True)
class Film:
    """Brightness without device and noise (H, W), the noise and gain to add, and the masks."""

    clean: Floats
    noise: Floats
    gain: float
    masks: dict[str, Mask]

    def develop(self, exposed: Floats) -> Floats:
        """Return the film as seen, (H, W) in [0, 1]: gain and noise are the same for any device."""
        return np.clip(exposed * self.gain + self.noise, 0.0, 1.0)


def draw_anatomy(rng: np.random.Generator) -> Anatomy:
    """Choose a patient's anatomy."""
    return Anatomy(
        lung_width=rng.uniform(0.15, 0.18),
        lung_height=rng.uniform(0.30, 0.36),
        lung_power=rng.uniform(2.2, 2.8),
        heart_width=rng.uniform(0.11, 0.16),
        heart_shift=rng.uniform(0.02, 0.06),
        rib_slope=rng.uniform(0.3, 0.6),
        rib_offset=rng.uniform(0.0, 0.06),
        tissue=rng.uniform(0.55, 0.65),
    )


def draw_pneumothorax(rng: np.random.Generator) -> Pneumothorax:
    """Choose side, area (lognormal) and contrast (lognormal) of a pneumothorax."""
    area = AREA_MEDIAN * float(np.exp(rng.normal(0.0, AREA_SIGMA)))
    return Pneumothorax(
        side=int(rng.choice([-1, 1])),
        area=float(np.clip(area, *AREA_RANGE)),
        contrast=float(np.exp(rng.normal(0.0, CRESCENT_CONTRAST_SIGMA))),
    )


def draw_film(rng: np.random.Generator, anatomy: Anatomy, finding: Pneumothorax | None, *, size: int) -> Film:
    """Render one film of a patient, all of it but the devices.

    Args:
        rng: source of breathing, texture, noise and gain.
        anatomy: the patient.
        finding: the pneumothorax, or None.
        size: side in pixels.
    """
    x, y = _grid(size)
    breath = rng.uniform(0.95, 1.05)
    radii = {side: _lung_radius(x, y, anatomy, side, breath) for side in (-1, 1)}
    lungs = (radii[-1] < 1) | (radii[1] < 1)
    clavicles = _clavicles(anatomy, size)
    ribs = _ribs(anatomy, size) * lungs
    air = np.maximum(_smooth_step(1 - radii[-1], 0.10), _smooth_step(1 - radii[1], 0.10))
    clean = _soft_tissue(x, y, anatomy, air) + 0.09 * ribs + 0.12 * clavicles
    markings = gaussian_filter(rng.normal(size=(size, size)), size / 96)
    markings *= MARKINGS_SD / markings.std()
    crescent = np.zeros((size, size), dtype=bool)
    if finding is not None:
        crescent, line = _crescent(x, y, radii[finding.side], finding)
        depth = finding.contrast * CRESCENT_CONTRAST
        clean = clean - depth * crescent + finding.contrast * VISCERAL_LINE * line
    clean = clean + markings * air * ~crescent

    return Film(
        clean=clean,
        noise=rng.normal(0.0, NOISE_SD, size=(size, size)),
        gain=float(np.clip(rng.normal(1.0, GAIN_SD), 0.8, 1.2)),
        masks={
            "lungs": lungs,
            "ribs": ribs > 0.4,
            "heart": _heart_radius(x, y, anatomy) < 1,
            "clavicles": clavicles > 0.4,
            "pneumothorax": crescent,
        },
    )


def _soft_tissue(x: Floats, y: Floats, anatomy: Anatomy, air: Floats) -> Floats:
    """Return body, air, mediastinum and heart, without bones."""
    body = _smooth_step(1.15 - np.hypot((x - 0.5) / 0.47, (y - 0.62) / 0.66), 0.10)
    middle = np.exp(-(((x - 0.5) / 0.05) ** 2)) * _smooth_step(y - 0.05, 0.1)
    heart = _smooth_step(1 - _heart_radius(x, y, anatomy), 0.15)
    return body * anatomy.tissue - 0.33 * air * (1 - 0.8 * heart) + 0.14 * middle + 0.10 * heart


@lru_cache(maxsize=4)
def _grid(size: int) -> tuple[Floats, Floats]:
    """Return x and y of the pixel centres, each (size, size)."""
    centres = (np.arange(size) + 0.5) / size
    return np.broadcast_to(centres, (size, size)), np.broadcast_to(centres[:, None], (size, size))


def _smooth_step(inside: Floats, softness: float) -> Floats:
    """Return 0 outside, 1 inside, a ramp of the given softness between."""
    return np.clip(inside / softness + 0.5, 0.0, 1.0)


def _lung_radius(x: Floats, y: Floats, anatomy: Anatomy, side: int, breath: float) -> Floats:
    """Return the superellipse radius: below 1 inside the lung, 1 at the pleura."""
    # A lung is narrower at the apex: the half-width grows downwards.
    half_width = anatomy.lung_width * (0.78 + 0.40 * np.clip((y - 0.15) / 0.6, 0, 1))
    u = np.abs((x - (0.5 + side * 0.215)) / half_width)
    v = np.abs((y - 0.48) / (anatomy.lung_height * breath))
    return (u**anatomy.lung_power + v**anatomy.lung_power) ** (1 / anatomy.lung_power)


def _heart_radius(x: Floats, y: Floats, anatomy: Anatomy) -> Floats:
    return np.hypot((x - 0.5 - anatomy.heart_shift) / anatomy.heart_width, (y - 0.66) / 0.15)


def _ribs(anatomy: Anatomy, size: int) -> Floats:
    """Return nine pairs of bright arcs, falling outwards."""
    lines = []
    for rib in range(RIB_PAIRS):
        top = 0.12 + anatomy.rib_offset + rib * 0.085
        out = np.linspace(0.03, 0.42, 10)
        fall = anatomy.rib_slope * (out - 0.03) ** 1.6
        lines += [np.column_stack([0.5 + side * out, top + fall]) for side in (-1, 1)]
    return stroke(lines, size=size, width=0.022)


def _clavicles(anatomy: Anatomy, size: int) -> Floats:
    out = np.linspace(0.04, 0.38, 8)
    height = 0.17 - 0.10 * anatomy.rib_slope * (out - 0.04) + 0.02 * np.sin(out * 14)
    return stroke([np.column_stack([0.5 + side * out, height]) for side in (-1, 1)], size=size, width=0.03)


def _crescent(x: Floats, y: Floats, radius: Floats, finding: Pneumothorax) -> tuple[Mask, Floats]:
    """Return the air outside the visceral line (H, W) and that line, soft.

    Depth below the pleura is divided by a weight that is largest at the apex and laterally, and the
    pixels of least weighted depth are taken until the wanted area is reached: a crescent.
    """
    lateral = np.clip(finding.side * (x - 0.5 - finding.side * 0.215) / 0.17, -1, 1)
    apical = np.clip((0.62 - y) / 0.45, 0.02, 1)
    weight = apical * (0.75 + 0.45 * lateral)
    depth = np.where(radius < 1, (1 - radius) / np.maximum(weight, 0.01), np.inf)
    wanted = max(4, round(finding.area * depth.size))
    edge = float(np.partition(depth.ravel(), wanted)[wanted])
    steepness = 0.5 / (depth.shape[0] * 0.17 * np.maximum(weight, 0.05))
    line = np.exp(-0.5 * ((depth - edge) / steepness) ** 2)  # 0 outside the lung, where depth is infinite
    return depth < edge, line
