"""Occlusion (Zeiler and Fergus 2014), through captum: what happens when a patch is replaced."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from shortcut_audit.attribution.base import METHODS, Attribution, ModelFn, Wanted, explain_pairs
from shortcut_audit.config import ExplainConfig

PATCH_SHARE = 1 / 8
"""Side of the patch as a share of the image's; it moves by half of itself."""


@METHODS.register("occlusion")
class Occlusion:
    """Occlusion: how far the logit falls when a patch shows the baseline instead (not complete)."""

    complete: ClassVar[bool] = False
    heeds: ClassVar[frozenset[str]] = frozenset()

    def explain(
        self, model: ModelFn, images: Tensor, wanted: Wanted, *, baselines: Tensor, config: ExplainConfig
    ) -> Attribution:
        """Explain some logits of some images; see :class:`~shortcut_audit.attribution.base.Method`."""

        def maps(shown: Tensor, targets: Tensor, starts: Tensor) -> Tensor:
            with torch.no_grad():
                return _occlude(model, shown, targets, starts)

        return explain_pairs(model, images, wanted, baselines=baselines, batch_size=config.batch_size, maps=maps)


def _occlude(model: ModelFn, images: Tensor, targets: Tensor, baselines: Tensor) -> Tensor:
    """Return the mean drop (S,1,H,W) of the logit over the patches that hide a pixel and over the baselines."""
    # captum takes a second to import, and most commands explain nothing.
    from captum.attr import Occlusion as CaptumOcclusion

    channels, height, width = images.shape[1:]
    patch = (channels, max(round(height * PATCH_SHARE), 2), max(round(width * PATCH_SHARE), 2))
    strides = (channels, patch[1] // 2, patch[2] // 2)
    occlusion = CaptumOcclusion(model)
    drops = [
        occlusion.attribute(images, patch, strides=strides, baselines=baseline, target=targets)
        for baseline in baselines
    ]
    # A patch hides all channels at once, so captum gives every channel the drop of the whole patch.
    return torch.stack(drops).mean(0)[:, :1]
