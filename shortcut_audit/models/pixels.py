"""From stored pixels to what a network takes.

Standardisation lies inside the network, so that everything outside speaks of pixels in [0, 1].
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn


class Standardise(nn.Module):
    """Map pixels (N, C, H, W) in [0, 1] to (pixels - mean) / std, channel by channel."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return standardised pixels of the same shape."""
        return (pixels - self.mean) / self.std


def as_pixels(stored: Tensor) -> Tensor:
    """Return stored pixels (N, C, H, W) uint8 as float32 in [0, 1], channels last in memory."""
    return (stored.float() / 255).contiguous(memory_format=torch.channels_last)


def padded_batches(stored: Tensor, *, device: torch.device, batch_size: int = 64) -> Iterator[tuple[Tensor, int]]:
    """Yield batches of exactly ``batch_size`` pixels on a device, and how many of their rows are real.

    The last batch is padded with copies of its last row: a batch of another size gives other last bits.
    """
    for start in range(0, len(stored), batch_size):
        chunk = stored[start : start + batch_size]
        count = len(chunk)
        if count < batch_size:
            chunk = torch.cat([chunk, chunk[-1:].expand(batch_size - count, *chunk.shape[1:])])
        yield as_pixels(chunk.to(device)), count
