"""Segmenters: a U-Net of segmentation-models-pytorch over a timm encoder, one probability map a class."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from shortcut_audit.errors import UsageError
from shortcut_audit.models.adapters import FixedEncoder
from shortcut_audit.models.card import SegmenterCard
from shortcut_audit.models.pixels import Standardise
from shortcut_audit.models.transfer import read_tensors, take_body
from shortcut_audit.runtime import say

HEAD = "network.segmentation_head."
"""Prefix of the tensors that depend on how many classes there are."""
TIMM = "tu-"
"""How smp marks an encoder of timm."""
ENCODER = "network.encoder."
"""Prefix of the tensors of the encoder."""
FIXED = "network.encoder.encoder."
"""Prefix of the tensors of an encoder that did not learn."""


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


def build_segmenter(card: SegmenterCard, *, weights: str = "none") -> Segmenter:
    """Make the network a card describes.

    Args:
        card: architecture, encoder, decoder, classes, channels and standardisation.
        weights: of the encoder: ``none`` (random), ``imagenet`` (timm's, fetched or cached by timm), or a file of
            a timm network, a classifier or a segmenter of ours. All else is random.

    Raises:
        UsageError: no such encoder, a decoder that does not fit it, or weights that do not fit it or cannot be had.
    """
    import segmentation_models_pytorch as smp

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
    segmenter = Segmenter(card, network)
    if weights != "none":
        _load_encoder(segmenter, weights)
    return fix_encoder(segmenter, width=card.adapter_width) if card.encoder_fixed else segmenter


def _load_encoder(segmenter: Segmenter, weights: str) -> None:
    """Give the encoder weights of a file, or timm's."""
    encoder = segmenter.card.encoder
    body = getattr(segmenter.network.encoder, "model", None)
    if not isinstance(body, nn.Module) or not encoder.startswith(TIMM):
        raise UsageError(f"segmenter.weights: only timm encoders take weights; write '{TIMM}NAME', not '{encoder}'")
    if weights == "imagenet":
        found, where = _imagenet(encoder.removeprefix(TIMM)), "segmenter.weights: imagenet"
    else:
        found, where = read_tensors(Path(weights), key="segmenter.weights"), f"segmenter.weights: {weights}"
    taken = take_body(body, found, where=where, wanted=f"the encoder {encoder}")
    say(f"{where}: {taken.note()}")


def _imagenet(architecture: str) -> dict[str, Tensor]:
    import timm

    try:
        network = timm.create_model(architecture, pretrained=True)
    except Exception as error:  # whatever the HTTP client behind timm raises comes through
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise UsageError(
            f"segmenter.weights: imagenet weights of {architecture} could not be had ({reason}); name a file, or none"
        ) from error
    return dict(network.state_dict())


def fix_encoder(segmenter: Segmenter, *, width: float | None) -> Segmenter:
    """Keep the encoder as it is from now on, in place; the card says so.

    Args:
        segmenter: whose encoder is not fixed yet.
        width: of the adapters behind its stages; None: none.
    """
    segmenter.network.encoder = FixedEncoder(segmenter.network.encoder, width=width)  # type: ignore[arg-type]
    segmenter.card = segmenter.card.model_copy(update={"encoder_fixed": True, "adapter_width": width})
    return segmenter
