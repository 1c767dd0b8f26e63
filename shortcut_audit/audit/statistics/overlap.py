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
from scipy.special import expit, logit

from shortcut_audit.audit.statistics.metrics import dot
from shortcut_audit.shapes import Bools, Floats

RIDGE = 1e-4
"""On the mean log-likelihood, in SD of each term: finite slopes where a covariate separates the groups."""
KNOTS = (0.05, 0.35, 0.65, 0.95)
"""Quantiles of the four knots (Harrell, Regression Modeling Strategies, 2nd ed. 2015, table 2.3)."""
STEPS = 100
CLOSE, NO_GAIN = 1e-12, 1e-24
"""A step that promises less (twice the change of the loss) is taken without looking, or not at all."""


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

    @cached_property
    def weights(self) -> Floats:
        """(M,) the base weight times 1 - e with the attribute, times e without it."""
        return self.base * np.where(self.present, 1 - self.share, self.share)

    def gradient(self, moved: Floats) -> Floats:
        """Return (K,) the derivative of a number by the coefficients.

        Args:
            moved: (M,) its derivative by the log weight of each row.
        """
        slopes = np.where(self.present, -self.share, 1 - self.share)
        gradient: Floats = (moved * slopes) @ self.design
        return gradient

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
    coefficients[0] = logit(base @ present)
    loss = _loss(design, present, base, coefficients)
    for _ in range(STEPS):
        share = expit(design @ coefficients)
        slope = design.T @ (base * (present - share)) - _ridge(design.shape[1]) * coefficients
        step = np.linalg.solve(_information(design, base * share * (1 - share)), slope)
        gain = float(slope @ step)
        if gain < NO_GAIN:
            break
        # So near the maximum a loss, which is rounded, no longer tells a good step from a bad one.
        while gain > CLOSE and (tried := _loss(design, present, base, coefficients + step)) > loss:
            step = step / 2
            gain = gain / 2
        coefficients, loss = coefficients + step, tried if gain > CLOSE else loss
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
        return above * above * above

    width = last - before_last
    high, highest = cube(before_last), cube(last)
    return [cube(knot) - high * ((last - knot) / width) + highest * ((before_last - knot) / width) for knot in inner]


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
    """A difference of weighted means in SD.

    Attributes:
        value: the mean with the attribute less that without it, over ``spread``.
        column: (M,) values.
        shares: (M,), (M,) weights of the two groups, each summing to 1 and 0 outside its group.
        means: of the two groups.
        squares: variances of the two groups, None where ``spread`` does not vary with them.
        spread: the SD.
    """

    value: float
    column: Floats
    shares: tuple[Floats, Floats]
    means: tuple[float, float]
    squares: tuple[float, float] | None
    spread: float

    @property
    def influence(self) -> Floats:
        """(M,) how much each row moves the value."""
        influence = np.zeros(len(self.column))
        for group, sign in enumerate((1, -1)):
            away = self.column - self.means[group]
            moved = sign * away / self.spread
            if self.squares is not None:
                moved -= self.value / (4 * self.spread**2) * (away**2 - self.squares[group])
            influence += self.shares[group] * moved
        return influence


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
    before = [_moments(column, share) for share in _shares(present, weights if base is None else base)]
    variance = (before[0][1] + before[1][1]) / 2
    # What is left of equal numbers after rounding is no spread.
    if variance <= (1e-9 * np.abs(column).max()) ** 2:
        return None
    spread, shares = float(np.sqrt(variance)), _shares(present, weights)
    first, second = (dot(share, column) for share in shares)
    return MeanDifference(
        value=(first - second) / spread, column=column, shares=shares, means=(first, second),
        squares=(before[0][1], before[1][1]) if base is None else None, spread=spread,
    )  # fmt: skip


def _shares(present: Bools, weights: Floats) -> tuple[Floats, Floats]:
    """Return (M,), (M,) the weights of each group, 0 in the other one; each sums to 1."""
    with_ = np.where(present, weights, 0.0)
    without = weights - with_
    return with_ / with_.sum(), without / without.sum()


def _moments(column: Floats, share: Floats) -> tuple[float, float]:
    """Return mean and variance of one group."""
    mean = dot(share, column)
    away = column - mean
    return mean, dot(share, away * away)
