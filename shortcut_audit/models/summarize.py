"""From a segmenter to scores."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from shortcut_audit.models.device import device_of
from shortcut_audit.models.pixels import padded_batches
from shortcut_audit.models.segmenter import Segmenter
from shortcut_audit.models.summarizers import SUMMARIZERS


@torch.inference_mode()
def summarize(segmenter: Segmenter, stored: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
    """Run a segmenter once and summarize its probabilities in several ways.

    Args:
        segmenter: the model.
        stored: pixels (N, C, H, W), uint8.
        names: summarizers.

    Returns:
        For each name scores (N, K) in [0, 1], float32.
    """
    functions = {name: SUMMARIZERS.get(name) for name in names}
    collected: dict[str, list[Tensor]] = {name: [] for name in names}
    segmenter.eval()
    for chunk, count in padded_batches(stored, device=device_of(segmenter)):
        probabilities = segmenter.probabilities(chunk)[:count]
        for name, function in functions.items():
            collected[name].append(function(probabilities).clamp(0.0, 1.0).cpu())
    classes = len(segmenter.card.classes)
    return {name: torch.cat(parts) if parts else torch.empty(0, classes) for name, parts in collected.items()}
