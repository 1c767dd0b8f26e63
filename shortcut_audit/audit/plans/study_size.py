"""How many patients a study needs before there is a score: for a gap, and for reliance with exact pairs.

The variance of an AUROC is that of Hanley and McNeil (1982), with m positives and n negatives
(A (1 - A) + (m - 1)(Q1 - A^2) + (n - 1)(Q2 - A^2)) / (m n), Q1 = A / (2 - A), Q2 = 2 A^2 / (1 + A).
One image a patient. An order of magnitude that a simulation agrees with, not a study plan.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from scipy.special import ndtri

from shortcut_audit.audit.plans.planning import POWER

Cell = tuple[int, int]
"""Label, attribute."""
CELLS: tuple[Cell, ...] = ((1, 1), (1, 0), (0, 1), (0, 0))
EQUAL: Mapping[Cell, float] = dict.fromkeys(CELLS, 0.25)
FACTORS = (2, 3)
"""A gap that is to be found is planned for as so many margins."""
MOST = 10**8
"""Patients in all at which the search ends."""
ROUNDING = 1e-6
"""A patient's fraction under this is an error of the computer's."""
HIGHEST = 0.99
"""An AUROC above this is planned for as this: its variance would vanish."""


@dataclass(frozen=True, kw_only=True)
class Design:
    """What a study is planned for.

    Attributes:
        gap: the margin of gap and reliance.
        auroc: expected of every pair of cells; where there is a gap, that of the aligned pair.
        pair_correlation: between an image's two scores, within a label, for the reliance of exact pairs.
        confidence: of every interval.
        rows: models x findings x attributes asked about at once (Holm's first step).
        least: images that a PASS needs in every cell.
    """

    gap: float
    auroc: float
    pair_correlation: float
    confidence: float
    rows: int
    least: int


@dataclass(frozen=True, kw_only=True)
class Need:
    """Patients that one answer takes, by cell; ``cells`` is None where ``MOST`` in all are not enough."""

    answer: str
    cells: Mapping[Cell, int] | None

    @property
    def total(self) -> int | None:
        """Patients in all cells."""
        return None if self.cells is None else sum(self.cells.values())


def needs_of(design: Design, shares: Mapping[Cell, float]) -> list[Need]:
    """Return what each answer takes; no gap is planned for that would leave no robust AUROC above 0.

    Args:
        design: what is planned for.
        shares: of the patients in each cell, above 0, together 1.
    """
    margin = f"{design.gap:g}"
    found = [Need(answer=f"gap WITHIN {margin}, if there is none", cells=_cells(design, shares, _within(design)))]
    for factor in FACTORS:
        gap = factor * design.gap
        if gap >= design.auroc:
            continue
        answer = f"gap BEYOND {margin}, if it is {gap:g}"
        found.append(Need(answer=answer, cells=_cells(design, shares, _beyond(design, gap))))
    answer = f"reliance EXCLUDED beyond {margin} (exact pairs), if there is none"
    return [*found, Need(answer=answer, cells=_cells(design, shares, _excluded(design)))]


def shares_of_rates(prevalence: float, given_finding: float, given_none: float) -> dict[Cell, float]:
    """Return the share of patients in each cell from prevalence and the attribute's rates."""
    return {
        (1, 1): prevalence * given_finding, (1, 0): prevalence * (1 - given_finding),
        (0, 1): (1 - prevalence) * given_none, (0, 0): (1 - prevalence) * (1 - given_none),
    }  # fmt: skip


Sizes = Mapping[Cell, float]
Enough = Callable[[Sizes], bool]


def _cells(design: Design, shares: Mapping[Cell, float], enough: Enough) -> dict[Cell, int] | None:
    """Return the patients in each cell of the smallest study that is enough (bisection over its total), if any is."""

    def fits(total: int) -> bool:
        sizes = {cell: total * share for cell, share in shares.items()}
        return min(sizes.values()) >= design.least and enough(sizes)

    low, high = 0, MOST
    if not fits(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return {cell: math.ceil(high * share - ROUNDING) for cell, share in shares.items()}


def _within(design: Design) -> Enough:
    """Both limits must hold, so each gets half of the failures."""
    quantiles = _quantile((1 + design.confidence) / 2) + _quantile((1 + POWER) / 2)
    return lambda sizes: quantiles * math.sqrt(_gap_variance(design.auroc, design.auroc, sizes)) <= design.gap


def _beyond(design: Design, gap: float) -> Enough:
    quantiles = _quantile(1 - (1 - design.confidence) / 2 / design.rows) + _quantile(POWER)
    robust = design.auroc - gap
    return lambda sizes: quantiles * math.sqrt(_gap_variance(design.auroc, robust, sizes)) <= gap - design.gap


def _excluded(design: Design) -> Enough:
    """The same images stand on both sides: what they share cancels, 2 (1 - r) of the variance is left.

    And where no image moves at all, the interval is that of 0 of n patients of the scarcer class.
    """
    q1, q2, square = _moments(design.auroc)
    quantiles = _quantile((1 + design.confidence) / 2) + _quantile((1 + POWER) / 2)
    unmoved = math.log((1 - design.confidence) / 2) / math.log(1 - design.gap)

    def enough(sizes: Sizes) -> bool:
        positives, negatives = sizes[1, 1] + sizes[1, 0], sizes[0, 1] + sizes[0, 0]
        variance = 2 * (1 - design.pair_correlation) * ((q1 - square) / negatives + (q2 - square) / positives)
        return quantiles * math.sqrt(variance) <= design.gap and min(positives, negatives) >= unmoved

    return enough


def _gap_variance(aligned: float, robust: float, sizes: Sizes) -> float:
    return _variance(aligned, sizes[1, 1], sizes[0, 0]) + _variance(robust, sizes[1, 0], sizes[0, 1])


def _variance(area: float, positives: float, negatives: float) -> float:
    q1, q2, square = _moments(area)
    a = math.sqrt(square)
    return (a * (1 - a) + (positives - 1) * (q1 - square) + (negatives - 1) * (q2 - square)) / (positives * negatives)


def _moments(area: float) -> tuple[float, float, float]:
    """Return Q1, Q2 and A^2 of an AUROC, folded at one half."""
    a = min(max(area, 1 - area), HIGHEST)
    return a / (2 - a), 2 * a**2 / (1 + a), a**2


def _quantile(level: float) -> float:
    return float(ndtri(level))
