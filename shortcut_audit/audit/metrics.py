"""The one statistical primitive: AUROC with its influence per patient.

Every AUROC-type number of the audit (A_ij, gap, its two sides, interventional gap, paired difference)
is a linear combination of such AUROCs over one common patient index, so that values, covariances and
intervals of all of them come from the same few lines.

Sources: DeLong, DeLong and Clarke-Pearson 1988 (placements); Obuchowski 1997 (sums over clusters).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from shortcut_audit.shapes import Floats, Ints

Unit = Literal["patient", "image"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Sampling:
    """How N rows were drawn: which patient each belongs to, and its weight.

    ``clusters`` (N,) holds numbers 0 to P-1, ``weights`` (N,) are above 0; ``unit`` is ``image``
    where no patients are known and each image stands for itself.
    """

    clusters: Ints
    weights: Floats
    n_clusters: int
    unit: Unit


@dataclass(frozen=True, kw_only=True, eq=False)
class Auroc:
    """AUROC of some positives against some negatives, ties counting one half.

    Attributes:
        value: the AUROC, never folded at 0.5.
        influence: (P,), how much each patient moves the value; the sum of squares is the variance.
        df: Satterthwaite degrees of freedom; 0 where one side has a single patient.
        positives, negatives: rows used.
        smaller: patients of the class that has fewer.
    """

    value: float
    influence: Floats
    df: float
    positives: Ints
    negatives: Ints
    smaller: int

    @cached_property
    def variance(self) -> float:
        """Variance of the value over patients."""
        return float(self.influence @ self.influence)


def auroc(
    positives: Ints, negatives: Ints, sampling: Sampling, scores: Floats, negative_scores: Floats | None = None
) -> Auroc:
    """Estimate P(score of a positive > score of a negative) + P(equal) / 2 in O(n log n).

    The influence of patient k is the sum over its positives of w (V10 - A) / W1 plus the sum over its
    negatives of w (V01 - A) / W0 (V: placements, W: sums of weights). Each side is scaled by
    sqrt(g / (g - 1)), g its number of patients, so that one image a patient gives DeLong's variance.

    Args:
        positives: rows of the positives, at least one.
        negatives: rows of the negatives, at least one.
        sampling: patients and weights of all N rows.
        scores: (N,), read at ``positives`` and, unless ``negative_scores`` is given, at ``negatives``.
        negative_scores: (N,), where negatives are scored in another state (attribute off, say).
    """
    high, low = scores[positives], (scores if negative_scores is None else negative_scores)[negatives]
    high_weights, low_weights = sampling.weights[positives], sampling.weights[negatives]
    beaten = _placements(high, low, low_weights)
    beating = 1 - _placements(low, high, high_weights)
    value = float(np.clip(np.average(beaten, weights=high_weights), 0, 1))
    upper, upper_patients = _side(beaten - value, positives, sampling)
    lower, lower_patients = _side(beating - value, negatives, sampling)
    return Auroc(
        value=value,
        influence=upper + lower,
        df=_satterthwaite([float(upper @ upper), float(lower @ lower)], [upper_patients - 1, lower_patients - 1]),
        positives=positives,
        negatives=negatives,
        smaller=min(upper_patients, lower_patients),
    )


def pool(parts: Sequence[Auroc], shares: Sequence[float], sampling: Sampling) -> Auroc:
    """Average AUROCs of disjoint strata with fixed shares (summing to 1) into one."""
    variances = [share**2 * part.variance for share, part in zip(shares, parts, strict=True)]
    positives = np.concatenate([part.positives for part in parts])
    negatives = np.concatenate([part.negatives for part in parts])
    return Auroc(
        value=float(np.dot(shares, [part.value for part in parts])),
        influence=np.sum([share * part.influence for share, part in zip(shares, parts, strict=True)], axis=0),
        df=_satterthwaite(variances, [max(part.df, 1) for part in parts]),
        positives=positives,
        negatives=negatives,
        smaller=min(count_patients(positives, sampling), count_patients(negatives, sampling)),
    )


def count_patients(rows: Ints, sampling: Sampling) -> int:
    """Return how many patients the rows belong to."""
    return int(np.count_nonzero(np.bincount(sampling.clusters[rows], minlength=1)))


def _placements(scores: Floats, others: Floats, weights: Floats) -> Floats:
    """Return for each score the weighted share of ``others`` below it, ties one half."""
    order = np.argsort(others)
    others = others[order]
    total = np.concatenate([[0.0], np.cumsum(weights[order])])
    below, up_to = (total[np.searchsorted(others, scores, side=side)] for side in ("left", "right"))
    share: Floats = (below + up_to) / (2 * total[-1])
    return share


def _side(deviations: Floats, rows: Ints, sampling: Sampling) -> tuple[Floats, int]:
    """Sum the weighted deviations of one side by patient; return them (P,) and the number of patients."""
    weights, clusters = sampling.weights[rows], sampling.clusters[rows]
    sums = np.bincount(clusters, weights * deviations, minlength=sampling.n_clusters) / weights.sum()
    patients = count_patients(rows, sampling)
    return sums * np.sqrt(patients / max(patients - 1, 1)), patients


def _satterthwaite(variances: Sequence[float], dfs: Sequence[float]) -> float:
    """Return the degrees of freedom of a sum of independent variances (Satterthwaite 1946)."""
    if min(dfs) <= 0:
        return 0.0
    total = sum(variances)
    spread = sum(variance**2 / df for variance, df in zip(variances, dfs, strict=True))
    return total**2 / spread if spread > 0 else float(sum(dfs))
