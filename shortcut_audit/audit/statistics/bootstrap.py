"""Stratified patient bootstrap, fast enough for every statistic that takes weights of patients.

Patients are drawn with replacement, as many in each stratum as there are: patients that hold the same
classes (positives, negatives, both) are a stratum, so no replicate lacks a class. A replicate is a
number per patient, how often it was drawn. Scores are sorted once; a replicate's AUROC is one
cumulative sum over them.

Sources: Efron and Tibshirani 1993 (percentile interval); Hesterberg 2015 (its levels expanded for few
patients); Davison and Hinkley 1997, 3.8 (resampling whole clusters); Mandel and Betensky 2008 (percentile
intervals that hold together).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, pdtr, stdtrit

from shortcut_audit.audit.statistics.metrics import Sampling
from shortcut_audit.shapes import Bools, Floats, Ints

REPLICATES = 2000
SEED = 20220707
"""Fixed: the same table gives the same intervals."""
BLOCK = 2**18
"""Counts drawn at a time; these and their sums stay in the processor's cache."""
STEPS = 2**16
MARGIN = 6.0
"""Standard deviations between the Poisson total and the patients wanted."""
Counts = NDArray[np.uint8]
"""(B, P) how often each patient was drawn in each replicate."""
Statistic = Callable[[Counts], Floats]
"""From (B, P) counts, patients in the order of ``Resampling.columns``, to (B,); NaN where undefined."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Resampling:
    """How patients are drawn.

    Attributes:
        columns: (P,) the column of each patient in the counts, -1 where it is never drawn.
        sizes: patients of each stratum, in the order of the columns.
        replicates: how many samples are drawn.
        seed: of the draws; statistics with one seed see the same samples.
    """

    columns: Ints
    sizes: tuple[int, ...]
    replicates: int = REPLICATES
    seed: int = SEED

    @cached_property
    def patients(self) -> int:
        """Patients in a sample."""
        return sum(self.sizes)

    def blocks(self) -> Iterator[Counts]:
        """Yield the counts of all replicates, a few at a time."""
        rng = np.random.default_rng(self.seed)
        most = max(1, BLOCK // max(self.patients, 1))
        for start in range(0, self.replicates, most):
            rows = min(most, self.replicates - start)
            yield np.concatenate([_multinomial(rng, rows, size) for size in self.sizes], axis=1)


def resample(sampling: Sampling, codes: Ints, *, replicates: int = REPLICATES, seed: int = SEED) -> Resampling:
    """Plan a bootstrap of the patients that have a row used, stratified by which codes they hold.

    A stratum of one patient would never vary; it joins the largest.

    Args:
        sampling: patients of all N rows.
        codes: (N,) class (or cell) of each row, 0 to 61; -1 for rows not used. One code: no strata.
        replicates: how many samples.
        seed: of the draws.
    """
    used = codes >= 0
    held = np.zeros(sampling.n_clusters, dtype=np.int64)
    np.bitwise_or.at(held, sampling.clusters[used], np.left_shift(1, codes[used]))
    kinds, stratum, sizes = np.unique(held, return_inverse=True, return_counts=True)
    sizes = np.where(kinds == 0, 0, sizes)
    stratum = np.where(sizes[stratum] == 1, np.argmax(sizes), stratum)
    drawn = np.flatnonzero(held)
    columns = np.full(sampling.n_clusters, -1)
    columns[drawn[np.argsort(stratum[drawn], kind="stable")]] = np.arange(len(drawn))
    counts = np.bincount(stratum[drawn])
    return Resampling(columns=columns, sizes=tuple(counts[counts > 0].tolist()), replicates=replicates, seed=seed)


def _multinomial(rng: np.random.Generator, rows: int, size: int) -> Counts:
    """Draw ``size`` of ``size`` patients with replacement, ``rows`` times.

    Given their total, independent Poisson counts are multinomial. So a total of a little under ``size``
    is drawn as Poisson counts (in steps of 2^-16), which takes no sorting and no scattering, and what is
    missing is drawn patient by patient. A total above ``size`` (about once in 10^9) is drawn anew.
    """
    counts = _poisson(rng, rows, size, rate=1 - MARGIN / np.sqrt(size))
    missing = size - counts.sum(axis=1, dtype=np.int64)
    over = missing < 0
    counts[over], missing[over] = 0, size
    places = rng.integers(0, size, missing.sum()) + np.repeat(np.arange(rows) * size, missing)
    np.add.at(counts.reshape(-1), places, np.uint8(1))
    return counts


def _poisson(rng: np.random.Generator, rows: int, size: int, *, rate: float) -> Counts:
    counts = np.zeros((rows, size), dtype=np.uint8)
    if rate <= 0:
        return counts
    raw = rng.bit_generator.random_raw(-(-rows * size // 4))
    uniform = raw.view(np.uint16)[: rows * size].reshape(rows, size)
    thresholds = np.rint(STEPS * pdtr(np.arange(20), rate))
    for threshold in thresholds[thresholds < STEPS].astype(np.uint16):
        counts += (uniform >= threshold).view(np.uint8)
    return counts


def replicate(resampling: Resampling, statistics: Sequence[Statistic]) -> Floats:
    """Return (B, K) the statistics in each replicate; all of them see the same patients."""
    found = [np.stack([one(counts) for one in statistics], axis=1) for counts in resampling.blocks()]
    return np.concatenate(found)


def replicate_sums(resampling: Resampling, sums: Floats) -> Floats:
    """Return (B, K) sums over patients in each replicate, from (P, K) sums of each patient."""
    drawn = np.empty((resampling.patients, sums.shape[1]))
    taken = resampling.columns >= 0
    drawn[resampling.columns[taken]] = sums[taken]
    return np.concatenate([counts @ drawn for counts in resampling.blocks()])


def auroc_statistic(
    positives: Ints, negatives: Ints, sampling: Sampling, scores: Floats, resampling: Resampling
) -> Statistic:
    """Return the AUROC of some rows, ties one half, as a function of patient counts.

    The larger class is summed up along the scores; the sums are read off at the scores of the smaller one.
    """
    swapped = len(positives) > len(negatives)
    few, many = (negatives, positives) if swapped else (positives, negatives)
    few, many = (side[np.argsort(scores[side], kind="stable")] for side in (few, many))
    below, up_to = (np.searchsorted(scores[many], scores[few], side=side) for side in ("left", "right"))
    tied = bool((below != up_to).any())
    weigh_few, weigh_many = (_row_weights(side, sampling, resampling) for side in (few, many))

    def statistic(counts: Counts) -> Floats:
        weights = weigh_many(counts)
        kind = np.int64 if weights.dtype == np.uint8 else np.float64
        sums = np.zeros((len(counts), len(many) + 1), kind)
        np.cumsum(weights, axis=1, dtype=kind, out=sums[:, 1:])
        lower = np.take(sums, below, axis=1)
        beaten = (lower + np.take(sums, up_to, axis=1)) / 2 if tied else lower.astype(np.float64)
        chosen = weigh_few(counts).astype(np.float64)
        pairs = chosen.sum(axis=1) * sums[:, -1]
        won = np.einsum("ij,ij->i", beaten, chosen)
        share: Floats = np.divide(won, pairs, out=np.full(len(counts), np.nan), where=pairs > 0)
        return 1 - share if swapped else share

    return statistic


def share_statistic(rows: Ints, hits: Bools, sampling: Sampling, resampling: Resampling) -> Statistic:
    """Return the weighted share of some rows that are among ``hits`` (N,), as a function of patient counts."""
    columns, weights = resampling.columns[sampling.clusters[rows]], sampling.weights[rows]
    assert (columns >= 0).all(), "a row of a patient that is never drawn"
    sums = [np.bincount(columns, counted, resampling.patients) for counted in (weights * hits[rows], weights)]

    def statistic(counts: Counts) -> Floats:
        hit, whole = (counts @ np.stack(sums, axis=1)).T
        share: Floats = np.divide(hit, whole, out=np.full(len(counts), np.nan), where=whole > 0)
        return share

    return statistic


def _row_weights(rows: Ints, sampling: Sampling, resampling: Resampling) -> Callable[[Counts], NDArray[Any]]:
    """Return a function from counts (B, P) to weights (B, rows), whole numbers where weights are equal."""
    columns, weights = resampling.columns[sampling.clusters[rows]], sampling.weights[rows]
    assert (columns >= 0).all(), "a row of a patient that is never drawn"
    if np.ptp(weights) == 0:
        return lambda counts: np.take(counts, columns, axis=1)
    return lambda counts: np.take(counts, columns, axis=1) * weights


def percentile_limits(replicates: Floats, confidence: float, patients: int) -> tuple[float, float]:
    """Return the percentile interval of (B,) finite replicates, its levels expanded for few patients.

    Plain percentiles are too narrow by sqrt((n - 1) / n) and by z in place of t; the expanded tail is
    Phi(-sqrt(n / (n - 1)) t) with n - 1 degrees of freedom (Hesterberg 2015).

    Args:
        replicates: the statistic in each replicate.
        confidence: of the two-sided interval.
        patients: n, at least 2; those of the scarcer class where classes are compared.
    """
    quantile = np.sqrt(patients / (patients - 1)) * stdtrit(patients - 1, (1 + confidence) / 2)
    tail = float(ndtr(-quantile))
    low, high = np.quantile(replicates, [tail, 1 - tail])
    return float(low), float(high)


def joint_level(replicates: Floats, confidence: float) -> float:
    """Return the confidence of single percentile intervals at which all of them hold at once.

    A replicate lies as far out as its most extreme statistic, by the share of replicates at or beyond it; the
    tail that is left to each side is the one that a share ``confidence`` of the replicates does not enter.

    Args:
        replicates: (B, K) finite, a column each statistic.
        confidence: that all K intervals hold.
    """
    ordered, count = np.sort(replicates, axis=0), len(replicates)
    tails = [
        np.minimum(np.searchsorted(column, drawn, "right"), count - np.searchsorted(column, drawn, "left"))
        for column, drawn in zip(ordered.T, replicates.T, strict=True)
    ]
    tail = float(np.quantile(np.min(tails, axis=0), 1 - confidence)) / count
    return max(confidence, 1 - 2 * tail)
