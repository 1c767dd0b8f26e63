"""One arm of a comparison of ways to fine-tune: which weights it starts from, and which of them learn.

Arms differ in nothing else: films, masks, order, flips, loss and number of steps are functions of the seed and of
the share of labels alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from shortcut_audit.config import ImageConfig, SegmenterConfig
from shortcut_audit.config.finetune import ArmName, FinetuneConfig
from shortcut_audit.models.card import SegmenterCard
from shortcut_audit.models.overlap import Overlap, measure_overlap
from shortcut_audit.models.segmenter import ENCODER, Segmenter, build_segmenter, fix_encoder
from shortcut_audit.models.transfer import take_weights
from shortcut_audit.shapes import Bools, Bytes8
from shortcut_audit.training.loop import Schedule, fit
from shortcut_audit.training.objectives import mask_loss
from shortcut_audit.training.train_classifier import pixel_statistics
from shortcut_audit.training.train_segmenter import MaskSet, by_rows, started_from

Start = tuple[Segmenter, str]
"""A pre-trained segmenter, and the SHA-256 of its weights."""


@dataclass(frozen=True, kw_only=True)
class DrawnFilms:
    """Films with drawn masks: ids (N,), pixels (N, C, S, S) uint8, masks and which pixels are known (N, K, S, S)."""

    ids: Sequence[str]
    pixels: Bytes8
    masks: Bools
    known: Bools

    @property
    def drawn(self) -> Bools:
        """(N, K), whether a mask was drawn: any pixel of it is known."""
        return np.asarray(self.known.any(axis=(2, 3)))

    def select(self, rows: Bools) -> DrawnFilms:
        """Return some of the films."""
        ids = [name for name, chosen in zip(self.ids, rows, strict=True) if chosen]
        return DrawnFilms(ids=ids, pixels=self.pixels[rows], masks=self.masks[rows], known=self.known[rows])

    def mask_set(self) -> MaskSet:
        """Return them as the training loop takes them."""
        return MaskSet(ids=self.ids, pixels=self.pixels, masks=self.masks, known=self.known)


@dataclass(frozen=True, kw_only=True)
class Check:
    """Steps taken, seconds of training until then, and the mean validation Dice; None where it is not defined."""

    step: int
    seconds: float
    dice: float | None


@dataclass(frozen=True, kw_only=True)
class TrainedArm:
    """What one training left."""

    segmenter: Segmenter
    checks: tuple[Check, ...]
    learnt: int
    """Numbers that learnt."""

    @property
    def best(self) -> float | None:
        """The best validation Dice, by which learning rates are chosen."""
        return max((check.dice for check in self.checks if check.dice is not None), default=None)


def begin_arm(arm: ArmName, card: SegmenterCard, start: Start, *, adapter_width: float, weights: str) -> Segmenter:
    """Return the network of an arm before its first step.

    Args:
        arm: ``full`` takes all weights and lets all learn; ``frozen`` all, and the encoder stays; ``adapters`` the
            same with adapters behind the encoder's stages; ``encoder`` takes the encoder's alone, the decoder is
            new; ``scratch`` takes none of it.
        card: of a network from scratch.
        start: the pre-trained segmenter. All arms but ``scratch`` see films as it learnt to see them.
        adapter_width: width of the adapters' bottleneck as a share of the channels.
        weights: that the encoder of ``scratch`` starts from, see :func:`build_segmenter`.

    Raises:
        UsageError: the pre-trained segmenter is another network than the card's.
    """
    torch.manual_seed(card.seed)
    if arm == "scratch":
        return build_segmenter(card, weights=weights)
    pretrained, digest = start
    card = card.model_copy(update={"started_from": digest})
    if arm == "encoder":
        look = {"mean": pretrained.card.mean, "std": pretrained.card.std}
        segmenter = build_segmenter(card.model_copy(update=look))
        take_weights(
            segmenter, pretrained.state_dict(), only=ENCODER, where="the pre-trained segmenter",
            wanted=f"the encoder {card.encoder}",
        )  # fmt: skip
        return segmenter
    segmenter = started_from(pretrained, card)
    if arm == "full":
        return segmenter
    return fix_encoder(segmenter, width=adapter_width if arm == "adapters" else None)


def train_arm(
    arm: ArmName,
    *,
    train: DrawnFilms,
    val: DrawnFilms,
    classes: tuple[str, ...],
    segmenter: SegmenterConfig,
    finetune: FinetuneConfig,
    image: ImageConfig,
    start: Start,
    learning_rate: float,
    steps: int,
    seed: int,
    trained_on: str,
    what: str,
) -> TrainedArm:
    """Train one arm; keep the weights of the check with the best validation Dice (or the last: ``checkpoint``).

    Args:
        arm: see :func:`begin_arm`.
        train: the share of films it learns from.
        val: all validation films.
        classes: names of the K classes.
        segmenter: network, loss, batch size, weight decay and flips.
        finetune: how often it is checked, and the width of adapters.
        image: working size and channels.
        start: the pre-trained segmenter.
        learning_rate: peak of the schedule.
        steps: how many; rounded up to whole checks.
        seed: decides initialisation, and with the sample ids order and flips.
        trained_on: fingerprint of the manifest.
        what: the work in words.

    Raises:
        UsageError: see :func:`begin_arm`.
        DivergedError: the loss was not finite.
    """
    mean, std = pixel_statistics(train.pixels)
    card = SegmenterCard(
        architecture=segmenter.architecture, encoder=segmenter.encoder, activation=segmenter.activation,
        decoder_channels=tuple(segmenter.decoder_channels), classes=classes, channels=image.channels, size=image.size,
        mean=mean, std=std, seed=seed, trained_on=trained_on, supervision="drawn masks",
    )  # fmt: skip
    network = begin_arm(arm, card, start, adapter_width=finetune.adapter_width, weights=segmenter.weights)
    masks = train.mask_set()
    checks = -(-steps // finetune.check_every)
    schedule = Schedule(
        epochs=checks, steps=finetune.check_every, batch_size=segmenter.batch_size, learning_rate=learning_rate,
        weight_decay=segmenter.weight_decay, flip=segmenter.flip, keep_best=segmenter.checkpoint == "best", seed=seed,
    )  # fmt: skip
    watch = _Watch(lambda: overlap_on(network, val), finetune.check_every)
    fitted = fit(
        network,
        torch.from_numpy(train.pixels),
        [by_rows(masks.masks), by_rows(masks.known)],
        ids=masks.ids,
        loss=lambda logits, target, known: mask_loss(
            logits, target, known, activation=segmenter.activation, positive_weight=segmenter.positive_weight,
            background_weight=1.0, dice=segmenter.dice,
        ),
        validate=watch,
        schedule=schedule,
        what=what,
        measure="Dice",
    )  # fmt: skip
    network.card = network.card.model_copy(update={"history": fitted.history, "chosen": fitted.chosen})
    learnt = sum(weights.numel() for weights in network.parameters() if weights.requires_grad)
    return TrainedArm(segmenter=network, checks=tuple(watch.checks), learnt=learnt)


def overlap_on(network: Segmenter, films: DrawnFilms) -> Overlap:
    """Return how the predicted masks of some films agree with the drawn ones."""
    return measure_overlap(network, torch.from_numpy(films.pixels), films.masks, films.known)


class _Watch:
    """Checks a network when it is called, and leaves the time that takes out of the seconds of training."""

    def __init__(self, look: Callable[[], Overlap], every: int) -> None:
        self.checks: list[Check] = []
        self._look, self._every = look, every
        self._seconds, self._since = 0.0, time.perf_counter()

    def __call__(self) -> float | None:
        self._seconds += time.perf_counter() - self._since
        dice = self._look().mean_dice()
        step = self._every * (len(self.checks) + 1)
        self.checks.append(Check(step=step, seconds=round(self._seconds, 3), dice=dice))
        self._since = time.perf_counter()
        return dice
