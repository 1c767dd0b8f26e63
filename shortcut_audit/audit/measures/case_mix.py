"""The gap among patients who are alike: the four cells weighted to one case mix.

Positives are made alike in severity and covariates, negatives in the covariates, each side by overlap
weights of its own (``audit/statistics/overlap.py``). What is left of the gap is reliance plus the case mix that
nobody measured: it can be consistent with use of the attribute, and never shows or excludes it.

Each interval knows that the weights were fitted: to the influence of a patient on A_ij comes that on the
coefficients of the regression, times the derivative of A_ij by them (M-estimation; Lunceford and
Davidian 2004). Weights taken as known give intervals that are far too wide where scores follow severity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import numpy as np

from shortcut_audit.audit.statistics.estimate import Contrast
from shortcut_audit.audit.statistics.linearised import by_patient
from shortcut_audit.audit.statistics.metrics import Sampling, auroc, count_patients, mid_ranks
from shortcut_audit.audit.statistics.overlap import (
    Propensity,
    effective_size,
    fit_propensity,
    mean_difference,
    spline_terms,
)
from shortcut_audit.audit.table.question import Question
from shortcut_audit.shapes import Bools, Floats, Ints

LEAST_EFFECTIVE = 30
"""Effective patients that every cell must keep after weighting."""
MOST_DIFFERENCE = 0.1
"""Largest standardised mean difference that counts as alike (Austin 2009)."""
PATIENTS_A_TERM = 10
"""The regression gets curved terms where the smaller cell has as many patients for each."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Side:
    """Positives or negatives with and without the attribute, made alike.

    Attributes:
        label: 1 for the positives.
        columns: (N,) case-mix columns that could be used, by name.
        unused: why others could not, by name.
        rows: (M,) numbers of the test rows of the two cells in which every used column is known.
        present: (M,) whether the attribute of such a row suggests the finding.
        sizes: effective patients of the cells after weighting, by 1 and 0 of ``present``.
        propensity: the fit over these rows; None where there is no column, or a cell has no such row.
        reason: why the side cannot be standardised, None if it can.
    """

    label: int
    columns: Mapping[str, Floats]
    unused: Mapping[str, str]
    rows: Ints
    present: Bools
    sizes: Mapping[int, float] = field(default_factory=lambda: {1: 0.0, 0: 0.0})
    propensity: Propensity | None = None
    reason: str | None = None

    @property
    def terms(self) -> int:
        """Numbers that were fitted: the coefficients, or a mean alone."""
        return 1 if self.propensity is None else self.propensity.design.shape[1]

    @property
    def least(self) -> int:
        """Effective patients that each cell needs: 30, or two a fitted number."""
        return max(LEAST_EFFECTIVE, 2 * self.terms)


def weigh_side(question: Question, label: int) -> Side:
    """Weigh the positives (1) or the negatives (0) so that their two cells have the same case mix."""
    inside = question.test & (question.label == bool(label)) & ~np.isnan(question.values)
    columns, unused = _usable(question, label, inside)
    known: Bools = np.all([inside, *(~np.isnan(column) for column in columns.values())], axis=0)
    rows = np.flatnonzero(known)
    side = Side(label=label, columns=columns, unused=unused, rows=rows, present=question.expected[rows] == 1)
    empty = _empty(question, label, inside) or [f"{name} with a known {' and '.join(columns)}"
                                                for name in _empty(question, label, known)]  # fmt: skip
    if empty:
        return replace(side, reason=f"the test set has no {' and no '.join(empty)}")
    base = question.sampling.weights[rows]
    if columns:
        side = replace(side, propensity=_fit(question, side, base))
    weights = base if side.propensity is None else side.propensity.weights
    cells = {state: side.present == state for state in (1, 0)}
    sizes = {
        state: effective_size(by_patient(weights[cell], rows[cell], question.sampling)) for state, cell in cells.items()
    }
    side = replace(side, sizes=sizes)
    return replace(side, reason=_too_few(question, side) or _unlike(side))


def _empty(question: Question, label: int, inside: Bools) -> list[str]:
    """Return the names of the cells that have no row among some."""
    return [question.cell_name(label, state) for state in (1, 0) if not (question.expected[inside] == state).any()]


def _usable(question: Question, label: int, inside: Bools) -> tuple[dict[str, Floats], dict[str, str]]:
    """Return the columns to standardise on, and why others are of no use."""
    candidates = {name if name != "severity" else "covariate.severity": c for name, c in question.covariates.items()}
    if label and question.severity is not None:
        candidates = {"severity": question.severity, **candidates}
    who = "positives" if label else "negatives"
    columns, unused = {}, {}
    for name, column in candidates.items():
        known = column[inside & ~np.isnan(column)]
        if not len(known):
            unused[name] = f"{name} is not known for any of the {who}"
        elif np.ptp(known) == 0:
            unused[name] = f"{name} is the same for all {who}"
        else:
            columns[name] = column
    return columns, unused


def _fit(question: Question, side: Side, base: Floats) -> Propensity:
    columns = [column[side.rows] for column in side.columns.values()]
    curved = spline_terms(columns, curved=True)
    smaller = min(count_patients(side.rows[side.present == state], question.sampling) for state in (1, 0))
    enough = smaller >= PATIENTS_A_TERM * curved.shape[1]
    return fit_propensity(curved if enough else spline_terms(columns, curved=False), side.present, base)


def _too_few(question: Question, side: Side) -> str | None:
    state = min(side.sizes, key=side.sizes.__getitem__)
    if side.sizes[state] >= side.least:
        return None
    worth = f"{int(side.sizes[state])} patients after weighting, under {side.least}"
    return f"the {question.cell_name(side.label, state)} are worth {worth}"


def _unlike(side: Side) -> str | None:
    """Return which column still differs after weighting, by its values or by their ranks."""
    if side.propensity is None:
        return None
    fit, who = side.propensity, "positives" if side.label else "negatives"
    for name, column in side.columns.items():
        values = column[side.rows]
        for what, numbers in (("", values), ("ranks of ", mid_ranks(values))):
            after = mean_difference(numbers, side.present, fit.weights, base=fit.base)
            if after is None:
                return f"{name} does not vary among {who} of either group"
            if abs(after.value) >= MOST_DIFFERENCE:
                apart = f"{abs(after.value):.2f} SD, not under {MOST_DIFFERENCE:g}"
                return f"the {who} still differ in {what}{name} after weighting ({apart})"
    return None


@dataclass(frozen=True, kw_only=True, eq=False)
class Standardised:
    """A question with both sides standardised; it has pairs of cells as a question has."""

    question: Question
    sides: tuple[Side, Side]

    @property
    def measured(self) -> bool:
        """Whether there is any case-mix column to standardise on."""
        return any(side.columns for side in self.sides)

    @property
    def reason(self) -> str | None:
        """Why there are no standardised numbers, None if there are."""
        positives, negatives = self.sides
        if self.measured:
            return positives.reason or negatives.reason
        unused = [*positives.unused.values(), *negatives.unused.values()]
        return " and ".join(unused) or f"there is no column 'severity.{self.question.finding}' and no 'covariate.*'"

    def pair(self, i: int, j: int) -> Contrast:
        """Return A_ij among patients made alike; 1 stands for the value that suggests the finding."""
        return self._pairs[i, j]

    @cached_property
    def _pairs(self) -> dict[tuple[int, int], Contrast]:
        return {(i, j): self._pair(i, j) for i in (0, 1) for j in (0, 1)}

    @cached_property
    def _sampling(self) -> Sampling:
        """The question's sampling with the weights of both sides."""
        weights = self.question.sampling.weights.copy()
        for side in self.sides:
            if side.propensity is not None:
                weights[side.rows] = side.propensity.weights
        return replace(self.question.sampling, weights=weights)

    def _pair(self, i: int, j: int) -> Contrast:
        question, reason = self.question, self.reason
        if reason is not None:
            return question.undefined(reason)
        positives, negatives = (
            side.rows[side.present == state] for side, state in zip(self.sides, (i, j), strict=True)
        )
        part = auroc(positives, negatives, self._sampling, question.ranks)
        # Each image as its own cluster: what it moves A_ij by, hence the derivative by its weight.
        count = len(question.score)
        alone = replace(self._sampling, clusters=np.arange(count), n_clusters=count)
        by_image = auroc(positives, negatives, alone, question.ranks).influence
        upper, lower = (self._by_patient(side, by_image) for side in self.sides)
        sizes = [side.sizes[state] for side, state in zip(self.sides, (i, j), strict=True)]
        spent = [size - side.terms for side, size in zip(self.sides, sizes, strict=True)]
        part = replace(part, influence=upper + lower, smaller=int(min(sizes)), df=min(part.df, *spent))
        rows = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
        rows[0][positives] = rows[1][negatives] = True
        return Contrast(sampling=self._sampling, parts=((1.0, part),), rows=rows)

    def _by_patient(self, side: Side, by_image: Floats) -> Floats:
        """Return (P,) how much the patients of one side move A_ij, themselves and through the fit."""
        sampling = self.question.sampling
        moved = by_image[side.rows]
        if side.propensity is not None:
            moved = moved + side.propensity.influence(side.propensity.gradient(moved))
        patients = count_patients(side.rows, sampling)
        scaled: Floats = by_patient(moved, side.rows, sampling) * np.sqrt(patients / (patients - side.terms))
        return scaled


class _Films:
    """What the weights of both sides hang on: equal for models that scored the same films."""

    def __init__(self, question: Question) -> None:
        self.question = question

    @property
    def named(self) -> tuple[object, ...]:
        """What they are called, and how many there are."""
        question = self.question
        return (
            question.finding, question.attribute, question.composite, question.association, question.sampling.unit,
            tuple(question.covariates), question.severity is None, len(question.test),
        )  # fmt: skip

    @property
    def arrays(self) -> list[Floats | Bools | Ints]:
        """(N,) each."""
        question, sampling = self.question, self.question.sampling
        measured = [*question.covariates.values(), *([] if question.severity is None else [question.severity])]
        return [question.test, question.label, question.values, sampling.weights, sampling.clusters, *measured]

    def __hash__(self) -> int:
        return hash(self.named)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Films)
            and self.named == other.named
            and all(
                mine is theirs or np.array_equal(mine, theirs, equal_nan=mine.dtype.kind == "f")
                for mine, theirs in zip(self.arrays, other.arrays, strict=True)
            )
        )


@lru_cache(maxsize=1)
def _both_sides(films: _Films) -> tuple[Side, Side]:
    return weigh_side(films.question, 1), weigh_side(films.question, 0)


@lru_cache(maxsize=1)
def standardise(question: Question) -> Standardised:
    """Make the patients with and without the attribute alike in severity and covariates.

    The last question is kept, for several checks ask it one after the other; the weights of its films too, for
    the next model often scored the same ones.
    """
    if question.severity is None and not question.covariates:
        nobody = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool)
        sides = [Side(label=label, columns={}, unused={}, rows=nobody[0], present=nobody[1]) for label in (1, 0)]
        return Standardised(question=question, sides=(sides[0], sides[1]))
    return Standardised(question=question, sides=_both_sides(_Films(question)))
