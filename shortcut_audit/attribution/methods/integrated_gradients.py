"""Integrated Gradients, built for whole data sets.

Sundararajan, Taly and Yan 2017, equation 1: (x - b) times the mean gradient along the straight line
from baseline b to image x. The mean is a Gauss-Legendre quadrature, as captum's ``gausslegendre``, to
which the result is equal (tested). Over several baselines the attributions are averaged.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from shortcut_audit.attribution.base import (
    METHODS,
    Attribution,
    ModelFn,
    completeness_error,
    fixed_batches,
    frozen,
    logits_of,
)
from shortcut_audit.config import ExplainConfig
from shortcut_audit.shapes import Floats


@METHODS.register("integrated_gradients")
class IntegratedGradients:
    """Integrated Gradients: mean gradient on the way from a baseline, times the way (complete)."""

    complete: ClassVar[bool] = True

    def explain(
        self, model: ModelFn, images: Tensor, targets: Tensor, *, baselines: Tensor, config: ExplainConfig
    ) -> Attribution:
        """Explain one logit of each image; see :class:`~shortcut_audit.attribution.base.Method`."""
        size = config.batch_size
        with frozen(model):
            parts = [
                _integrate(model, images[rows], targets[rows], baselines[:, rows], config.steps)[:real]
                for rows, real in fixed_batches(len(images), size)
            ]
            logit = logits_of(model, images, targets, batch_size=size).double()
            start = torch.stack([logits_of(model, b, targets, batch_size=size) for b in baselines]).double().mean(0)
        by_channel = torch.cat(parts)
        signed = by_channel.sum(1).cpu().numpy()
        return Attribution(
            signed=signed,
            absolute=by_channel.abs().sum(1).cpu().numpy(),
            targets=targets.cpu().numpy(),
            logit=logit.cpu().numpy(),
            delta=completeness_error(signed, (logit - start).cpu().numpy()),
            steps=np.full(len(images), config.steps, dtype=np.int64),
        )


def gauss_legendre(steps: int) -> tuple[Floats, Floats]:
    """Return nodes and weights (S,) of the quadrature on [0, 1]; the weights sum to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    return (1 + nodes) / 2, weights / 2


def _integrate(model: ModelFn, images: Tensor, targets: Tensor, baselines: Tensor, steps: int) -> Tensor:
    """Return attributions by channel (N,C,H,W), averaged over the baselines."""
    total = torch.zeros_like(images)
    nodes, weights = gauss_legendre(steps)
    for baseline in baselines:
        way = images - baseline
        slope = torch.zeros_like(images)
        for node, weight in zip(nodes, weights, strict=True):
            slope += float(weight) * _gradient(model, baseline + float(node) * way, targets)
        total += way * slope
    return total / len(baselines)


def _gradient(model: ModelFn, points: Tensor, targets: Tensor) -> Tensor:
    """Return the gradient of each point's target logit with respect to its pixels."""
    with torch.enable_grad():
        points = points.contiguous(memory_format=torch.channels_last).requires_grad_()
        chosen = model(points).gather(1, targets[:, None])
        (gradient,) = torch.autograd.grad(chosen.sum(), points)
    return gradient
