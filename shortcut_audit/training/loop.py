"""The training loop: AdamW, one learning-rate cycle, the best epoch by validation AUROC.

Order and augmentation are functions of (seed, epoch, sample id): the same seed sees the same data.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from shortcut_audit.config import ClassifierConfig, SegmenterConfig
from shortcut_audit.errors import DivergedError
from shortcut_audit.models.pixels import as_pixels
from shortcut_audit.runtime import Bar, progress
from shortcut_audit.training.draws import order_and_flips
from shortcut_audit.training.engine import Engine

BAD_STEPS_ALLOWED = 3
GRADIENT_NORM = 5.0


class Rows(Protocol):
    """A tensor, or something that gives the tensor of some rows."""

    def __getitem__(self, rows: Tensor, /) -> Tensor:
        """Return the rows."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How long and how fast to train, and which epoch to keep."""

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    flip: bool
    keep_best: bool
    seed: int
    steps: int | None = None
    """Steps an epoch, however many films there are; None: one pass over the films, in whole batches."""

    @classmethod
    def of(cls, config: ClassifierConfig | SegmenterConfig, *, epochs: int, seed: int) -> Schedule:
        """Return the schedule that a configuration describes."""
        return cls(
            epochs=epochs, batch_size=config.batch_size, learning_rate=config.learning_rate,
            weight_decay=config.weight_decay, flip=config.flip, keep_best=config.checkpoint == "best", seed=seed,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What training left beside the weights."""

    history: tuple[dict[str, Any], ...]
    chosen: str
    steps: int


def fit(
    network: nn.Module,
    stored: Tensor,
    targets: Sequence[Rows],
    *,
    ids: Sequence[str],
    loss: Callable[..., Tensor],
    validate: Callable[[], float | None],
    schedule: Schedule,
    what: str,
    engine: Engine | None = None,
    measure: str = "AUROC",
) -> Fitted:
    """Train a network in place.

    Args:
        network: takes pixels (N, C, H, W) in [0, 1].
        stored: pixels (N, C, H, W), uint8.
        targets: tensors, or what is read by rows, whose first axis is N; four-axis ones are flipped with the image.
        ids: sample ids (N,); they and the seed decide order and flips.
        loss: ``loss(output, *targets)``.
        validate: returns the validation AUROC (or another ``measure``), or None where it is not defined.
        schedule: length, rates, seed.
        what: the work in words, for the progress bar.
        engine: device and precision.
        measure: what ``validate`` returns; larger is better.

    Raises:
        DivergedError: the loss was not finite more than three times, or in all steps of an epoch.
    """
    steps = schedule.steps or max(1, len(stored) // schedule.batch_size)
    course = _Course(network, loss, schedule, steps=steps, what=what, engine=engine or Engine())
    history: list[dict[str, Any]] = []
    best = _Best(network)
    with progress(what, schedule.epochs * steps) as bar:
        for epoch in range(1, schedule.epochs + 1):
            mean_loss = course.run(epoch, _batches(stored, targets, ids, schedule, epoch, steps), bar)
            value = validate()
            rounded = None if value is None else round(value, 5)
            history.append({"epoch": epoch, "loss": round(mean_loss, 5), f"val_{measure.lower()}": rounded})
            if schedule.keep_best and value is not None:
                best.offer(value, epoch)
    best.restore()
    network.eval()
    chosen = f"epoch {best.epoch}: best validation {measure}" if best.epoch else f"epoch {schedule.epochs}: the last"
    return Fitted(history=tuple(history), chosen=chosen, steps=schedule.epochs * steps)


class _Course:
    """Network, optimiser and learning-rate cycle on their way through the epochs."""

    def __init__(
        self,
        network: nn.Module,
        loss: Callable[..., Tensor],
        schedule: Schedule,
        *,
        steps: int,
        what: str,
        engine: Engine,
    ) -> None:
        optimiser = torch.optim.AdamW(
            network.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay
        )
        self._network, self._loss, self._schedule, self._what, self._engine = network, loss, schedule, what, engine
        self._prepared, self._optimiser = engine.setup(network, optimiser)
        self._cycle = torch.optim.lr_scheduler.OneCycleLR(
            self._optimiser, max_lr=schedule.learning_rate, total_steps=schedule.epochs * steps
        )
        self._bad = 0

    def run(self, epoch: int, batches: Iterator[tuple[Tensor, ...]], bar: Bar) -> float:
        """Train for one epoch and return the mean loss of its steps; steps without a finite loss are left out."""
        self._network.train()
        losses = []
        for batch in batches:
            value = self._step(*map(self._engine.to_device, batch))
            if math.isfinite(value):
                losses.append(value)
            else:
                self._bad += 1
            if self._bad > BAD_STEPS_ALLOWED:
                raise self._diverged(epoch)
            bar.advance()
        if not losses:
            raise self._diverged(epoch)
        return sum(losses) / len(losses)

    def _step(self, images: Tensor, *targets: Tensor) -> float:
        """Take one step, unless the loss is not finite; return the loss."""
        self._optimiser.zero_grad(set_to_none=True)
        loss = self._loss(self._prepared(images), *targets)
        value = float(loss.detach())
        if math.isfinite(value):
            self._engine.backward(loss)
            torch.nn.utils.clip_grad_norm_(self._network.parameters(), GRADIENT_NORM)
            self._optimiser.step()
            self._cycle.step()
        return value

    def _diverged(self, epoch: int) -> DivergedError:
        return DivergedError(
            f"{self._what}: the loss was not finite in {self._bad} steps, last in epoch {epoch}; "
            f"try a learning rate below {self._schedule.learning_rate:g}"
        )


class _Best:
    """The weights of the best epoch so far; the earliest of equals."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._value = -math.inf
        self._weights: dict[str, Tensor] | None = None
        self.epoch: int | None = None

    def offer(self, value: float, epoch: int) -> None:
        """Keep the weights as they are now, if they are better."""
        if value > self._value:
            self._value, self.epoch = value, epoch
            self._weights = copy.deepcopy(self._network.state_dict())

    def restore(self) -> None:
        """Give the network the weights of the best epoch; the last ones stay where no epoch was offered."""
        if self._weights is not None:
            self._network.load_state_dict(self._weights)


def _batches(
    stored: Tensor, targets: Sequence[Rows], ids: Sequence[str], schedule: Schedule, epoch: int, steps: int
) -> Iterator[tuple[Tensor, ...]]:
    """Yield shuffled, flipped batches of float pixels and their targets.

    Where the steps are given and the films do not last, they are shuffled and flipped anew.
    """
    rounds = math.ceil(steps * schedule.batch_size / len(stored)) if schedule.steps else 1
    orders, flips = [], []
    for again in range(rounds):
        order, mirrored = order_and_flips(ids, schedule.seed, epoch, again)
        orders.append(torch.from_numpy(order))
        flips.append(torch.from_numpy(mirrored & schedule.flip)[orders[-1]])
    rows_in_order, flips_in_order = torch.cat(orders), torch.cat(flips)
    for step in range(steps):
        places = slice(step * schedule.batch_size, (step + 1) * schedule.batch_size)
        rows, flip = rows_in_order[places], flips_in_order[places].view(-1, 1, 1, 1)
        yield tuple(_flipped(part, flip) for part in (as_pixels(stored[rows]), *(t[rows] for t in targets)))


def _flipped(part: Tensor, flip: Tensor) -> Tensor:
    if part.ndim != 4:
        return part
    mirrored = torch.where(flip, part.flip(-1), part)
    return mirrored.float().contiguous(memory_format=torch.channels_last)
