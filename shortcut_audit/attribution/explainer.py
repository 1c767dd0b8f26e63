"""Explains stored images: a method, its baselines, and one classifier or several that are averaged."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from shortcut_audit.attribution.base import METHODS, Attribution, Wanted, frozen, logits_of
from shortcut_audit.attribution.baselines import make_baselines
from shortcut_audit.config import ExplainConfig
from shortcut_audit.errors import UsageError
from shortcut_audit.runtime import say
from shortcut_audit.shapes import Bytes8, Floats, Ints, Pixels

CHUNK = 512
"""Images that are floats at once where only scores are asked for."""
MIN_BATCH = 2
"""A batch of one has other last bits."""
Found = TypeVar("Found")


class Explainer:
    """Explains images as a configuration says. The models it is given stay as they are.

    Args:
        models: networks of the same logits (N,F) of pixels (N,C,H,W) in [0, 1], on one device. Of several,
            maps are :func:`consensus` maps.
        config: method, steps, baselines, batch size.
        mean: per-pixel mean (C,H,W) of the training images; for the baseline ``mean``.

    Raises:
        UsageError: there is no such method.
    """

    def __init__(self, models: Sequence[nn.Module], config: ExplainConfig, mean: Pixels | None) -> None:
        self._method = METHODS.get(config.method)()
        # A fifth faster on a CPU than the usual order in memory.
        self._models = [copy.deepcopy(model).to(memory_format=torch.channels_last) for model in models]
        self._device = next(models[0].parameters()).device
        self._config, self._mean = config, mean
        self._conditions: tuple[str, ...] = ()
        self._logits: list[torch.Tensor] = []
        """Of each model (N,F), once ``scores`` was asked."""

    @property
    def conditions(self) -> tuple[str, ...]:
        """Why maps may differ in their last digits from another run's: a GPU, a batch halved for want of memory."""
        return self._conditions if self._device.type == "cpu" else (self._device.type, *self._conditions)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self._device

    def move_to(self, device: torch.device) -> None:
        """Compute on another device from now on."""
        self._models, self._device = [model.to(device) for model in self._models], device

    def explain(self, stored: Bytes8, *, image: Ints, target: Ints, scored: Ints | None = None) -> Attribution:
        """Explain some logits of some images; where memory runs out, in batches of half the size from then on.

        Args:
            stored: pixels (M,C,H,W).
            image: (P,) index into ``stored``, ascending.
            target: (P,) column of the logits.
            scored: (M,) which of the images that ``scores`` was asked about these are, if it was asked: their
                logits are taken from there.

        Raises:
            UsageError: an unknown baseline, no mean image where one is needed, or not even a batch of two
                fits into memory.
        """
        known: list[torch.Tensor | None] = [None] * len(self._models)
        if scored is not None and self._logits:
            known = [logits[scored[image], target].double().to(self._device) for logits in self._logits]
        return self._with_room(
            lambda: consensus([
                self._explain(model, stored, image, target, logit)
                for model, logit in zip(self._models, known, strict=True)
            ])
        )  # fmt: skip

    def scores(self, stored: Bytes8) -> Floats:
        """Return the scores (N,F) of images (N,C,H,W); of several models, of their mean logits.

        Raises:
            UsageError: not even a batch of two fits into memory.
        """
        chunks = [
            self._with_room(partial(self._score, stored[start : start + CHUNK]))
            for start in range(0, len(stored), CHUNK)
        ]
        self._logits = [torch.cat(parts) for parts in zip(*chunks, strict=True)]
        scores: Floats = torch.sigmoid(torch.stack(self._logits).mean(0)).double().numpy()
        return scores

    def _score(self, stored: Bytes8) -> list[torch.Tensor]:
        """Return the logits (N,F) of each model."""
        shown, found = self._shown(stored), []
        for model in self._models:
            with frozen(model):
                found.append(logits_of(model, shown, batch_size=self._config.batch_size).cpu())
        return found

    def _with_room(self, work: Callable[[], Found]) -> Found:
        """Return what some work gives; where memory runs out, in batches of half the size from then on."""
        while True:
            try:
                return work()
            except (RuntimeError, MemoryError) as error:
                if not _is_memory(error):
                    raise
            # Out of the handler, so that nothing of the failed attempt is held any more.
            self._halve()

    def _explain(
        self, model: nn.Module, stored: Bytes8, image: Ints, target: Ints, logit: torch.Tensor | None
    ) -> Attribution:
        shown = self._shown(stored)
        baselines = make_baselines(self._config.baseline, shown, mean=self._mean, seed=self._config.seed)
        wanted = Wanted(
            image=torch.from_numpy(np.asarray(image)).to(self._device),
            target=torch.from_numpy(np.asarray(target)).to(self._device),
            logit=logit,
        )
        return self._method.explain(model, shown, wanted, baselines=baselines, config=self._config)

    def _shown(self, stored: Bytes8) -> torch.Tensor:
        return torch.from_numpy(stored).to(self._device).float() / 255

    def _halve(self) -> None:
        size = self._config.batch_size // 2
        if size < MIN_BATCH:
            raise UsageError(
                f"explain.batch_size: not even {self._config.batch_size} images at once fit into memory; "
                "choose a smaller image.size or network"
            )
        say(f"out of memory: explaining goes on in batches of {size}")
        self._config = self._config.model_copy(update={"batch_size": size})
        self._conditions = (*self._conditions, f"out of memory: batches of {size}")
        if self._device.type == "cuda":
            torch.cuda.empty_cache()


def consensus(found: Sequence[Attribution]) -> Attribution:
    """Return the mean absolute attribution of several models (Li et al. 2022); of one model, its own.

    ``signed`` is then absolute too, ``logit`` the mean logit, ``delta`` and ``steps`` those of the worst model.
    """
    if len(found) == 1:
        return found[0]
    absolute = np.stack([one.absolute for one in found]).mean(axis=0)
    deltas = [one.delta for one in found if one.delta is not None]
    steps = [one.steps for one in found if one.steps is not None]
    return Attribution(
        signed=absolute,
        absolute=absolute,
        targets=found[0].targets,
        logit=np.mean([one.logit for one in found], axis=0),
        delta=np.max(deltas, axis=0) if deltas else None,
        steps=np.max(steps, axis=0) if steps else None,
    )


def _is_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out: torch has a type of its own for a GPU, and only words for a CPU."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)
