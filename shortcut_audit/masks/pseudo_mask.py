"""Attributions cut into pseudo-masks.

Every constant is in :class:`~shortcut_audit.config.PseudoMaskConfig` and ends in the mask store.
A mask that would be empty is *unknown*: that the rule found nothing does not say nothing is there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from shortcut_audit.config import PseudoMaskConfig
from shortcut_audit.shapes import Floats, Heatmap, Mask


@dataclass(frozen=True, kw_only=True)
class PseudoMask:
    """Where an attribution says a finding is.

    Attributes:
        foreground: (H,W), the finding.
        known: (H,W), pixels on which the mask says anything; elsewhere foreground is False.
        threshold: smallest smoothed attribution the rule took, logits a pixel; None where it took none.
    """

    foreground: Mask
    known: Mask
    threshold: float | None


def pseudo_mask(heatmap: Heatmap, config: PseudoMaskConfig) -> PseudoMask:
    """Cut a signed attribution (H,W) into a mask: smooth, keep what is positive, cut, drop specks."""
    smooth = ndimage.gaussian_filter(heatmap.astype(np.float64), config.smooth_px)
    positive = np.maximum(smooth, 0.0)
    taken = _RULES[config.rule](positive, config.share)
    foreground = without_specks(taken, config.min_area_px)
    return PseudoMask(
        foreground=foreground,
        known=np.full(foreground.shape, foreground.any()),
        threshold=float(positive[taken].min()) if taken.any() else None,
    )


def smallest_set(values: Floats, share: float) -> Mask:
    """Return the smallest set of pixels that holds at least ``share`` of the sum of ``values`` >= 0.

    Of equal pixels the earlier one in reading order is taken first.
    """
    order = np.argsort(-values, axis=None, kind="stable")
    held = np.cumsum(values.ravel()[order])
    taken = np.zeros(values.shape, dtype=bool)
    if held[-1] > 0:
        count = int(np.searchsorted(held, share * held[-1])) + 1
        taken.ravel()[order[:count]] = True
    return taken


def above_quantile(values: Floats, share: float) -> Mask:
    """Return the pixels above the ``share`` quantile of all pixels of ``values``."""
    return values > np.quantile(values, share)


def without_specks(mask: Mask, min_area_px: int) -> Mask:
    """Return ``mask`` without its 8-connected components of fewer than ``min_area_px`` pixels."""
    labels, _ = ndimage.label(mask, structure=np.ones((3, 3)))
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    kept: Mask = (areas >= max(min_area_px, 1))[labels]
    return kept


_RULES = {"mass": smallest_set, "quantile": above_quantile}
