"""Train a segmenter from masks: drawn ones, or pseudo-masks in pre-training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from shortcut_audit.config import ImageConfig, SegmenterConfig
from shortcut_audit.models.card import SegmenterCard
from shortcut_audit.models.segmenter import HEAD, Segmenter, build_segmenter
from shortcut_audit.models.summarize import summarize
from shortcut_audit.models.transfer import take_weights
from shortcut_audit.runtime import say
from shortcut_audit.shapes import Bools, Bytes8, Floats
from shortcut_audit.training.loop import Rows, Schedule, fit
from shortcut_audit.training.objectives import mask_loss
from shortcut_audit.training.packed import PackedPlanes
from shortcut_audit.training.train_classifier import mean_auroc, pixel_statistics

Phase = Literal["pretrain", "drawn"]


@dataclass(frozen=True, kw_only=True)
class MaskSet:
    """Films with masks: pixels (N, C, S, S) uint8, masks and known pixels (N, K, S, S), packed where they are many.

    Their sample ids (N,) decide with the seed in which order they are learnt from, and which are mirrored when.
    """

    ids: Sequence[str]
    pixels: Bytes8
    masks: Bools | PackedPlanes
    known: Bools | PackedPlanes


def train_segmenter(
    *,
    train: MaskSet,
    val: tuple[Bytes8, Floats],
    classes: tuple[str, ...],
    config: SegmenterConfig,
    image: ImageConfig,
    summarizer: str,
    seed: int,
    trained_on: str,
    phase: Phase,
    what: str,
    start: tuple[Segmenter, str] | None = None,
) -> Segmenter:
    """Train on masks; keep the epoch whose *summarised* score has the best validation AUROC.

    Args:
        train: films with masks.
        val: pixels and, for each class, image labels (N, K) with NaN for unknown.
        classes: names of the K classes.
        config: network and schedule.
        image: working size and channels.
        summarizer: the summarizer of the checkpoint rule.
        seed: decides initialisation, and with the sample ids order and flips.
        trained_on: fingerprint of the manifest.
        phase: ``pretrain`` weighs background pixels low (pseudo-masks miss much), ``drawn`` does not.
        what: the work in words.
        start: a segmenter to start from, and the SHA-256 of its weights. Its weights are taken exactly as
            they are: all of them, or all but the segmentation head where classes or activation differ.

    Raises:
        UsageError: ``start`` is another network than the one that is configured.
        DivergedError: the loss was not finite.
    """
    torch.manual_seed(seed)
    mean, std = pixel_statistics(train.pixels)
    card = SegmenterCard(
        architecture=config.architecture, encoder=config.encoder, decoder_channels=tuple(config.decoder_channels),
        activation=config.activation, classes=classes, channels=image.channels, size=image.size,
        mean=mean, std=std, seed=seed, trained_on=trained_on, started_from=start[1] if start else "",
        supervision="pseudo-masks" if phase == "pretrain" else "drawn masks",
    )  # fmt: skip
    segmenter = started_from(start[0], card) if start else build_segmenter(card, weights=config.weights)
    pretraining = phase == "pretrain"
    val_pixels = torch.from_numpy(val[0])
    fitted = fit(
        segmenter,
        torch.from_numpy(train.pixels),
        [by_rows(train.masks), by_rows(train.known)],
        ids=train.ids,
        loss=lambda logits, masks, known: mask_loss(
            logits, masks, known,
            activation=config.activation,
            positive_weight=1.0 if pretraining else config.positive_weight,
            background_weight=config.background_weight if pretraining else 1.0,
            dice=config.dice,
        ),
        validate=lambda: mean_auroc(val[1], _scores(segmenter, val_pixels, summarizer)),
        schedule=Schedule.of(config, epochs=config.pretrain_epochs if pretraining else config.epochs, seed=seed),
        what=what,
    )  # fmt: skip
    update = {"history": fitted.history, "chosen": fitted.chosen}
    segmenter.card = segmenter.card.model_copy(update=update)
    return segmenter


def _scores(segmenter: Segmenter, stored: Tensor, summarizer: str) -> Floats:
    return summarize(segmenter, stored, [summarizer])[summarizer].double().numpy()


def started_from(start: Segmenter, card: SegmenterCard) -> Segmenter:
    """Return the segmenter of a card with the weights of another, standardised as that one learnt to see."""
    segmenter = build_segmenter(card.model_copy(update={"mean": start.card.mean, "std": start.card.std}))
    alike = (start.card.classes, start.card.activation) == (card.classes, card.activation)
    taken = take_weights(
        segmenter, start.state_dict(), but=None if alike else HEAD,
        where=f"the pre-trained segmenter (U-Net on {start.card.encoder})", wanted=f"a U-Net on {card.encoder}",
    )  # fmt: skip
    said = "" if alike else f"; its head for {', '.join(start.card.classes)} is left behind"
    say(f"Starting from a pre-trained segmenter: {taken} of {len(segmenter.state_dict())} tensors taken{said}")
    return segmenter


def by_rows(planes: Bools | PackedPlanes) -> Rows:
    """Return masks as the training loop reads them."""
    return planes if isinstance(planes, PackedPlanes) else torch.from_numpy(planes)
