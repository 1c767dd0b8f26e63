"""What an attribution is, and what every attribution method promises.

A method answers: which pixels moved this logit away from the logit of a baseline image? Networks take
pixels in [0, 1] and normalise inside, so that baselines are images too ("black" is black).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeAlias, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from shortcut_audit.config import ExplainConfig
from shortcut_audit.registry import Registry
from shortcut_audit.shapes import Floats, Ints

ModelFn: TypeAlias = Callable[[Tensor], Tensor]
"""Pixels (N,C,H,W) in [0, 1] to logits (N,F); row n depends on image n only."""

MIN_DIFFERENCE = 0.5
"""Logits. Below this difference to the baseline a relative error says nothing."""


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """Maps of N (image, finding) pairs, in logit units, not normalised.

    Attributes:
        signed: (N,H,W) float32, summed over channels: positive pixels raised the logit.
        absolute: (N,H,W) float32, the absolute value taken before the sum over channels.
        targets: (N,) columns of the logits that were explained.
        logit: (N,) the explained logits of the images.
        delta: (N,) completeness error, see :func:`completeness_error`; None for methods that do not
            promise that their map sums to the difference of the logits.
        steps: (N,) model evaluations with a gradient, per baseline; None for methods without steps.
    """

    signed: NDArray[np.float32]
    absolute: NDArray[np.float32]
    targets: Ints
    logit: Floats
    delta: Floats | None
    steps: Ints | None

    @property
    def score(self) -> Floats:
        """Scores (N,) in [0, 1]: the sigmoid of the logits."""
        return np.exp(-np.logaddexp(0.0, -self.logit))


@dataclass(frozen=True, kw_only=True, eq=False)
class Wanted:
    """The P (image, finding) pairs that are asked for.

    Attributes:
        image: (P,) int64, index into the images, ascending: the findings of one image share its forward passes.
        target: (P,) int64, column of the logits.
        logit: (P,) float64 where they are known already: no image is shown once more for them.
    """

    image: Tensor
    target: Tensor
    logit: Tensor | None = None

    def __len__(self) -> int:
        return len(self.image)


@runtime_checkable
class Method(Protocol):
    """An attribution method. Stateless: equal arguments give equal maps on one machine.

    ``complete`` says whether the signed map sums to the logit minus that of the baseline. ``heeds`` names which of
    the keys ``quadrature``, ``tolerance`` and ``precision`` it reads.
    """

    complete: ClassVar[bool]
    heeds: ClassVar[frozenset[str]]

    def explain(
        self, model: ModelFn, images: Tensor, wanted: Wanted, *, baselines: Tensor, config: ExplainConfig
    ) -> Attribution:
        """Explain some logits of some images.

        Args:
            model: the network; an ``nn.Module`` is put into evaluation mode meanwhile.
            images: (M,C,H,W) float32 in [0, 1], on the model's device.
            wanted: which logits of which images.
            baselines: (B,M,C,H,W) in the same units; the maps are averages over the B baselines.
            config: steps, batch size and the method's other constants.

        Returns:
            One map a pair, in the order of ``wanted``.
        """


BatchMaps: TypeAlias = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Images (S,C,H,W), targets (S,) and baselines (B,S,C,H,W) to maps by channel (S,C,H,W) or (S,1,H,W)."""


METHODS: Registry[type[Method]] = Registry("attribution method", "shortcut_audit.attribution.methods")


def completeness_error(signed: NDArray[np.float32], difference: Floats) -> Floats:
    """Return |sum of the map - difference| / max(|difference|, 0.5 logit), one number a pair.

    Args:
        signed: maps (N,H,W).
        difference: (N,) logit of the image minus the mean logit of its baselines.
    """
    total = signed.sum(axis=(1, 2), dtype=np.float64)
    error: Floats = np.abs(total - difference) / np.maximum(np.abs(difference), MIN_DIFFERENCE)
    return error


@contextmanager
def frozen(model: ModelFn) -> Iterator[None]:
    """Put a module into evaluation mode without parameter gradients, and every flag back at the end."""
    if not isinstance(model, nn.Module):
        yield
        return
    training = {module: module.training for module in model.modules()}
    learning = {parameter: parameter.requires_grad for parameter in model.parameters()}
    try:
        model.eval()
        model.requires_grad_(False)
        yield
    finally:
        for module, flag in training.items():
            module.training = flag
        for parameter, flag in learning.items():
            parameter.requires_grad_(flag)


def fixed_batches(count: int, size: int) -> Iterator[tuple[Tensor, int]]:
    """Cut 0..count-1 into batches of exactly ``size``; the last repeats its last index.

    Yields (indices (size,), how many of them are real). A network gives a batch of one other last bits
    than a batch of twelve, so a batch that varied in size would make maps depend on their company.
    """
    for start in range(0, count, size):
        yield torch.arange(start, start + size).clamp(max=count - 1), min(size, count - start)


def logits_of(model: ModelFn, images: Tensor, *, batch_size: int) -> Tensor:
    """Return all logits (M,F) of images, float32, without gradients, in fixed batches."""
    found = []
    with torch.no_grad():
        for rows, real in fixed_batches(len(images), batch_size):
            found.append(model(images[rows])[:real].float())
    return torch.cat(found)


def wanted_logits(model: ModelFn, images: Tensor, wanted: Wanted, *, batch_size: int) -> Tensor:
    """Return the wanted logits (P,) float64 of the images (M,C,H,W), as they are known or as the model gives them."""
    if wanted.logit is not None:
        return wanted.logit
    return logits_of(model, images, batch_size=batch_size)[wanted.image, wanted.target].double()


def explain_pairs(
    model: ModelFn, images: Tensor, wanted: Wanted, *, baselines: Tensor, batch_size: int, maps: BatchMaps
) -> Attribution:
    """Explain every pair by itself, in fixed batches: what methods do that share nothing between findings.

    Args:
        model: the network.
        images: (M,C,H,W).
        wanted: the pairs.
        baselines: (B,M,C,H,W).
        batch_size: pairs a batch.
        maps: the method; ``model`` is frozen while it is called.

    Returns:
        Maps without completeness error and steps.
    """
    parts = []
    with frozen(model):
        for rows, real in fixed_batches(len(wanted), batch_size):
            image = wanted.image[rows]
            parts.append(maps(images[image], wanted.target[rows], baselines[:, image]).detach()[:real].float())
        logits = wanted_logits(model, images, wanted, batch_size=batch_size)
    by_channel = torch.cat(parts)
    return Attribution(
        signed=by_channel.sum(1).cpu().numpy(),
        absolute=by_channel.abs().sum(1).cpu().numpy(),
        targets=wanted.target.cpu().numpy(),
        logit=logits.cpu().numpy(),
        delta=None,
        steps=None,
    )
