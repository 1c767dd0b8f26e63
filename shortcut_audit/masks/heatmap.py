"""Heat maps as they are stored: at a size of their own, in 8 bits with a scale."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from shortcut_audit.shapes import Heatmap

STEPS = 127


def shrink(heatmap: Heatmap, size: tuple[int, int]) -> Heatmap:
    """Return the means of (H,W) over a grid of ``size`` equal fields; a pixel on an edge counts in parts.

    The mean over the map stays, and so does its sum if it is counted for each pixel of the image.
    """
    if heatmap.shape == size:
        return heatmap
    bands = _thin(heatmap, size[0])
    return _thin(bands.T, size[1]).T


def enlarge(heatmap: Heatmap, size: tuple[int, int]) -> Heatmap:
    """Spread each field of a stored heat map (h,w) over its pixels (H,W); the mean over the map stays."""
    if heatmap.shape == size:
        return heatmap
    rows, columns = (_weights(full, small) * (full / small) for full, small in zip(size, heatmap.shape, strict=True))
    large: Heatmap = (rows.T @ heatmap @ columns).astype(np.float32)
    return large


def _thin(heatmap: Heatmap, rows: int) -> Heatmap:
    """Return the means over ``rows`` equal bands."""
    each, rest = divmod(len(heatmap), rows)
    if rest:
        parts: Heatmap = _weights(len(heatmap), rows) @ heatmap
        return parts
    total = heatmap[::each]
    for start in range(1, each):
        total = total + heatmap[start::each]
    mean: Heatmap = total * np.float32(1 / each)
    return mean


@cache
def _weights(full: int, small: int) -> NDArray[np.float32]:
    """Return (small, full): which part of each band every row is."""
    edges = np.arange(small + 1) * (full / small)
    row = np.arange(full)
    overlap = np.minimum(edges[1:, None], row + 1) - np.maximum(edges[:-1, None], row)
    weights: NDArray[np.float32] = (np.maximum(overlap, 0) * (small / full)).astype(np.float32)
    return weights


def quantise(heatmap: Heatmap) -> tuple[NDArray[np.int8], float]:
    """Return a heatmap in 8 bits and the scale that gives it back."""
    scale = np.float32(max(heatmap.max(), -heatmap.min()) / STEPS)
    steps = np.rint(heatmap / scale) if scale > 0 else np.zeros_like(heatmap)
    return steps.astype(np.int8), float(scale)


def dequantise(steps: NDArray[np.int8], scale: float) -> Heatmap:
    """Return the heatmap that ``quantise`` took, to within half a scale."""
    return steps.astype(np.float32) * np.float32(scale)
