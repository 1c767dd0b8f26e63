"""Train a segmenter from masks: drawn ones, or pseudo-masks in pre-training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from shortcut_audit.config import ImageConfig, SegmenterConfig
from shortcut_audit.models.card import SegmenterCard
from shortcut_audit.models.segmenter import Segmenter, build_segmenter
from shortcut_audit.models.summarize import summarize
from shortcut_audit.shapes import Bools, Bytes8, Floats
from shortcut_audit.training.loop import Schedule, fit
from shortcut_audit.training.objectives import mask_loss
from shortcut_audit.training.train_classifier import mean_auroc, pixel_statistics

Phase = Literal["pretrain", "drawn"]


@dataclass(frozen=True, kw_only=True)
class MaskSet:
    """Films with masks: pixels (N, C, S, S) uint8, masks and known pixels (N, K, S, S)."""

    pixels: Bytes8
    masks: Bools
    known: Bools


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
        seed: decides initialisation, order and flips.
        trained_on: fingerprint of the manifest.
        phase: ``pretrain`` weighs background pixels low (pseudo-masks miss much), ``drawn`` does not.
        what: the work in words.
        start: a segmenter to start from, exactly as stored, and the SHA-256 of its weights.
    """
    torch.manual_seed(seed)
    segmenter = _prepare(train, classes, config, image, seed, start)
    pretraining = phase == "pretrain"
    val_pixels = torch.from_numpy(val[0])
    fitted = fit(
        segmenter,
        torch.from_numpy(train.pixels),
        [torch.from_numpy(train.masks), torch.from_numpy(train.known)],
        loss=lambda logits, masks, known: mask_loss(
            logits, masks, known,
            activation=config.activation,
            positive_weight=1.0 if pretraining else config.positive_weight,
            background_weight=config.background_weight if pretraining else 1.0,
            dice=config.dice,
        ),
        validate=lambda: mean_auroc(val[1], summarize(segmenter, val_pixels, [summarizer])[summarizer].double().numpy()),
        schedule=Schedule(
            epochs=config.pretrain_epochs if pretraining else config.epochs, batch_size=config.batch_size,
            learning_rate=config.learning_rate, weight_decay=config.weight_decay, flip=config.flip,
            keep_best=config.checkpoint == "best", seed=seed,
        ),
        what=what,
    )  # fmt: skip
    segmenter.card = segmenter.card.model_copy(
        update={
            "history": fitted.history,
            "chosen": fitted.chosen,
            "trained_on": trained_on,
            "supervision": "pseudo-masks" if pretraining else "drawn masks",
            "started_from": start[1] if start else "",
        }
    )
    return segmenter


def _prepare(
    train: MaskSet,
    classes: tuple[str, ...],
    config: SegmenterConfig,
    image: ImageConfig,
    seed: int,
    start: tuple[Segmenter, str] | None,
) -> Segmenter:
    if start is not None:
        return start[0]
    mean, std = pixel_statistics(train.pixels)
    card = SegmenterCard(
        architecture=config.architecture, encoder=config.encoder, decoder_channels=tuple(config.decoder_channels),
        activation=config.activation, classes=classes, channels=image.channels, size=image.size,
        mean=mean, std=std, seed=seed,
    )  # fmt: skip
    return build_segmenter(card)
