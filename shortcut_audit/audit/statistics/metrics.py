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
UNSEEN = 0.5
"""Patients of the smaller class that an AUROC may lack (Anscombe's half)."""
GAPS = 8
"""Ranks are counted, not sorted, where there are at most so many for each row."""


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

    @property
    def clustering(self) -> str:
        """What an interval takes to be independent, in the words of ``method``."""
        return "clustered by patient" if self.unit == "patient" else "each image its own cluster"


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranking:
    """(N,) scores and their ranks (see :func:`dense_ranks`)."""

    scores: Floats
    ranks: Ints


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """A number from 0 to 1 with its influence per patient: an AUROC or a proportion.

    Attributes:
        value: the number.
        influence: (P,), how much each patient moves the value; the sum of squares is the variance.
        df: degrees of freedom of the variance; 0 where it rests on a single patient.
        smaller: patients it rests on; of an AUROC those of the class that has fewer.
        unseen: patients among these that its interval reckons with beside those seen, placed anywhere from 0 to 1.
    """

    value: float
    influence: Floats
    df: float
    smaller: int
    unseen: float = 0.0

    @cached_property
    def variance(self) -> float:
        """Variance of the value over patients."""
        return dot(self.influence, self.influence)

    @property
    def middle(self) -> float:
        """The value with the unseen patients, whose mean is one half: the middle of the interval."""
        return (self.smaller * self.value + self.unseen / 2) / (self.smaller + self.unseen)

    @property
    def spread(self) -> float:
        """Variance of the middle, to which an unseen patient adds 1/12 about one half."""
        placed = self.unseen * (1 / 12 + (self.value - 0.5) ** 2)
        return (self.smaller**2 * self.variance + placed) / (self.smaller + self.unseen) ** 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Auroc(Part):
    """AUROC of some positives against some negatives, ties counting one half; never folded at 0.5.

    ``positives`` and ``negatives`` are the rows used, ``df`` Satterthwaite's degrees of freedom.
    """

    positives: Ints
    negatives: Ints
    unseen: float = UNSEEN


def auroc(
    positives: Ints, negatives: Ints, sampling: Sampling, scores: Floats | Ints, negative_scores: Floats | None = None
) -> Auroc:
    """Estimate P(score of a positive > score of a negative) + P(equal) / 2 in O(n log n).

    The influence of patient k is the sum over its positives of w (V10 - A) / W1 plus the sum over its
    negatives of w (V01 - A) / W0 (V: placements, W: sums of weights). Each side is scaled by
    sqrt(g / (g - 1)), g its number of patients, so that one image a patient gives DeLong's variance.

    Args:
        positives: rows of the positives, at least one.
        negatives: rows of the negatives, at least one.
        sampling: patients and weights of all N rows.
        scores: (N,), read at ``positives`` and, unless ``negative_scores`` is given, at ``negatives``; ranks of
            the scores give the same without a sort.
        negative_scores: (N,), where negatives are scored in another state (attribute off, say).
    """
    high, low = scores[positives], (scores if negative_scores is None else negative_scores)[negatives]
    high_weights, low_weights = sampling.weights[positives], sampling.weights[negatives]
    beaten, beating = placements(high, low, high_weights, low_weights)
    value = float(np.clip(np.average(beaten, weights=high_weights), 0, 1))
    upper, upper_patients = patient_sums(beaten - value, positives, sampling)
    lower, lower_patients = patient_sums(beating - value, negatives, sampling)
    return Auroc(
        value=value,
        influence=upper + lower,
        df=satterthwaite([dot(upper, upper), dot(lower, lower)], [upper_patients - 1, lower_patients - 1]),
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
        value=float(np.clip(np.dot(shares, [part.value for part in parts]), 0, 1)),
        influence=np.sum([share * part.influence for share, part in zip(shares, parts, strict=True)], axis=0),
        df=satterthwaite(variances, [max(part.df, 1) for part in parts]),
        positives=positives,
        negatives=negatives,
        smaller=min(count_patients(positives, sampling), count_patients(negatives, sampling)),
    )


def count_patients(rows: Ints, sampling: Sampling) -> int:
    """Return how many patients the rows belong to."""
    return count_distinct(sampling.clusters[rows])


def count_distinct(codes: Ints) -> int:
    """Return how many different numbers there are among codes 0, 1, ...; without a sort."""
    if not len(codes):
        return 0
    seen = np.zeros(int(codes.max()) + 1, dtype=bool)
    seen[codes] = True
    return int(np.count_nonzero(seen))


def dot(one: Floats, other: Floats) -> float:
    """Return the inner product. Not by BLAS, whose threads cost more than sums over patients are worth."""
    return float(np.einsum("p,p->", one, other))


def placements(
    high: Floats | Ints, low: Floats | Ints, high_weights: Floats, low_weights: Floats
) -> tuple[Floats, Floats]:  # fmt: skip
    """Return which weighted share of ``low`` each of ``high`` beats, and of ``high`` beats each of ``low``.

    Ties count one half. One sort of both together gives every score its dense rank; the rest are counts.
    """
    ranks, distinct = dense_ranks(np.concatenate([high, low]))
    high_ranks, low_ranks = np.split(ranks, [len(high)])
    beaten = _share_below(low_ranks, low_weights, distinct)[high_ranks]
    return beaten, 1 - _share_below(high_ranks, high_weights, distinct)[low_ranks]


def dense_ranks(scores: Floats | Ints) -> tuple[Ints, int]:
    """Return (N,) the rank of each score, 0, 1, ..., equal scores alike, and how many ranks there are.

    Ranks that :func:`dense_ranks` gave to more rows than these stay as they are, which needs no sort: some
    ranks then have no row. Where they are few among many, sorting them is the shorter way.
    """
    if not len(scores):
        return np.zeros(0, dtype=np.int64), 0
    if scores.dtype == np.int64 and scores.min() >= 0 and scores.max() < GAPS * len(scores):
        return scores.astype(np.int64, copy=False), int(scores.max()) + 1
    order = np.argsort(scores)
    ranked = scores[order]
    ranks = np.empty(len(scores), dtype=np.int64)
    ranks[order] = np.cumsum(np.concatenate([[0], ranked[1:] != ranked[:-1]]))
    return ranks, int(ranks[order[-1]]) + 1


def mid_ranks(scores: Floats) -> Floats:
    """Return (N,) the rank of each score, from 1; equal scores share the mean of their ranks."""
    ranks, distinct = dense_ranks(scores)
    counts = np.bincount(ranks, minlength=distinct)
    means: Floats = (np.cumsum(counts) - (counts - 1) / 2)[ranks]
    return means


def _share_below(ranks: Ints, weights: Floats, distinct: int) -> Floats:
    """Return for each rank, 0 to ``distinct`` - 1, the weighted share of ``ranks`` below it, equals one half."""
    at = np.bincount(ranks, weights, minlength=distinct)
    up_to = np.cumsum(at)
    share: Floats = (up_to - at / 2) / up_to[-1]
    return share


def patient_sums(deviations: Floats, rows: Ints, sampling: Sampling) -> tuple[Floats, int]:
    """Return (P,) the influence of each patient on a weighted mean over ``rows``, and the number of patients.

    Args:
        deviations: each row's number less the mean.
        rows: numbers of the rows.
        sampling: patients and weights of all N rows.
    """
    weights, clusters = sampling.weights[rows], sampling.clusters[rows]
    sums = np.bincount(clusters, weights * deviations, minlength=sampling.n_clusters) / weights.sum()
    patients = count_patients(rows, sampling)
    return sums * np.sqrt(patients / max(patients - 1, 1)), patients


def satterthwaite(variances: Sequence[float], dfs: Sequence[float]) -> float:
    """Return the degrees of freedom of a sum of independent variances (Satterthwaite 1946)."""
    if min(dfs) <= 0:
        return 0.0
    total = sum(variances)
    spread = sum(variance**2 / df for variance, df in zip(variances, dfs, strict=True))
    return total**2 / spread if spread > 0 else float(sum(dfs))
