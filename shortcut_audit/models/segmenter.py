"""Segmenters: a U-Net of segmentation-models-pytorch over a timm encoder, one probability map a class."""

from __future__ import annotations

import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn

from shortcut_audit.errors import UsageError
from shortcut_audit.models.card import SegmenterCard
from shortcut_audit.models.pixels import Standardise

HEAD = "network.segmentation_head."
"""Prefix of the tensors that depend on how many classes there are."""


class Segmenter(nn.Module):
    """Mask logits (N, K, H, W) from pixels (N, C, H, W) in [0, 1]; with softmax (N, 1 + K, H, W)."""

    def __init__(self, card: SegmenterCard, network: nn.Module) -> None:
        super().__init__()
        self.card = card
        self.standardise = Standardise(card.mean, card.std)
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        """Return mask logits; with softmax channel 0 is the background."""
        logits: Tensor = self.network(self.standardise(pixels))
        return logits

    def probabilities(self, pixels: Tensor) -> Tensor:
        """Return pixel probabilities (N, K, H, W) of the classes, without the background."""
        logits = self(pixels).float()
        if self.card.activation == "softmax":
            return torch.softmax(logits, dim=1)[:, 1:]
        return torch.sigmoid(logits)


def build_segmenter(card: SegmenterCard) -> Segmenter:
    """Make the network a card describes, with random weights.

    Raises:
        UsageError: no such encoder, or a decoder that does not fit it.
    """
    outputs = len(card.classes) + (1 if card.activation == "softmax" else 0)
    try:
        network = smp.Unet(
            encoder_name=card.encoder,
            encoder_weights=None,
            encoder_depth=len(card.decoder_channels),
            decoder_channels=list(card.decoder_channels),
            in_channels=card.channels,
            classes=outputs,
        )
    except (KeyError, RuntimeError, ValueError) as error:
        raise UsageError(
            f"segmenter.encoder: '{card.encoder}' cannot be built ({error}); timm networks are written 'tu-resnet18'"
        ) from error
    return Segmenter(card, network)
