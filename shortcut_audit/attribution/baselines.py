"""What an image is compared with, in pixel units.

Zero of a *standardised* image is mean grey, not black, so baselines are made before a network
normalises. A black baseline is blind to dark findings: (x - b) is nought where x is black, and a
pneumothorax is air. Blur alone is blind to what is large and smooth (a dark corner). The default is
therefore the mean of the attributions against ``blur`` and ``mean``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms.v2.functional import gaussian_blur

from shortcut_audit.errors import UsageError, did_you_mean
from shortcut_audit.shapes import Bytes8, Pixels

BLUR_SHARE = 1 / 8
"""Sigma of the blur as a share of the image's shorter side: fine structure goes, the layout stays."""


def mean_image(pixels: Bytes8) -> Pixels:
    """Return the mean (C,H,W) in [0, 1] of training images (N,C,H,W), pixel by pixel."""
    total = np.zeros(pixels.shape[1:], dtype=np.int64)
    for image in pixels:
        total += image
    mean: Pixels = (total / (255.0 * len(pixels))).astype(np.float32)
    return mean


def make_baselines(names: Sequence[str], images: Tensor, *, mean: Pixels | None) -> Tensor:
    """Return the baselines (B,N,C,H,W) of images (N,C,H,W) in [0, 1].

    Args:
        names: of ``black``, ``white``, ``mean``, ``blur``.
        images: the images to be explained.
        mean: per-pixel mean (C,H,W) of the training images; ``mean`` needs it.

    Raises:
        UsageError: a name that is none of these, none at all, or ``mean`` without a mean image.
    """
    if not names:
        raise UsageError(f"explain.baseline is empty; name at least one of {', '.join(sorted(_BASELINES))}")
    return torch.stack([_baseline(name, images, mean) for name in names])


def _baseline(name: str, images: Tensor, mean: Pixels | None) -> Tensor:
    if name not in _BASELINES:
        known = ", ".join(sorted(_BASELINES))
        raise UsageError(f"no baseline is called '{name}'{did_you_mean(name, _BASELINES)}; there are: {known}")
    return _BASELINES[name](images, mean)


def _black(images: Tensor, _mean: Pixels | None) -> Tensor:
    return torch.zeros_like(images)


def _white(images: Tensor, _mean: Pixels | None) -> Tensor:
    return torch.ones_like(images)


def _mean(images: Tensor, mean: Pixels | None) -> Tensor:
    if mean is None:
        raise UsageError(
            "baseline 'mean' needs the mean of the training images; give it, or set explain.baseline=[blur]"
        )
    return torch.from_numpy(mean).to(images).expand_as(images)


def _blur(images: Tensor, _mean: Pixels | None) -> Tensor:
    height, width = images.shape[-2:]
    sigma = BLUR_SHARE * min(height, width)
    # Two sigmas to each side, and never beyond what reflection at the border can fill.
    reach = min(round(2 * sigma), min(height, width) - 1)
    blurred: Tensor = gaussian_blur(images, [2 * reach + 1, 2 * reach + 1], [sigma, sigma])
    return blurred


_BASELINES: dict[str, Callable[[Tensor, Pixels | None], Tensor]] = {
    "black": _black,
    "white": _white,
    "mean": _mean,
    "blur": _blur,
}
