"""Gradient SHAP (Lundberg and Lee 2017; Erion et al. 2021), through captum: expected gradients."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from shortcut_audit.attribution.base import METHODS, Attribution, ModelFn, Wanted, explain_pairs
from shortcut_audit.attribution.seeded import seeded
from shortcut_audit.config import ExplainConfig


@METHODS.register("gradient_shap")
class GradientShap:
    """Gradient SHAP: mean over random baselines and places on the way (complete only in the limit)."""

    complete: ClassVar[bool] = False
    heeds: ClassVar[frozenset[str]] = frozenset()

    def explain(
        self, model: ModelFn, images: Tensor, wanted: Wanted, *, baselines: Tensor, config: ExplainConfig
    ) -> Attribution:
        """Explain some logits of some images; see :class:`~shortcut_audit.attribution.base.Method`.

        ``samples`` draws an image, each from noise of ``noise_sd`` and one of the image's baselines.
        """
        from captum.attr import GradientShap as CaptumGradientShap

        shap = CaptumGradientShap(model)

        def maps(shown: Tensor, targets: Tensor, starts: Tensor) -> Tensor:
            found = []
            for place in range(len(shown)):
                with seeded(config.seed):
                    found.append(
                        shap.attribute(
                            shown[place, None], starts[:, place], n_samples=config.samples, stdevs=config.noise_sd,
                            target=targets[place, None],
                        )
                    )  # fmt: skip
            return torch.cat(found)

        return explain_pairs(model, images, wanted, baselines=baselines, batch_size=config.batch_size, maps=maps)
