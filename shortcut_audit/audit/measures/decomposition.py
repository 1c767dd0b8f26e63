"""What an AUROC is made of, and what it would be where the attribute is more or less common.

With p1 = P(a=1 | y=1), p0 = P(a=1 | y=0) and the four A_ij, exactly (ties count one half):

    AUROC = p1 p0 A_11 + (1-p1)(1-p0) A_00 + p1 (1-p0) A_10 + (1-p1) p0 A_01 = g(p1, p0)

g(u, v) is the AUROC of the same images reweighted to the rates u and v. On its diagonal the attribute tells
nothing about the finding: g(u, u) is a projection to a site where a share u of both classes has it. It takes
the scores to be independent of the site given label and attribute. Rates are by the attribute's own values
(g does not change if 1 and 0 change places everywhere), over the test images whose attribute is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from shortcut_audit.audit.measures.rates import share
from shortcut_audit.audit.result.numbers import Curve, CurvePoint
from shortcut_audit.audit.statistics.estimate import Contrast, Undefined
from shortcut_audit.audit.statistics.metrics import UNSEEN, Part, satterthwaite
from shortcut_audit.audit.statistics.simultaneous import simultaneous_level
from shortcut_audit.audit.table.question import Question
from shortcut_audit.shapes import Bools

Cell = tuple[int, int]
CELLS: tuple[Cell, ...] = ((0, 0), (0, 1), (1, 0), (1, 1))
"""Attribute of the positives, attribute of the negatives."""
POINTS = 21
"""Of the curve, from no image with the attribute to all of them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Decomposition:
    """The AUROC of one question taken apart by the attribute."""

    question: Question

    @cached_property
    def known(self) -> Bools:
        """(N,) the test rows whose attribute is known."""
        known: Bools = self.question.test & ~np.isnan(self.question.values)
        return known

    @cached_property
    def auroc(self) -> Contrast:
        """AUROC of the test images whose attribute is known: what the four contributions add up to."""
        question = self.question
        if np.array_equal(self.known, question.test):
            return question.overall
        empty = f"one class has no test image whose {question.attribute} is known"
        return question.between(self.known & question.label, self.known & ~question.label, empty)

    @cached_property
    def rates(self) -> Mapping[int, Contrast]:
        """P(a=1 | y) in the test set by y."""
        return {1: self._rate(1), 0: self._rate(0)}

    @cached_property
    def pairs(self) -> Mapping[Cell, Contrast]:
        """The four A_ij by the attribute's own values, whatever the sign of the association."""
        return {(i, j): self.question.pair(self.question.original(i), self.question.original(j)) for i, j in CELLS}

    @cached_property
    def weights(self) -> Mapping[Cell, Contrast]:
        """P(a=i | y=1) P(a=j | y=0): which share of all pairs of a positive and a negative is of that kind."""
        return {(i, j): _product(_share_of(self.rates[1], i), _share_of(self.rates[0], j)) for i, j in CELLS}

    def contribution(self, cell: Cell) -> Contrast:
        """Return weight times A_ij; the four add up to the AUROC."""
        return _product(self.weights[cell], self.pairs[cell])

    def surface(self, u: float, v: float) -> Contrast:
        """Return g(u, v): the AUROC where a share ``u`` of positives and ``v`` of negatives has the attribute.

        The rates are taken as given, so the interval is that of the A_ij alone. A pair without weight is not
        needed. Degrees of freedom are as if the A_ij were independent, the patients of the smaller class (for
        Clopper-Pearson) those of the A_ij, averaged by weight.
        """
        weights = {(i, j): (u if i else 1 - u) * (v if j else 1 - v) for i, j in CELLS}
        used = {cell: self.pairs[cell] for cell, weight in weights.items() if weight > 0}
        rows = self._rows(tuple(used))
        if reason := next((pair.reason for pair in used.values() if pair.reason), None):
            return Contrast(sampling=self.question.sampling, reason=reason, rows=rows)
        parts = {cell: pair.parts[0][1] for cell, pair in used.items()}
        value = sum(weights[cell] * part.value for cell, part in parts.items())
        mixed = Part(
            # A sum of rounded shares may exceed 1 in the last digit.
            value=min(value, 1.0),
            influence=np.sum([weights[cell] * part.influence for cell, part in parts.items()], axis=0),
            df=satterthwaite(
                [weights[cell] ** 2 * part.variance for cell, part in parts.items()],
                [max(part.df, 1) for part in parts.values()],
            ),
            smaller=round(sum(weights[cell] * part.smaller for cell, part in parts.items())),
            unseen=UNSEEN,
        )
        return Contrast(sampling=self.question.sampling, parts=((1.0, mixed),), rows=rows)

    def standardised(self, label: int) -> Contrast:
        """Return g(q, q) with q = P(a=1 | y=label) as estimated in the test set.

        The interval holds that q is estimated: to the influence of the A_ij comes that of q times dg(u, u)/du.
        """
        rate = self.rates[label]
        if rate.reason:
            return rate
        ((_, q),) = rate.parts
        projected = self.surface(q.value, q.value)
        if projected.reason or not 0 < q.value < 1:
            # A rate of exactly 0 or 1 is moved by no patient.
            return projected
        ((_, part),) = projected.parts
        a00, a01, a10, a11 = (self.pairs[cell].value for cell in CELLS)
        slope = -2 * (1 - q.value) * a00 + (1 - 2 * q.value) * (a01 + a10) + 2 * q.value * a11
        return replace(projected, parts=((1.0, replace(part, influence=part.influence + slope * q.influence)),))

    def association_inflation(self, label: int) -> Contrast:
        """Return AUROC - g(q, q), q = P(a=1 | y=label): what the association in the test set adds.

        For label 0 it is (p1 - p0) [p0 (A_11 - A_01) + (1 - p0) (A_10 - A_00)]: only positives are reweighted,
        and their severity moves it. For label 1 only negatives are, and harder negatives move it.
        """
        return self.auroc - self.standardised(label)

    def projection(self) -> Curve:
        """Return g(u, u) for u from 0 to 1 with a band that holds for the whole line.

        Max-t: the line moves in no more than three directions (A_00, A_11 and A_01 + A_10), whose joint covariance
        gives the largest abs(z) along it; each point keeps its own scale and degrees of freedom.
        """
        question = self.question
        line = {float(u): self.surface(float(u), float(u)) for u in np.linspace(0, 1, POINTS)}
        middle = line[0.5].estimate(question.limits.confidence)
        if isinstance(middle, Undefined):
            points, method, reason = [], "none", middle.reason
        else:
            level = simultaneous_level(list(line.values()), question.limits.confidence)
            points = [_point(u, found, level) for u, found in line.items()]
            method, reason = f"{middle.method}, holds for the whole line at once (max-t), rates as given", None
        return Curve(
            model=question.model, finding=question.finding, attribute=question.attribute, name="projected_auroc",
            x_name="share of images with the attribute, equal in both labels", points=tuple(points),
            confidence=question.limits.confidence, n=middle.tally.n, n_patients=middle.tally.n_patients,
            method=method, reason=reason,
        )  # fmt: skip

    def _rate(self, label: int) -> Contrast:
        question = self.question
        among = self.known & (question.label == bool(label))
        empty = f"no {'positive' if label else 'negative'} of the test set has a known {question.attribute}"
        return share(question, among, question.values == 1, empty)

    def _rows(self, cells: tuple[Cell, ...]) -> tuple[Bools, Bools]:
        question = self.question
        if len(cells) == len(CELLS):
            return self.known & question.label, self.known & ~question.label
        pairs = [self.pairs[cell].rows for cell in cells]
        return np.logical_or.reduce([rows[0] for rows in pairs]), np.logical_or.reduce([rows[1] for rows in pairs])


def _point(u: float, found: Contrast, level: float) -> CurvePoint:
    low, high = found.limits(level)
    return CurvePoint(x=u, value=found.value, low=low, high=high)


def _share_of(rate: Contrast, value: int) -> Contrast:
    """Return the share with the attribute (1) or without it (0)."""
    if rate.reason or value == 1:
        return rate
    ((_, part),) = rate.parts
    rest = Part(value=1 - part.value, influence=-part.influence, df=part.df, smaller=part.smaller)
    return replace(rate, parts=((1.0, rest),))


def _product(one: Contrast, other: Contrast) -> Contrast:
    """Return the product of two single numbers, linearised; it has the fewer degrees of freedom of the two."""
    rows = one.rows[0] | other.rows[0], one.rows[1] | other.rows[1]
    if reason := one.reason or other.reason:
        return Contrast(sampling=one.sampling, reason=reason, rows=rows)
    ((_, a),), ((_, b),) = one.parts, other.parts
    part = Part(
        value=a.value * b.value, influence=a.influence * b.value + b.influence * a.value, df=min(a.df, b.df),
        smaller=min(a.smaller, b.smaller),
    )  # fmt: skip
    return Contrast(sampling=one.sampling, parts=((1.0, part),), rows=rows)
