"""How well heatmaps and masks agree: shares, the pointing game, overlap.

A number that is not defined is None: an empty region has no hit, no overlap and no enrichment.
(A peer's library stored such a None in a boolean array, where it became a hit.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from shortcut_audit.shapes import Heatmap, Mask


@dataclass(frozen=True, kw_only=True)
class RegionShare:
    """How much of one image's absolute attribution lies in a region.

    Attributes:
        share: part of the absolute attribution inside, 0 to 1; None with a reason.
        area: part of the image's pixels inside, 0 to 1; None where the region is not known.
        enrichment: share / area: 1 says "as much as its area"; None with a reason.
        reason: why a number is None.
    """

    share: float | None
    area: float | None
    enrichment: float | None
    reason: str | None


def saliency_shares(
    absolute: Sequence[Heatmap], regions: Mapping[str, Sequence[Mask | None]]
) -> dict[str, list[RegionShare]]:
    """Return for every region and image how much attribution it holds.

    An enrichment is to be read beside that of a matched device and of randomised weights: an
    area-matched null alone reads 1.1 to 2.1 for random weights on thin bright devices.

    Args:
        absolute: N maps (H,W) of absolute attribution.
        regions: name to N masks (H,W), of a finding or of an attribute's footprint; None where an
            image has none that is known.
    """
    return {
        name: [saliency_share(heatmap, mask) for heatmap, mask in zip(absolute, masks, strict=True)]
        for name, masks in regions.items()
    }


def saliency_share(absolute: Heatmap, region: Mask | None) -> RegionShare:
    """Return how much of one map of absolute attribution (H,W) lies in ``region`` (H,W)."""
    if region is None:
        return RegionShare(share=None, area=None, enrichment=None, reason="the region is not known")
    area = float(region.mean())
    total = float(absolute.sum(dtype=np.float64))
    if total == 0:
        return RegionShare(share=None, area=area, enrichment=None, reason="the attribution is zero everywhere")
    share = float(absolute[region].sum(dtype=np.float64)) / total
    if area == 0:
        return RegionShare(share=share, area=area, enrichment=None, reason="the region is empty")
    return RegionShare(share=share, area=area, enrichment=share / area, reason=None)


def pointing_game(heatmap: Heatmap, reference: Mask) -> bool | None:
    """Return whether the first maximum (in reading order) lies in ``reference``; None if that is empty.

    Zhang et al. 2018, with no tolerance around the reference; CheXlocalize calls it hit rate.
    """
    if not reference.any():
        return None
    return bool(reference.ravel()[np.argmax(heatmap)])


def iou(mask: Mask, reference: Mask) -> float | None:
    """Return intersection over union; None where both masks are empty."""
    union = np.count_nonzero(mask | reference)
    return np.count_nonzero(mask & reference) / union if union else None


def dice(mask: Mask, reference: Mask) -> float | None:
    """Return twice the intersection over the sum of areas; None where both masks are empty."""
    areas = np.count_nonzero(mask) + np.count_nonzero(reference)
    return 2 * np.count_nonzero(mask & reference) / areas if areas else None
