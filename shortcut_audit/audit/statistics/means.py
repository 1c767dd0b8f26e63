"""Means over images with an interval that respects patients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from scipy.special import stdtrit

from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.statistics.estimate import clopper_pearson

Bounds = tuple[float, float]
SAME = 1e-12
"""Below this an interval has no width."""
ALIKE = "all images alike: Clopper-Pearson over patients"


def mean_metric(
    values: Sequence[float | None],
    patients: Sequence[str],
    labels: Sequence[int],
    *,
    model: str,
    finding: str,
    attribute: str,
    group: str,
    name: str,
    role: Literal["model", "control"] = "model",
    confidence: float = 0.95,
    bounds: Bounds = (-math.inf, math.inf),
) -> Metric:
    """Return the mean of a number that each image has, as a metric.

    The variance of the mean is that of the patients' summed deviations (a ratio estimator: patients
    have different numbers of images), with a t quantile on patients minus one.

    Args:
        values: (N,) a number an image; None where it is not defined, which is left out and counted.
        patients: (N,) whose image it is.
        labels: (N,) 1 or 0, only counted.
        model: whose number it is.
        finding: what it is about.
        attribute: what it is about, blank if nothing.
        group: which images.
        name: of the metric.
        role: ``control`` for what is printed to put others into proportion.
        confidence: of the interval.
        bounds: between which the number lies; an interval ends there. Where all images have the same number, and
            both bounds are known, the interval is what that many patients leave open.
    """
    defined = [row for row, value in enumerate(values) if value is not None]
    clusters = {patients[row] for row in defined}
    positives = sum(labels[row] == 1 for row in defined)
    head: dict[str, Any] = {
        "model": model, "finding": finding, "attribute": attribute, "group": group, "name": name, "role": role,
        "confidence": confidence, "n": len(defined), "n_pos": positives, "n_neg": len(defined) - positives,
        "n_patients": len(clusters),
    }  # fmt: skip
    if len(clusters) < 2:
        reason = f"{len(clusters)} patients have such a value; two are needed"
        return Metric(**head, value=None, low=None, high=None, method="none", reason=reason)
    numbers = np.array([values[row] for row in defined], dtype=float)
    mean = float(numbers.mean())
    order = {patient: place for place, patient in enumerate(sorted(clusters))}
    place = np.array([order[patients[row]] for row in defined])
    influence = np.bincount(place, weights=(numbers - mean) / len(numbers))
    groups = len(clusters)
    error = float(np.sqrt(groups / (groups - 1) * np.sum(influence**2)))
    half = float(stdtrit(groups - 1, 0.5 + confidence / 2)) * error
    if half < SAME and np.isfinite(bounds).all():
        below, above = all_alike(mean, groups, confidence, bounds)
        return Metric(**head, value=mean, low=mean - below, high=mean + above, method=ALIKE)
    low, high = max(mean - half, bounds[0]), min(mean + half, bounds[1])
    return Metric(**head, value=mean, low=low, high=high, method="clustered mean, t")


def all_alike(value: float, patients: int, confidence: float, bounds: Bounds) -> tuple[float, float]:
    """Return how far the limits lie from a mean that no image moves: what n patients leave open."""
    if bounds[0] < 0:
        open_ = clopper_pearson(0, patients, confidence)[1]
        return open_, open_
    low, high = clopper_pearson(value * patients, patients, confidence)
    return value - low, high - value
