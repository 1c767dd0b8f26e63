"""The interval of a number from its influence per patient, on a t quantile."""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit

from shortcut_audit.audit.statistics.estimate import ZERO_VARIANCE, Estimate, Tally, Undefined
from shortcut_audit.audit.statistics.metrics import Sampling, dot
from shortcut_audit.shapes import Floats, Ints


def by_patient(values: Floats, rows: Ints, sampling: Sampling) -> Floats:
    """Return (P,) the sums over each patient's rows of ``values`` (M,), which belong to ``rows`` (M,)."""
    return np.bincount(sampling.clusters[rows], values, minlength=sampling.n_clusters).astype(np.float64)


def linearised(
    value: float, influence: Floats, *, df: float, tally: Tally, sampling: Sampling, confidence: float
) -> Estimate | Undefined:
    """Return a number with value plus or minus t times the root of the sum of squares.

    Args:
        value: the number.
        influence: (P,) how much each patient moves it.
        df: degrees of freedom of the t quantile.
        tally: images and patients that it rests on.
        sampling: whose patients these are.
        confidence: of the interval.
    """
    variance = dot(influence, influence)
    if df <= 0:
        return Undefined(reason="too few patients to tell how much they vary", tally=tally)
    if variance < ZERO_VARIANCE:
        return Undefined(reason="no patient moves it, so it has no interval", tally=tally)
    half = float(stdtrit(df, (1 + confidence) / 2)) * float(np.sqrt(variance))
    return Estimate(
        value=value, low=value - half, high=value + half, confidence=confidence, tally=tally,
        method=f"{sampling.clustering}, linearised, t",
    )  # fmt: skip
