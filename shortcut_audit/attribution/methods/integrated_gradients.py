"""Integrated Gradients, built for whole data sets.

Sundararajan, Taly and Yan 2017, equation 1: (x - b) times the mean gradient along the straight line
from baseline b to image x. The mean is a quadrature of Gauss-Legendre nodes or of midpoints, captum's
``gausslegendre`` and ``riemann_middle``, to which the result is equal (tested). Over several baselines
the attributions are averaged.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from shortcut_audit.attribution.base import METHODS, Attribution, ModelFn, Wanted, frozen
from shortcut_audit.attribution.path import PathSums, growing_levels, open_images
from shortcut_audit.config import ExplainConfig


@METHODS.register("integrated_gradients")
class IntegratedGradients:
    """Integrated Gradients: mean gradient on the way from a baseline, times the way (complete)."""

    complete: ClassVar[bool] = True
    heeds: ClassVar[frozenset[str]] = frozenset({"quadrature", "tolerance", "precision"})

    def explain(
        self, model: ModelFn, images: Tensor, wanted: Wanted, *, baselines: Tensor, config: ExplainConfig
    ) -> Attribution:
        """Explain some logits of some images; see :class:`~shortcut_audit.attribution.base.Method`.

        Without a tolerance every image gets ``steps`` nodes. With one it gets further nodes until the
        completeness error of all its maps is within it, or ``max_steps`` would be passed.
        """
        tolerance = config.tolerance
        levels = growing_levels(
            config.quadrature, config.steps, config.steps if tolerance is None else config.max_steps
        )
        left = torch.unique(wanted.image)
        steps = torch.zeros(len(images), dtype=torch.int64, device=images.device)
        with frozen(model):
            sums = PathSums(
                model, images, wanted, baselines=baselines, batch_size=config.batch_size,
                bfloat16=config.precision == "bfloat16",
            )  # fmt: skip
            for level in levels:
                sums.add(left, level)
                steps[left] += len(level.nodes)
                left = left if tolerance is None else open_images(wanted, sums.error(), tolerance)
                if not len(left):
                    break
        return Attribution(
            signed=sums.by_channel.sum(1).cpu().numpy(),
            absolute=sums.by_channel.abs().sum(1).cpu().numpy(),
            targets=wanted.target.cpu().numpy(),
            logit=sums.logit.cpu().numpy(),
            delta=sums.error().cpu().numpy(),
            steps=steps[wanted.image].cpu().numpy(),
        )
