"""Masks of a whole training set in memory, one bit a pixel.

CheXpert's 14 findings at 96 px take 2.9 GB a plane this way, and 23 GB as booleans.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from shortcut_audit.shapes import Bytes8


class PackedPlanes:
    """Planes (N, K, H, W) of bits, read by rows; W is a multiple of 8.

    Args:
        chunks: packed planes (n, K, H, W / 8), as ``numpy.packbits`` makes them, one after the other.
    """

    def __init__(self, chunks: Sequence[Bytes8]) -> None:
        self._bits = np.concatenate(chunks)

    def __len__(self) -> int:
        return len(self._bits)

    def __getitem__(self, rows: Tensor) -> Tensor:
        """Return the planes of some rows, (n, K, H, W) boolean."""
        return torch.from_numpy(np.unpackbits(self._bits[rows.numpy()], axis=-1).astype(bool))
