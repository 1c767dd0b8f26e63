"""Masks of a training set, one bit a pixel."""

import numpy as np
import torch

from shortcut_audit.training.packed import PackedPlanes


def test_rows_come_back_as_they_were_whatever_the_order():
    planes = np.random.default_rng(0).random((7, 2, 16, 16)) < 0.3
    packed = PackedPlanes([np.packbits(planes[:4], axis=-1), np.packbits(planes[4:], axis=-1)])
    rows = torch.tensor([6, 0, 3])
    assert len(packed) == 7
    assert np.array_equal(packed[rows].numpy(), planes[[6, 0, 3]])
    assert packed[rows].dtype == torch.bool
