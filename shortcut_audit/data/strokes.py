"""Smooth strokes: the one way in which tubes, leads, ribs and clavicles get into a film."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from shortcut_audit.shapes import Floats

SUPERSAMPLING = 4
MIN_SIGMA_PX = 0.45


def bezier(points: Floats, steps: int = 24) -> Floats:
    """Return (steps, 2) points of the Bezier curve with the given control points (M, 2)."""
    t = np.linspace(0.0, 1.0, steps)[:, None]
    level = [np.broadcast_to(point, (steps, 2)) for point in points]
    while len(level) > 1:
        level = [(1 - t) * a + t * b for a, b in pairwise(level)]
    return np.array(level[0])


def stroke(lines: list[Floats], *, size: int, width: float) -> Floats:
    """Draw polylines with a Gaussian profile across.

    Args:
        lines: polylines (M, 2) of x and y in fractions of the side.
        size: side of the square result in pixels.
        width: in fractions of the side: a pen half as wide, blurred by a Gaussian whose sigma is a quarter
            of it (0.7 of it at half height).

    Returns:
        (size, size), 1 at the middle of a stroke, 0 far from it.
    """
    fine = size * SUPERSAMPLING
    canvas = Image.new("L", (fine, fine))
    pen = ImageDraw.Draw(canvas)
    thickness = max(1, round(width * fine / 2))
    for line in lines:
        pen.line([(x * fine, y * fine) for x, y in line], fill=255, width=thickness, joint="curve")
    coarse = np.asarray(canvas.resize((size, size), Image.Resampling.BOX), dtype=np.float64) / 255
    soft = gaussian_filter(coarse, max(MIN_SIGMA_PX, width * size / 4))
    peak = soft.max()
    return soft / peak if peak > 0 else soft
