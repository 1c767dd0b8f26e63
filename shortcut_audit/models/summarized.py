"""A segmenter as a classifier: the logit of its summarized score is what an attribution explains."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from shortcut_audit.errors import UsageError
from shortcut_audit.models.segmenter import Segmenter
from shortcut_audit.models.summarizers import SUMMARIZERS

SURE = 1e-6
"""Scores are kept so far from 0 and 1; their logits stay within 14."""


class Summarized(nn.Module):
    """Logits (N, K) of the summarized scores of a segmenter, from pixels (N, C, H, W) in [0, 1].

    Args:
        segmenter: the network.
        summarizer: name of the function from probabilities to scores.
        channels: which of its classes, in the order the logits shall have.

    Raises:
        UsageError: the score does not move with the pixels (predicted area counts pixels above a limit).
    """

    def __init__(self, segmenter: Segmenter, summarizer: str, channels: Sequence[int]) -> None:
        super().__init__()
        self.segmenter = segmenter
        self._summarize = SUMMARIZERS.get(summarizer)
        self._channels = list(channels)
        probabilities = torch.full((1, len(segmenter.card.classes), 8, 8), 0.4, requires_grad=True)
        with torch.enable_grad():
            moves = self._summarize(probabilities).requires_grad
        if not moves:
            raise UsageError(
                f"evaluate.summarizer: '{summarizer}' counts pixels and has no gradient, so it cannot be explained; "
                "take mean_probability or top_mean"
            )

    def forward(self, pixels: Tensor) -> Tensor:
        """Return logits (N, K)."""
        scores = self._summarize(self.segmenter.probabilities(pixels))[:, self._channels]
        return torch.logit(scores, eps=SURE)
