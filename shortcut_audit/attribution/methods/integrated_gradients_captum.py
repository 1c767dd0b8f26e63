"""Integrated Gradients as captum computes them: what our own engine is compared with."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from shortcut_audit.attribution.base import (
    METHODS,
    Attribution,
    ModelFn,
    Wanted,
    completeness_error,
    explain_pairs,
    frozen,
    logits_of,
)
from shortcut_audit.config import ExplainConfig

RULES = {"gauss_legendre": "gausslegendre", "midpoint": "riemann_middle"}
"""What captum calls a quadrature."""


@METHODS.register("integrated_gradients_captum")
class IntegratedGradientsCaptum:
    """Integrated Gradients by captum, ``steps`` nodes for every pair: slow, for comparison (complete)."""

    complete: ClassVar[bool] = True
    heeds: ClassVar[frozenset[str]] = frozenset({"quadrature"})

    def explain(
        self, model: ModelFn, images: Tensor, wanted: Wanted, *, baselines: Tensor, config: ExplainConfig
    ) -> Attribution:
        """Explain some logits of some images; see :class:`~shortcut_audit.attribution.base.Method`."""
        # captum takes a second to import, and most commands explain nothing.
        from captum.attr import IntegratedGradients

        reference, size = IntegratedGradients(model), config.batch_size

        def maps(shown: Tensor, targets: Tensor, starts: Tensor) -> Tensor:
            found = [
                reference.attribute(
                    shown, start, target=targets, n_steps=config.steps, method=RULES[config.quadrature],
                    internal_batch_size=len(shown),
                )
                for start in starts
            ]  # fmt: skip
            return torch.stack(found).mean(0)

        found = explain_pairs(model, images, wanted, baselines=baselines, batch_size=size, maps=maps)
        with frozen(model):
            starts = torch.stack([logits_of(model, start, batch_size=size) for start in baselines]).double().mean(0)
        difference = found.logit - starts[wanted.image, wanted.target].cpu().numpy()
        return replace(
            found,
            delta=completeness_error(found.signed, difference),
            steps=np.full(len(wanted), config.steps, dtype=np.int64),
        )
