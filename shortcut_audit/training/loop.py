"""The training loop: AdamW, one learning-rate cycle, the best epoch by validation AUROC.

Order and augmentation are functions of (seed, epoch): the same seed sees the same data.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from shortcut_audit.errors import DivergedError
from shortcut_audit.models.pixels import as_pixels
from shortcut_audit.runtime import progress
from shortcut_audit.training.engine import Engine

BAD_STEPS_ALLOWED = 3
GRADIENT_NORM = 5.0


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


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What training left beside the weights."""

    history: tuple[dict[str, Any], ...]
    chosen: str
    steps: int


def fit(
    network: nn.Module,
    stored: Tensor,
    targets: Sequence[Tensor],
    *,
    loss: Callable[..., Tensor],
    validate: Callable[[], float | None],
    schedule: Schedule,
    what: str,
    engine: Engine | None = None,
) -> Fitted:
    """Train a network in place.

    Args:
        network: takes pixels (N, C, H, W) in [0, 1].
        stored: pixels (N, C, H, W), uint8.
        targets: tensors whose first axis is N; four-axis ones are flipped with the image.
        loss: ``loss(output, *targets)``.
        validate: returns the validation AUROC, or None where it is not defined.
        schedule: length, rates, seed.
        what: the work in words, for the progress bar.
        engine: device and precision.

    Raises:
        DivergedError: the loss was not finite more than three times.
    """
    engine = engine or Engine()
    steps_an_epoch = max(1, len(stored) // schedule.batch_size)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay
    )
    prepared, optimiser = engine.setup(network, optimiser)  # type: ignore[assignment]
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=schedule.learning_rate, total_steps=schedule.epochs * steps_an_epoch
    )
    history: list[dict[str, Any]] = []
    best: tuple[float, int, dict[str, Tensor]] | None = None
    bad = 0
    with progress(what, schedule.epochs * steps_an_epoch) as bar:
        for epoch in range(schedule.epochs):
            network.train()
            losses = []
            for images, *batch in _batches(stored, targets, schedule, epoch, steps_an_epoch):
                optimiser.zero_grad(set_to_none=True)
                value = loss(prepared(engine.to_device(images)), *map(engine.to_device, batch))
                if math.isfinite(float(value.detach())):
                    engine.backward(value)
                    torch.nn.utils.clip_grad_norm_(network.parameters(), GRADIENT_NORM)
                    optimiser.step()
                    losses.append(float(value.detach()))
                else:
                    bad += 1
                    _check_divergence(bad, what, epoch, schedule)
                cycle.step()
                bar.advance()
            auroc = validate()
            history.append({"epoch": epoch + 1, "loss": round(float(np.mean(losses)), 5), "val_auroc": _rounded(auroc)})
            if schedule.keep_best and auroc is not None and (best is None or auroc > best[0]):
                best = (auroc, epoch + 1, copy.deepcopy(network.state_dict()))
    if best is not None:
        network.load_state_dict(best[2])
    network.eval()
    chosen = f"epoch {best[1]}: best validation AUROC" if best else f"epoch {schedule.epochs}: the last"
    return Fitted(history=tuple(history), chosen=chosen, steps=schedule.epochs * steps_an_epoch)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 5)


def _check_divergence(bad: int, what: str, epoch: int, schedule: Schedule) -> None:
    if bad > BAD_STEPS_ALLOWED:
        raise DivergedError(
            f"{what}: the loss was not finite in {bad} steps, last in epoch {epoch + 1}; "
            f"try a learning rate below {schedule.learning_rate:g}"
        )


def _batches(
    stored: Tensor, targets: Sequence[Tensor], schedule: Schedule, epoch: int, steps: int
) -> Iterator[tuple[Tensor, ...]]:
    """Yield shuffled, flipped batches of float pixels and their targets."""
    rng = np.random.default_rng([schedule.seed, epoch])
    order = torch.from_numpy(rng.permutation(len(stored)))
    flips = torch.from_numpy(rng.random(len(stored)) < 0.5) & schedule.flip
    for step in range(steps):
        rows = order[step * schedule.batch_size : (step + 1) * schedule.batch_size]
        flip = flips[rows].view(-1, 1, 1, 1)
        yield tuple(_flipped(part, flip) for part in (as_pixels(stored[rows]), *(t[rows] for t in targets)))


def _flipped(part: Tensor, flip: Tensor) -> Tensor:
    if part.ndim != 4:
        return part
    mirrored = torch.where(flip, part.flip(-1), part)
    return mirrored.float().contiguous(memory_format=torch.channels_last)
