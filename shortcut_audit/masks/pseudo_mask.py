"""Attributions cut into pseudo-masks.

Every constant is in :class:`~shortcut_audit.config.PseudoMaskConfig` and ends in the mask store.
A mask that would be empty is *unknown*: that the rule found nothing does not say nothing is there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from shortcut_audit.config import PseudoMaskConfig
from shortcut_audit.masks.rules import RULES
from shortcut_audit.shapes import Floats, Heatmap, Mask

FLAT = 1e-9
"""A map whose values differ by less than this part of the largest says nothing about where."""


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


def pseudo_mask(heatmap: Heatmap, config: PseudoMaskConfig, *, score: float | None = None) -> PseudoMask:
    """Cut a signed attribution (H,W) into a mask: smooth, keep what is positive, cut, drop specks.

    Where the score is below ``config.min_score`` or the map is flat, the mask knows nothing.
    """
    positive = np.maximum(ndimage.gaussian_filter(heatmap.astype(np.float64), config.smooth_px), 0.0)
    gated = score is not None and score < config.min_score
    if gated or positive.max() - positive.min() <= FLAT * positive.max():
        nothing = np.zeros(heatmap.shape, dtype=bool)
        return PseudoMask(foreground=nothing, known=nothing, threshold=None)
    # A pixel of no attribution is never taken, however far down a constant reaches.
    taken = RULES.get(config.rule).take(positive, config) & (positive > 0)
    foreground = without_specks(taken, config.min_area_px)
    threshold = float(positive[taken].min()) if taken.any() else None
    return PseudoMask(foreground=foreground, known=_known(positive, foreground, threshold, config), threshold=threshold)


def _known(positive: Floats, foreground: Mask, threshold: float | None, config: PseudoMaskConfig) -> Mask:
    """Return where the mask says anything: nowhere if it is empty, else all but the band of doubt."""
    if threshold is None or not foreground.any():
        return np.zeros(foreground.shape, dtype=bool)
    if config.ignore_from is None:
        return np.ones(foreground.shape, dtype=bool)
    known: Mask = foreground | (positive < config.ignore_from * threshold)
    return known


def without_specks(mask: Mask, min_area_px: int) -> Mask:
    """Return ``mask`` without its 8-connected components of fewer than ``min_area_px`` pixels."""
    labels, _ = ndimage.label(mask, structure=np.ones((3, 3)))
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    kept: Mask = (areas >= max(min_area_px, 1))[labels]
    return kept
