"""Predicted masks against drawn ones, as counts of pixels: every overlap measure follows from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shortcut_audit.models.device import device_of
from shortcut_audit.models.pixels import padded_batches
from shortcut_audit.models.segmenter import Segmenter
from shortcut_audit.shapes import Bools

CUT = 0.5
"""Probability above which a pixel is in the predicted mask."""


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Known pixels in both masks, in the predicted and in the drawn one, (N, K); ``known`` (N, K): was one drawn."""

    both: NDArray[np.int64]
    predicted: NDArray[np.int64]
    drawn: NDArray[np.int64]
    known: Bools

    def mean_dice(self) -> float | None:
        """Return the mean over classes of the mean Dice over films with a drawn mask that is not empty."""
        means = []
        for k in range(self.known.shape[1]):
            rows = self.known[:, k] & (self.drawn[:, k] > 0)
            if rows.any():
                means.append((2 * self.both[rows, k] / (self.predicted[rows, k] + self.drawn[rows, k])).mean())
        return float(np.mean(means)) if means else None


@torch.inference_mode()
def measure_overlap(segmenter: Segmenter, stored: Tensor, masks: Bools, known: Bools) -> Overlap:
    """Predict every film and count.

    Args:
        segmenter: of K classes.
        stored: pixels (N, C, S, S), uint8.
        masks: drawn masks (N, K, S, S).
        known: (N, K, S, S), pixels that the drawn mask says anything of; the others are not counted.
    """
    was_training = segmenter.training
    segmenter.eval()
    both, predicted = [], []
    start = 0
    for pixels, count in padded_batches(stored, device=device_of(segmenter)):
        found = (segmenter.probabilities(pixels) > CUT)[:count].cpu().numpy()
        found &= known[start : start + count]
        both.append((found & masks[start : start + count]).sum(axis=(2, 3)))
        predicted.append(found.sum(axis=(2, 3)))
        start += count
    segmenter.train(was_training)
    return Overlap(
        both=np.concatenate(both), predicted=np.concatenate(predicted),
        drawn=(masks & known).sum(axis=(2, 3)), known=np.asarray(known.any(axis=(2, 3))),
    )  # fmt: skip
