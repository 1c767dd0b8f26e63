"""Grad-CAM (Selvaraju et al. 2017), through captum: the coarsest maps of a network, weighted by their slopes."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from shortcut_audit.attribution.base import METHODS, Attribution, ModelFn, Wanted, explain_pairs, frozen
from shortcut_audit.config import ExplainConfig
from shortcut_audit.errors import UsageError


@METHODS.register("grad_cam")
class GradCam:
    """Grad-CAM: the network's coarsest maps, weighted by how they move the logit (not complete, no baseline)."""

    complete: ClassVar[bool] = False
    heeds: ClassVar[frozenset[str]] = frozenset()

    def explain(
        self, model: ModelFn, images: Tensor, wanted: Wanted, *, baselines: Tensor, config: ExplainConfig
    ) -> Attribution:
        """Explain some logits of some images; see :class:`~shortcut_audit.attribution.base.Method`.

        The map keeps its sign (no ReLU) and is interpolated bilinearly to the image.

        Raises:
            UsageError: the network computes no maps.
        """
        from captum.attr import LayerAttribution, LayerGradCam

        cam = LayerGradCam(model, coarsest_layer(model, images[:1]))

        def maps(shown: Tensor, targets: Tensor, _starts: Tensor) -> Tensor:
            with torch.enable_grad():
                coarse = cam.attribute(shown.clone().requires_grad_(), target=targets)
            fine: Tensor = LayerAttribution.interpolate(coarse, shown.shape[2:], "bilinear")
            return fine

        return explain_pairs(model, images, wanted, baselines=baselines, batch_size=config.batch_size, maps=maps)


def coarsest_layer(model: ModelFn, image: Tensor) -> nn.Module:
    """Return the module whose output has the fewest fields, more than one; of several the one computed last.

    In a residual network that is the last stage, in a U-Net the end of the encoder. A vision transformer
    has maps only where it cuts the image into patches, which explains little.

    Raises:
        UsageError: there is none.
    """
    found: list[tuple[int, nn.Module]] = []

    def keep(module: nn.Module, _inputs: object, output: object) -> None:
        if isinstance(output, Tensor) and output.ndim == 4 and min(output.shape[2:]) > 1:
            found.append((output.shape[2] * output.shape[3], module))

    if isinstance(model, nn.Module):
        hooks = [module.register_forward_hook(keep) for module in model.modules()]
        try:
            with torch.no_grad(), frozen(model):
                model(image)
        finally:
            for hook in hooks:
                hook.remove()
    if not found:
        raise UsageError(
            "explain.method: grad_cam needs a network with feature maps of more than one field, and this one has none; "
            "take integrated_gradients, or larger images"
        )
    fewest = min(fields for fields, _ in found)
    return next(module for fields, module in reversed(found) if fields == fewest)
