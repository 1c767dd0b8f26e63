"""Occlusion (Zeiler and Fergus 2014), through captum: what happens when a patch is replaced."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from shortcut_audit.attribution.base import METHODS, Attribution, ModelFn, fixed_batches, frozen, logits_of
from shortcut_audit.config import ExplainConfig

PATCH_SHARE = 1 / 8
"""Side of the patch as a share of the image's; it moves by half of itself."""


@METHODS.register("occlusion")
class Occlusion:
    """Occlusion: how far the logit falls when a patch shows the baseline instead (not complete)."""

    complete: ClassVar[bool] = False

    def explain(
        self, model: ModelFn, images: Tensor, targets: Tensor, *, baselines: Tensor, config: ExplainConfig
    ) -> Attribution:
        """Explain one logit of each image; see :class:`~shortcut_audit.attribution.base.Method`."""
        size = config.batch_size
        with frozen(model), torch.no_grad():
            parts = [
                _occlude(model, images[rows], targets[rows], baselines[:, rows])[:real]
                for rows, real in fixed_batches(len(images), size)
            ]
            logit = logits_of(model, images, targets, batch_size=size).double()
        drop = torch.cat(parts).cpu().numpy()
        return Attribution(
            signed=drop,
            absolute=abs(drop),
            targets=targets.cpu().numpy(),
            logit=logit.cpu().numpy(),
            delta=None,
            steps=None,
        )


def _occlude(model: ModelFn, images: Tensor, targets: Tensor, baselines: Tensor) -> Tensor:
    """Return the mean drop (N,H,W) of the logit over the patches that hide a pixel and over the baselines."""
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
    return torch.stack(drops).mean(0)[:, 0].float()
