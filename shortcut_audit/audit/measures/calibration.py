"""How far probabilities are from the shares of positives: Brier score and calibration error.

The plain expected calibration error is biased upwards: in every bin noise alone sets the share of positives
apart from the mean score. Here the squared distance of each bin is reduced by its own sampling variance
(Kumar, Liang and Ma 2019, whose variance is binomial; ours sums over patients). ``ece`` is the root, on bins
of equal mass. Bins hide what differs within them, so it is a lower bound of the error.

Patients are resampled without strata: how many positives there are is part of what calibration is about.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shortcut_audit.audit.statistics.bootstrap import REPLICATES, SEED, Resampling, percentile_limits, replicate_sums
from shortcut_audit.audit.statistics.estimate import Estimate, Limits, Tally, clopper_pearson
from shortcut_audit.audit.statistics.metrics import Sampling, Unit, count_distinct, dense_ranks
from shortcut_audit.shapes import Bools, Floats, Ints

BINS = 15
LEAST_A_BIN = 20
"""Patients that a bin should hold on average; with fewer patients there are fewer bins."""
MOST_UNITS = 1000
"""More patients than this are resampled in so many groups put together at random. Sums over such groups vary
as much as sums over patients do, and time no longer grows with the patients."""
NO_WIDTH = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class Forecasts:
    """Probabilities beside what came true.

    Attributes:
        score: (N,) in [0, 1].
        label: (N,).
        weights: (N,) above 0.
        units: (N,) the patient, or group of patients, of each row, 0 to G - 1.
        patients: how many patients there are.
        unit: ``image`` where no patients are known and each image stands for one.
    """

    score: Floats
    label: Bools
    weights: Floats
    units: Ints
    patients: int
    unit: Unit

    @property
    def n_units(self) -> int:
        """What is resampled: patients, or groups of them."""
        return min(self.patients, MOST_UNITS)


def forecasts(rows: Bools, score: Floats, label: Bools, sampling: Sampling) -> Forecasts:
    """Cut the rows asked about out of (N,) arrays; there must be some."""
    _, patient = np.unique(sampling.clusters[rows], return_inverse=True)
    patients = count_distinct(patient)
    units = patient if patients <= MOST_UNITS else np.random.default_rng(SEED).permutation(patients)[patient]
    return Forecasts(
        score=score[rows], label=label[rows], weights=sampling.weights[rows], units=units % MOST_UNITS,
        patients=patients, unit=sampling.unit,
    )  # fmt: skip


def brier(found: Forecasts, confidence: float, tally: Tally) -> Estimate:
    """Return the weighted mean of (score - label)^2 with a percentile interval."""
    losses = (found.score - found.label) ** 2
    value = float(np.average(losses, weights=found.weights))
    sums = np.stack([_by_unit(found, found.weights * losses), _by_unit(found, found.weights)], axis=1)
    drawn = _replicates(found, sums)
    low, high = percentile_limits(drawn[:, 0] / drawn[:, 1], confidence, found.n_units)
    return _estimate(value, (low, high), found, confidence, tally, "percentile")


def ece(found: Forecasts, confidence: float, tally: Tally) -> Estimate:
    """Return the root of the squared calibration error less what chance adds, with a bootstrap interval.

    T = sum over bins of p (d^2 - V): p the bin's share, d its mean of label - score, V the variance of d over
    patients. The squares of replicates lie too high by V once more; each replicate is therefore reduced by
    twice the sum of p V before percentiles are taken, and the limits are cut at 0.
    """
    bins = equal_mass_bins(found)
    n_bins = int(bins.max()) + 1
    weight = _by_unit_and_bin(found, bins, found.weights)
    excess = _by_unit_and_bin(found, bins, found.weights * (found.label - found.score))
    plain, noise = _squared_error(weight, excess)
    drawn = _replicates(found, np.concatenate([weight, excess], axis=1))
    shifts = _plain(drawn[:, :n_bins], drawn[:, n_bins:]) - noise - plain
    value = max(plain - noise, 0.0)
    below, above = percentile_limits(shifts, confidence, found.n_units)
    # Added to the estimate as it is cut at 0: the upper limit never reaches 0.
    low, high = (float(np.sqrt(np.clip(limit, 0, 1))) for limit in (plain - noise + below, value + above))
    method = f"{n_bins} bins of equal mass, less chance, percentile"
    return _estimate(float(np.sqrt(value)), (low, high), found, confidence, tally, method)


def equal_mass_bins(found: Forecasts) -> Ints:
    """Return (N,) the bin of each row, 0, 1, ...: equal scores together, about equally many rows in each.

    A bin of fewer than half of ``LEAST_A_BIN`` patients is joined to its neighbour.
    """
    wanted = int(np.clip(found.patients // LEAST_A_BIN, 1, BINS))
    rank, _ = dense_ranks(found.score)
    rows = np.bincount(rank)
    middle = (np.cumsum(rows) - rows / 2) / rows.sum()
    bins = np.floor(wanted * middle).astype(np.int64)[rank]
    held = [count_distinct(found.units[bins == one]) for one in range(wanted)]
    joined, current, patients = np.zeros(wanted, dtype=np.int64), 0, 0
    for one, more in enumerate(held):
        if patients >= LEAST_A_BIN / 2 and sum(held[one:]) >= LEAST_A_BIN / 2:
            current, patients = current + 1, 0
        joined[one] = current
        patients += more
    result: Ints = joined[bins]
    return result


def _squared_error(weight: Floats, excess: Floats) -> tuple[float, float]:
    """Return sum of p d^2 and sum of p V, from (G, K) sums of units by bin."""
    total = weight.sum(axis=0)
    distance = excess.sum(axis=0) / total
    units = (weight > 0).sum(axis=0)
    variance = ((excess - weight * distance) ** 2).sum(axis=0) / total**2 * units / np.maximum(units - 1, 1)
    share = total / total.sum()
    return float(share @ distance**2), float(share @ variance)


def _plain(weight: Floats, excess: Floats) -> Floats:
    """Return (B,) sum of p d^2 from (B, K) sums by bin; an empty bin counts nothing."""
    squares = np.divide(excess**2, weight, out=np.zeros_like(excess), where=weight > 0)
    plain: Floats = squares.sum(axis=1) / weight.sum(axis=1)
    return plain


def _by_unit(found: Forecasts, numbers: Floats) -> Floats:
    return np.asarray(np.bincount(found.units, numbers, minlength=found.n_units), dtype=np.float64)


def _by_unit_and_bin(found: Forecasts, bins: Ints, numbers: Floats) -> Floats:
    n_bins = int(bins.max()) + 1
    place = found.units * n_bins + bins
    sums = np.asarray(np.bincount(place, numbers, minlength=found.n_units * n_bins), dtype=np.float64)
    return sums.reshape(found.n_units, n_bins)


def _replicates(found: Forecasts, sums: Floats) -> Floats:
    return replicate_sums(Resampling(columns=np.arange(found.n_units), sizes=(found.n_units,)), sums)


def _estimate(
    value: float, limits: Limits, found: Forecasts, confidence: float, tally: Tally, method: str
) -> Estimate:  # fmt: skip
    low, high = min(limits[0], value), max(limits[1], value)
    if high - low < NO_WIDTH:
        # No patient differs from another: what 0 of n patients leaves open.
        open_ = clopper_pearson(0, found.patients, confidence)[1]
        low, high = value * (1 - open_), value + open_ * (1 - value)
    return Estimate(
        value=value, low=low, high=high, confidence=confidence, tally=tally,
        method=f"bootstrap of {found.unit}s, {REPLICATES} replicates, {method}",
    )  # fmt: skip
