"""Train a classifier from image labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from shortcut_audit.config import ClassifierConfig, ImageConfig
from shortcut_audit.models.card import ClassifierCard
from shortcut_audit.models.classifier import Classifier, Outputs, build_classifier, predict_scores
from shortcut_audit.shapes import Bytes8, Floats
from shortcut_audit.training.loop import Schedule, fit
from shortcut_audit.training.objectives import label_loss, state_loss

MIN_STD = 1e-3


def pixel_statistics(stored: Bytes8) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation of pixels (N, C, H, W) uint8, a channel each, in [0, 1]."""
    sample = stored[:: max(1, len(stored) // 500)].astype(np.float64) / 255
    std = np.maximum(sample.std(axis=(0, 2, 3)), MIN_STD)
    return tuple(map(float, sample.mean(axis=(0, 2, 3)))), tuple(map(float, std))


def mean_auroc(labels: Floats, scores: Floats) -> float | None:
    """Return the mean over findings of the AUROC; None where no finding has both classes.

    Labels (N, F) with NaN for unknown, scores (N, F). This is the checkpoint rule of every model.
    """
    from sklearn.metrics import roc_auc_score

    values = []
    for column in range(labels.shape[1]):
        known = ~np.isnan(labels[:, column])
        if len(np.unique(labels[known, column])) == 2:
            values.append(roc_auc_score(labels[known, column], scores[known, column]))
    return float(np.mean(values)) if values else None


def train_classifier(
    *,
    train: tuple[Bytes8, Floats],
    val: tuple[Bytes8, Floats],
    ids: Sequence[str],
    findings: tuple[str, ...],
    config: ClassifierConfig,
    image: ImageConfig,
    seed: int,
    trained_on: str,
    uncertain: bool = False,
) -> Classifier:
    """Train on (pixels (N, C, S, S) uint8, labels (N, F) with NaN for unknown), whose sample ids are ``ids`` (N,).

    The epoch with the best validation AUROC is kept. ``seed`` decides initialisation, and with the sample ids order
    and flips. ``uncertain``: -1 among the training labels is a class of its own, for which the network has outputs.
    """
    torch.manual_seed(seed)
    stored, labels = train
    mean, std = pixel_statistics(stored)
    card = ClassifierCard(
        architecture=config.architecture, findings=findings, channels=image.channels, size=image.size,
        mean=mean, std=std, seed=seed, trained_on=trained_on, supervision="image labels",
        outputs=3 if uncertain else 1,
    )  # fmt: skip
    classifier = build_classifier(card, weights=config.weights)
    weights = torch.from_numpy(_positive_weights(labels, config)).float()
    objective = state_loss if uncertain else label_loss
    val_pixels = torch.from_numpy(val[0])
    fitted = fit(
        Outputs(classifier) if uncertain else classifier,
        torch.from_numpy(stored),
        [torch.from_numpy(labels).float()],
        ids=ids,
        loss=lambda found, target: objective(found, target, weights.to(found.device)),
        validate=lambda: mean_auroc(val[1], predict_scores(classifier, val_pixels).double().numpy()),
        schedule=Schedule.of(config, epochs=config.epochs, seed=seed),
        what="Training the classifier on image labels",
    )  # fmt: skip
    classifier.card = card.model_copy(update={"history": fitted.history, "chosen": fitted.chosen})
    return classifier


def _positive_weights(labels: Floats, config: ClassifierConfig) -> Floats:
    """Return the weight of a positive for each finding; 1 where one class is absent."""
    if config.class_weights == "none":
        return np.ones(labels.shape[1])
    positives, negatives = np.nansum(labels == 1, axis=0), np.nansum(labels == 0, axis=0)
    ratio = np.where(positives > 0, negatives / np.maximum(positives, 1), 1.0)
    return np.clip(np.where(negatives > 0, ratio, 1.0), 1 / config.max_class_weight, config.max_class_weight)
