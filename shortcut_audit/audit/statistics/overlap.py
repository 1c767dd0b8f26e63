"""Overlap weights: two groups made alike in what was measured of them. Arrays only.

Li, Morgan and Zaslavsky 2018: with e = P(attribute | covariates), rows with the attribute weigh 1 - e and
rows without it e. The weights never explode; they describe the rows that could have been in either group,
and with e from a logistic regression the weighted means of all its terms agree (their theorem 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import expit

from shortcut_audit.shapes import Bools, Floats

RIDGE = 1e-4
"""On the mean log-likelihood, in SD of each term: finite slopes where a covariate separates the groups."""
KNOTS = (0.05, 0.35, 0.65, 0.95)
"""Quantiles of the four knots (Harrell, Regression Modeling Strategies, 2nd ed. 2015, table 2.3)."""
STEPS = 100


@dataclass(frozen=True, kw_only=True, eq=False)
class Propensity:
    """A fitted e(x) over M rows.

    Attributes:
        design: (M, K) terms with the constant first.
        present: (M,) whether the row has the attribute.
        base: (M,) weights that the rows came with; they sum to 1.
        share: (M,) e, the fitted chance of the attribute.
    """

    design: Floats
    present: Bools
    base: Floats
    share: Floats

    @property
    def weights(self) -> Floats:
        """(M,) the base weight times 1 - e with the attribute, times e without it."""
        return self.base * np.where(self.present, 1 - self.share, self.share)

    @property
    def slopes(self) -> Floats:
        """(M, K) derivative of the log weight by each coefficient."""
        slopes: Floats = np.where(self.present, -self.share, 1 - self.share)[:, None] * self.design
        return slopes

    @cached_property
    def _information(self) -> Floats:
        return _information(self.design, self.base * self.share * (1 - self.share))

    def influence(self, gradient: Floats) -> Floats:
        """Return (M,) how much each row moves a number through the coefficients.

        Args:
            gradient: (K,) derivative of the number by the coefficients.
        """
        direction = self.design @ np.linalg.solve(self._information, gradient)
        moved: Floats = self.base * (self.present - self.share) * direction
        return moved


def fit_propensity(terms: Floats, present: Bools, base: Floats) -> Propensity:
    """Fit e(x) by logistic regression with a small ridge (Newton steps, halved until they help).

    Args:
        terms: (M, K) without the constant; they are brought to mean 0 and SD 1.
        present: (M,) whether the row has the attribute; both values must occur.
        base: (M,) weights above 0.
    """
    base = base / base.sum()
    centred = terms - base @ terms
    spread = np.sqrt(base @ centred**2)
    design = np.column_stack([np.ones(len(terms)), centred / np.where(spread > 0, spread, 1.0)])
    coefficients = np.zeros(design.shape[1])
    loss = _loss(design, present, base, coefficients)
    for _ in range(STEPS):
        share = expit(design @ coefficients)
        slope = design.T @ (base * (present - share)) - _ridge(design.shape[1]) * coefficients
        step = np.linalg.solve(_information(design, base * share * (1 - share)), slope)
        if slope @ step < 1e-24:
            break
        while (tried := _loss(design, present, base, coefficients + step)) > loss and np.abs(step).max() > 1e-12:
            step = step / 2
        coefficients, loss = coefficients + step, tried
    return Propensity(design=design, present=present, base=base, share=expit(design @ coefficients))


def _ridge(terms: int) -> Floats:
    penalty = np.full(terms, RIDGE)
    penalty[0] = 0.0
    return penalty


def _information(design: Floats, weights: Floats) -> Floats:
    information: Floats = design.T @ (weights[:, None] * design) + np.diag(_ridge(design.shape[1]))
    return information


def _loss(design: Floats, present: Bools, base: Floats, coefficients: Floats) -> float:
    linear = design @ coefficients
    penalty = _ridge(len(coefficients)) @ coefficients**2 / 2
    return float(base @ np.logaddexp(0.0, np.where(present, -linear, linear)) + penalty)


def spline_terms(columns: Sequence[Floats], *, curved: bool) -> Floats:
    """Return (M, K) the terms of the regression: each column and, if ``curved``, its bends.

    Restricted cubic spline (straight beyond the outer knots): two bends beside the column itself, for every
    column whose four knots differ.
    """
    terms: Floats = np.column_stack(
        [term for column in columns for term in (column, *(_bends(column) if curved else ()))]
    )
    return terms


def _bends(column: Floats) -> list[Floats]:
    # A quantile that is one of the values does not move where every row is there twice.
    knots = np.quantile(column, KNOTS, method="inverted_cdf")
    if len(np.unique(knots)) < len(KNOTS):
        return []
    *inner, before_last, last = knots
    whole = last - knots[0]

    def cube(knot: float) -> Floats:
        above: Floats = np.maximum((column - knot) / whole, 0.0)
        return above**3

    width = last - before_last
    return [
        cube(knot) - cube(before_last) * (last - knot) / width + cube(last) * (before_last - knot) / width
        for knot in inner
    ]


def effective_size(weights: Floats) -> float:
    """Return Kish's effective sample size, (sum of weights)^2 / sum of squares."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def effective_influence(weights: Floats) -> Floats:
    """Return how much each weight's being there moves the effective sample size.

    The sums are taken as Poisson sums: equal weights give the variance of a count, not 0.
    """
    size = effective_size(weights)
    influence: Floats = size * (2 * weights / weights.sum() - weights**2 / (weights**2).sum())
    return influence


@dataclass(frozen=True, kw_only=True, eq=False)
class MeanDifference:
    """A difference of weighted means in SD, with its influence (M,) per row."""

    value: float
    influence: Floats


def mean_difference(
    column: Floats, present: Bools, weights: Floats, *, base: Floats | None = None
) -> MeanDifference | None:
    """Return the mean with the attribute less that without it, in SD of ``base``; None where that SD is 0.

    The SD is the root of the mean of the two groups' variances (Austin 2009). After weighting it stays
    that before (Stuart 2010), so that the two differences can be compared, and is taken as known.

    Args:
        column: (M,) values.
        present: (M,) whether the row has the attribute; both values must occur.
        weights: (M,) of the means.
        base: (M,) of the SD; that of ``weights`` itself if not given.
    """
    reference = weights if base is None else base
    before = [_moments(column, side, reference) for side in (present, ~present)]
    variance = (before[0][1] + before[1][1]) / 2
    # What is left of equal numbers after rounding is no spread.
    if variance <= (1e-9 * np.abs(column).max()) ** 2:
        return None
    spread = float(np.sqrt(variance))
    after = [_moments(column, side, weights) for side in (present, ~present)]
    value = (after[0][0] - after[1][0]) / spread
    influence = np.zeros(len(column))
    for side, sign, (mean, square) in zip((present, ~present), (1, -1), after, strict=True):
        share = np.where(side, weights, 0.0) / weights[side].sum()
        influence += sign * share * (column - mean) / spread
        if base is None:
            influence -= value / (4 * variance) * share * ((column - mean) ** 2 - square)
    return MeanDifference(value=float(value), influence=influence)


def _moments(column: Floats, side: Bools, weights: Floats) -> tuple[float, float]:
    """Return mean and variance of one group."""
    mean = float(np.average(column[side], weights=weights[side]))
    return mean, float(np.average((column[side] - mean) ** 2, weights=weights[side]))
