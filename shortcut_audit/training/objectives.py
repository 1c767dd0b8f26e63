"""Losses. All of them leave out what nobody knows: uncertain labels and unknown pixels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def label_loss(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Binary cross-entropy over known labels.

    Args:
        logits: (N, F).
        labels: (N, F), 1, 0 or NaN where the label is unknown.
        weights: (F,), weight of a positive.

    Returns:
        Mean over the known labels; zero, with gradient, where a batch has none.
    """
    known = ~torch.isnan(labels)
    target = torch.nan_to_num(labels)
    loss = functional.binary_cross_entropy_with_logits(logits.float(), target, reduction="none", pos_weight=weights)
    return (loss * known).sum() / known.sum().clamp_min(1)


def state_loss(outputs: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy over known labels of three classes: negative, positive, uncertain.

    U-MultiClass of Irvin et al. 2019, CheXpert.

    Args:
        outputs: (N, F, 3), in this order.
        labels: (N, F), 1, 0, -1 (uncertain) or NaN where the label is unknown.
        weights: (F,), weight of a positive.

    Returns:
        Mean over the known labels; zero, with gradient, where a batch has none.
    """
    known = ~torch.isnan(labels)
    target = torch.where(labels == -1, 2, torch.nan_to_num(labels)).long()
    loss = functional.cross_entropy(outputs.float().flatten(0, 1), target.flatten(), reduction="none").view_as(labels)
    return (torch.where(labels == 1, weights * loss, loss) * known).sum() / known.sum().clamp_min(1)


def mask_loss(
    logits: Tensor,
    masks: Tensor,
    known: Tensor,
    *,
    activation: str,
    positive_weight: float,
    background_weight: float,
    dice: bool,
) -> Tensor:
    """Weighted pixel cross-entropy plus, if asked for, one minus the soft Dice.

    Args:
        logits: (N, K, H, W), or (N, 1 + K, H, W) with ``softmax``, background first.
        masks: (N, K, H, W) in {0, 1}.
        known: (N, K, H, W) in {0, 1}; pixels that are not known count nowhere.
        activation: ``sigmoid`` or ``softmax``.
        positive_weight: weight of a foreground pixel.
        background_weight: weight of a background pixel in a film that has the class (0.1 in PSSL: pseudo-masks
            miss much). Where the mask of a film is empty, background is certain and weighs 1.
        dice: whether the Dice term is added.
    """
    logits = logits.float()
    if activation == "softmax":
        everywhere = known.amin(dim=1)
        target = torch.where(masks.any(dim=1), masks.argmax(dim=1) + 1, 0)
        pixel = functional.cross_entropy(logits, target, reduction="none")
        background = _background(masks.amax(dim=1, keepdim=True), background_weight).squeeze(1)
        emphasis = torch.where(target > 0, positive_weight, background) * everywhere
        loss = (pixel * emphasis).sum() / emphasis.sum().clamp_min(1e-6)
        probabilities = torch.softmax(logits, dim=1)[:, 1:]
    else:
        pixel = functional.binary_cross_entropy_with_logits(logits, masks, reduction="none")
        weight = known * (masks * positive_weight + (1 - masks) * _background(masks, background_weight))
        loss = (pixel * weight).sum() / weight.sum().clamp_min(1e-6)
        probabilities = torch.sigmoid(logits)
    return loss + soft_dice_loss(probabilities * known, masks * known) if dice else loss


def _background(masks: Tensor, weight: float) -> Tensor:
    """Return the weight of background, (N, K, 1, 1): 1 where the mask of a film is empty."""
    empty = masks.amax(dim=(2, 3), keepdim=True) == 0
    return torch.where(empty, 1.0, weight)


def soft_dice_loss(probabilities: Tensor, masks: Tensor) -> Tensor:
    """One minus the soft Dice, pooled over the batch for each class, averaged over classes.

    Pooling over the batch keeps films without the structure in: their false positives count.
    """
    overlap = 2 * (probabilities * masks).sum(dim=(0, 2, 3))
    total = probabilities.sum(dim=(0, 2, 3)) + masks.sum(dim=(0, 2, 3))
    return (1 - (overlap + 1.0) / (total + 1.0)).mean()
