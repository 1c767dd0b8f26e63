"""Means over images with an interval that respects patients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from scipy.special import stdtrit

from shortcut_audit.audit.result.numbers import Metric


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
    return Metric(**head, value=mean, low=mean - half, high=mean + half, method="clustered mean, t")
