"""Overlap of predicted and drawn masks, where some pixels are not known."""

import numpy as np
import torch
from small_networks import SIZE

from shortcut_audit.models.overlap import measure_overlap

TOP = np.zeros((SIZE, SIZE), dtype=bool)
TOP[: SIZE // 2] = True
LEFT = np.zeros((SIZE, SIZE), dtype=bool)
LEFT[:, : SIZE // 2] = True
QUARTER = SIZE**2 // 4


class SaysTop(torch.nn.Module):
    """Calls the upper half of every film each of its classes."""

    def __init__(self, classes):
        super().__init__()
        self.classes = classes
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def probabilities(self, pixels):
        return torch.from_numpy(TOP).float().expand(len(pixels), self.classes, SIZE, SIZE)


def test_pixels_that_the_drawer_left_open_are_not_counted():
    """By hand: known is the left half, so each half has one known quarter; the second class was not drawn."""
    drawn = np.stack([TOP, np.zeros_like(TOP)])[None]
    known = np.stack([LEFT, np.zeros_like(LEFT)])[None]
    found = measure_overlap(SaysTop(2), torch.zeros(1, 1, SIZE, SIZE, dtype=torch.uint8), drawn, known)
    assert (found.both.tolist(), found.predicted.tolist()) == ([[QUARTER, 0]], [[QUARTER, 0]])
    assert (found.drawn.tolist(), found.known.tolist()) == ([[QUARTER, 0]], [[True, False]])
    assert found.mean_dice() == 1.0


def test_the_first_pixel_does_not_decide_whether_a_mask_was_drawn():
    known = np.ones((1, 1, SIZE, SIZE), dtype=bool)
    known[0, 0, 0, 0] = False
    found = measure_overlap(SaysTop(1), torch.zeros(1, 1, SIZE, SIZE, dtype=torch.uint8), TOP[None, None], known)
    assert found.known.tolist() == [[True]]
    assert found.drawn.tolist() == [[2 * QUARTER - 1]]
