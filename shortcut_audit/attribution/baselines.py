"""What an image is compared with, in pixel units.

Zero of a *standardised* image is mean grey, not black, so baselines are made before a network
normalises. A black baseline is blind to dark findings: (x - b) is nought where x is black, and a
pneumothorax is air. Blur alone is blind to what is large and smooth (a dark corner). The default is
therefore the mean of the attributions against ``blur`` and ``mean``.

Noise is one draw for all images (C,H,W), so that no map depends on what else is explained. Naming a noise
twice takes two draws; Sturmfels, Lundberg and Lee 2020 compare these baselines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from shortcut_audit.errors import UsageError, did_you_mean
from shortcut_audit.shapes import Bytes8, Pixels

BLUR_SHARE = 1 / 8
"""Sigma of the blur as a share of the image's shorter side: fine structure goes, the layout stays."""
NOISE_SD = 0.5
"""Of the Gaussian noise about the image, before it is clipped to [0, 1]: half of the range, so that little is left."""


def mean_image(pixels: Bytes8) -> Pixels:
    """Return the mean (C,H,W) in [0, 1] of training images (N,C,H,W), pixel by pixel."""
    total = np.zeros(pixels.shape[1:], dtype=np.int64)
    for image in pixels:
        total += image
    mean: Pixels = (total / (255.0 * len(pixels))).astype(np.float32)
    return mean


@dataclass(frozen=True, kw_only=True, eq=False)
class _Source:
    """What a baseline is made from: the images (N,C,H,W), the mean image (C,H,W), a generator of noise."""

    images: Tensor
    mean: Pixels | None
    noise: torch.Generator


def make_baselines(names: Sequence[str], images: Tensor, *, mean: Pixels | None, seed: int = 0) -> Tensor:
    """Return the baselines (B,N,C,H,W) of images (N,C,H,W) in [0, 1].

    Args:
        names: of ``black``, ``white``, ``mean``, ``blur``, ``uniform`` and ``gaussian`` (noise).
        images: the images to be explained.
        mean: per-pixel mean (C,H,W) of the training images; ``mean`` needs it.
        seed: of the noise.

    Raises:
        UsageError: a name that is none of these, none at all, or ``mean`` without a mean image.
    """
    if not names:
        raise UsageError(f"explain.baseline is empty; name at least one of {', '.join(sorted(_BASELINES))}")
    noise = torch.Generator().manual_seed(seed)  # on the CPU, so that a GPU draws the same
    source = _Source(images=images, mean=mean, noise=noise)
    return torch.stack([_baseline(name, source) for name in names])


def _baseline(name: str, source: _Source) -> Tensor:
    if name not in _BASELINES:
        known = ", ".join(sorted(_BASELINES))
        raise UsageError(f"no baseline is called '{name}'{did_you_mean(name, _BASELINES)}; there are: {known}")
    return _BASELINES[name](source)


def _black(source: _Source) -> Tensor:
    return torch.zeros_like(source.images)


def _white(source: _Source) -> Tensor:
    return torch.ones_like(source.images)


def _mean(source: _Source) -> Tensor:
    if source.mean is None:
        raise UsageError(
            "baseline 'mean' needs the mean of the training images; give it, or set explain.baseline=[blur]"
        )
    return torch.from_numpy(source.mean).to(source.images).expand_as(source.images)


def _blur(source: _Source) -> Tensor:
    from torchvision.transforms.v2.functional import gaussian_blur

    height, width = source.images.shape[-2:]
    sigma = BLUR_SHARE * min(height, width)
    # Two sigmas to each side, and never beyond what reflection at the border can fill.
    reach = min(round(2 * sigma), min(height, width) - 1)
    # Rows and columns one after the other: a kernel in two dimensions took 26 times as long at 224 px.
    along_rows = gaussian_blur(source.images, [2 * reach + 1, 1], [sigma, sigma])
    blurred: Tensor = gaussian_blur(along_rows, [1, 2 * reach + 1], [sigma, sigma])
    return blurred


def _uniform(source: _Source) -> Tensor:
    drawn = torch.rand(source.images.shape[1:], generator=source.noise)
    return drawn.to(source.images).expand_as(source.images)


def _gaussian(source: _Source) -> Tensor:
    drawn = NOISE_SD * torch.randn(source.images.shape[1:], generator=source.noise)
    return (source.images + drawn.to(source.images)).clamp(0, 1)


_BASELINES: dict[str, Callable[[_Source], Tensor]] = {
    "black": _black,
    "white": _white,
    "mean": _mean,
    "blur": _blur,
    "uniform": _uniform,
    "gaussian": _gaussian,
}
