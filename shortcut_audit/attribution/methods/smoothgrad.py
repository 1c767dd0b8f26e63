"""SmoothGrad (Smilkov et al. 2017) over any other method, through captum's noise tunnel."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from shortcut_audit.attribution.base import METHODS, Attribution, ModelFn, Wanted, frozen, wanted_logits
from shortcut_audit.attribution.seeded import seeded
from shortcut_audit.config import ExplainConfig
from shortcut_audit.errors import UsageError


@METHODS.register("smoothgrad")
class SmoothGrad:
    """SmoothGrad: mean of the maps of ``explain.smoothed`` over noisy copies of the image (not complete)."""

    complete: ClassVar[bool] = False
    heeds: ClassVar[frozenset[str]] = frozenset()
    """Nothing itself; the method that it smooths does."""

    def explain(
        self, model: ModelFn, images: Tensor, wanted: Wanted, *, baselines: Tensor, config: ExplainConfig
    ) -> Attribution:
        """Explain some logits of some images; see :class:`~shortcut_audit.attribution.base.Method`.

        ``samples`` copies of an image with Gaussian noise of ``noise_sd``; its baselines stay as they are.

        Raises:
            UsageError: it is to smooth itself.
        """
        from captum.attr import NoiseTunnel

        if config.smoothed == config.method:
            raise UsageError("explain.smoothed: smoothgrad cannot smooth itself; name another method")
        found = []
        for image, target in zip(wanted.image.tolist(), wanted.target.tolist(), strict=True):
            inner = _as_captum(model, target, baselines[:, image], config)
            with seeded(config.seed):
                found.append(
                    NoiseTunnel(inner).attribute(
                        images[image, None], nt_type="smoothgrad", nt_samples=config.samples, stdevs=config.noise_sd
                    )
                )
        signed, absolute = torch.cat(found).unbind(1)
        with frozen(model):
            logits = wanted_logits(model, images, wanted, batch_size=config.batch_size)
        return Attribution(
            signed=signed.cpu().numpy(),
            absolute=absolute.cpu().numpy(),
            targets=wanted.target.cpu().numpy(),
            logit=logits.cpu().numpy(),
            delta=None,
            steps=None,
        )


def _as_captum(model: ModelFn, target: int, baselines: Tensor, config: ExplainConfig) -> Any:
    """Return one of our methods as an attribution of captum's, whose maps are (S,2,H,W): signed and absolute."""
    from captum.attr import Attribution as CaptumAttribution
    from captum.log import log_usage

    method = METHODS.get(config.smoothed)()

    class Ours(CaptumAttribution):  # type: ignore[misc, unused-ignore]
        @log_usage()  # type: ignore[untyped-decorator]  # the noise tunnel calls what this decorator wraps
        def attribute(self, copies: Tensor) -> Tensor:
            many = len(copies)
            wanted = Wanted(
                image=torch.arange(many, device=copies.device), target=torch.full((many,), target, device=copies.device)
            )
            found = method.explain(
                model, copies, wanted, baselines=baselines[:, None].expand(-1, many, *baselines.shape[1:]),
                config=config.model_copy(update={"method": config.smoothed}),
            )  # fmt: skip
            return torch.from_numpy(np.stack([found.signed, found.absolute], axis=1)).to(copies)

    return Ours(model)
