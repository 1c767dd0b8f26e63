"""AUPRC at a given prevalence, with its influence per patient.

Precision depends on how common the finding is, so AUPRCs of groups can be compared only at one prevalence.
It is average precision (the step curve, no interpolation: Davis and Goadrich 2006), written with the
true-positive rate u and the false-positive rate v of each threshold,

    AP = mean over positives of g(u, v),   g = q u / (q u + (1 - q) v)   with q the prevalence,

which at the rows' own prevalence is what is usually printed. Interval on the logit scale (Boyd, Eng and
Page 2013), from the influence function of this mean.
"""

from __future__ import annotations

import numpy as np

from shortcut_audit.audit.statistics.metrics import Part, Sampling, dense_ranks, dot, patient_sums, satterthwaite
from shortcut_audit.shapes import Floats, Ints


def average_precision(
    positives: Ints, negatives: Ints, sampling: Sampling, scores: Floats | Ints, prevalence: float
) -> Part:  # fmt: skip
    """Estimate the average precision at a prevalence in O(n log n).

    A positive with score s moves AP by g at its own threshold and by dg/du at every threshold up to s, a
    negative by dg/dv at every threshold up to s. Sums over patients as for the AUROC (``audit/statistics/metrics.py``).

    Args:
        positives: rows of the positives, at least one.
        negatives: rows of the negatives, at least one.
        sampling: patients and weights of all N rows.
        scores: (N,), or their ranks.
        prevalence: between 0 and 1.
    """
    rows = np.concatenate([positives, negatives])
    ranks, size = dense_ranks(scores[rows])
    upper, lower = np.split(ranks, [len(positives)])
    u_step, v_step = (
        np.bincount(side, weights, minlength=size) / weights.sum()
        for side, weights in ((upper, sampling.weights[positives]), (lower, sampling.weights[negatives]))
    )
    u, v = (np.cumsum(step[::-1])[::-1] for step in (u_step, v_step))
    reached = u_step > 0
    flagged = np.where(reached, prevalence * u + (1 - prevalence) * v, 1.0)
    precision = prevalence * u / flagged
    value = float(np.clip(u_step @ precision, 0, 1))
    slope = prevalence * (1 - prevalence) * u_step / flagged**2
    by_u, by_v = np.cumsum(slope * v), -np.cumsum(slope * u)
    high, high_patients = patient_sums(
        precision[upper] - value + by_u[upper] - float(slope @ (v * u)), positives, sampling
    )
    low, low_patients = patient_sums(by_v[lower] + float(slope @ (u * v)), negatives, sampling)
    return Part(
        value=value,
        influence=high + low,
        df=satterthwaite([dot(high, high), dot(low, low)], [high_patients - 1, low_patients - 1]),
        smaller=min(high_patients, low_patients),
    )
