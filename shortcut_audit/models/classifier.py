"""Classifiers: any timm network, one logit a finding."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from shortcut_audit.errors import UsageError, did_you_mean
from shortcut_audit.models.card import ClassifierCard
from shortcut_audit.models.device import device_of
from shortcut_audit.models.pixels import Standardise, padded_batches
from shortcut_audit.models.transfer import is_segmenter, read_tensors, take_body
from shortcut_audit.runtime import say


class Classifier(nn.Module):
    """Logits (N, F) from pixels (N, C, H, W) in [0, 1]; ``card`` says which finding is which.

    Of three outputs a finding, the logit is that of the probability of *positive* among positive and negative
    (U-MultiClass of Irvin et al. 2019, CheXpert): scores, explanations and audits see no difference.
    """

    def __init__(self, card: ClassifierCard, network: nn.Module) -> None:
        super().__init__()
        self.card = card
        self.standardise = Standardise(card.mean, card.std)
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        """Return logits (N, F)."""
        outputs = self.outputs(pixels)
        return outputs[..., 0] if self.card.outputs == 1 else outputs[..., 1] - outputs[..., 0]

    def outputs(self, pixels: Tensor) -> Tensor:
        """Return what the network says of every finding, (N, F, ``card.outputs``)."""
        found: Tensor = self.network(self.standardise(pixels))
        return found.view(len(found), len(self.card.findings), self.card.outputs)


class Outputs(nn.Module):
    """A classifier as it is taught: all of its outputs (N, F, O) instead of its logits. The weights are the same."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, pixels: Tensor) -> Tensor:
        """Return outputs (N, F, O)."""
        return self.classifier.outputs(pixels)


def build_classifier(card: ClassifierCard, *, weights: str = "none") -> Classifier:
    """Make the network a card describes.

    Args:
        card: architecture, findings, channels and standardisation.
        weights: ``none`` (random), ``imagenet`` (timm's, fetched or cached by timm), or a file of weights.

    Raises:
        UsageError: timm has no such architecture, its weights cannot be had, or the file's weights do not fit.
    """
    import timm

    if card.architecture not in timm.list_models():
        guess = did_you_mean(card.architecture, timm.list_models())
        raise UsageError(f"classifier.architecture: timm has no network called '{card.architecture}'{guess}")
    classifier = Classifier(card, _imagenet(card) if weights == "imagenet" else _create(card, pretrained=False))
    if weights not in ("none", "imagenet"):
        _load_body(classifier, Path(weights))
    return classifier


def _create(card: ClassifierCard, *, pretrained: bool) -> nn.Module:
    import timm

    outputs = len(card.findings) * card.outputs
    return timm.create_model(card.architecture, pretrained=pretrained, in_chans=card.channels, num_classes=outputs)


def _imagenet(card: ClassifierCard) -> nn.Module:
    try:
        return _create(card, pretrained=True)
    except Exception as error:  # whatever the HTTP client behind timm raises comes through
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise UsageError(
            f"classifier.weights: imagenet weights of {card.architecture} could not be had ({reason}); "
            "name a file, or none"
        ) from error


def _load_body(classifier: Classifier, path: Path) -> None:
    """Take all weights but the head's from a safetensors file of a timm network, or of a model of ours.

    The encoder of a segmenter gives what it has: a classifier's layers behind it stay new.
    """
    found = read_tensors(path, key="classifier.weights")
    head = _head_prefix(classifier.network)
    where, wanted = f"classifier.weights: {path}", classifier.card.architecture
    taken = take_body(
        classifier.network, found, but=head, where=where, wanted=wanted, partly=is_segmenter(found)
    )  # fmt: skip
    say(f"{where}: {taken.note()}")


def _head_prefix(network: nn.Module) -> str:
    head = network.get_classifier()  # type: ignore[operator]
    return next((name + "." for name, module in network.named_modules() if module is head), "\0")


@torch.inference_mode()
def predict_scores(classifier: Classifier, pixels: Tensor) -> Tensor:
    """Return scores (N, F) in [0, 1], float32, from stored pixels (N, C, H, W) uint8."""
    classifier.eval()
    batches = padded_batches(pixels, device=device_of(classifier))
    scores = [torch.sigmoid(classifier(chunk).float())[:count].cpu() for chunk, count in batches]
    return torch.cat(scores) if scores else torch.empty(0, len(classifier.card.findings))
