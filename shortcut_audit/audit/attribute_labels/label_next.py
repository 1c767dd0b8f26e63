"""Which images to label next: the fewest whose attribute is unknown that would halve the robust interval.

The variance of an AUROC is v1 / n1 + v0 / n0, one share from the patients of each of its two cells. A label on
an unknown image helps only if the image then falls into its cell, which it does with the chance that the known
images of its class show. Expected, therefore, with m1 positives and m0 negatives labelled

    v1 / (n1 + r1 m1) + v0 / (n0 + r0 m0),    r: share of the known images of a class that are in the cell

and the cheapest way to a quarter of the variance (half the interval) has n + r m proportional to
sqrt(v r) in both classes (Lagrange; Neyman's allocation of 1934, with a price of 1 / r for an image in the cell).
Which images of a class: see :mod:`shortcut_audit.audit.attribute_labels.label_list`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from shortcut_audit.audit.statistics.metrics import patient_sums, placements
from shortcut_audit.audit.table.question import Question
from shortcut_audit.shapes import Bools

QUARTER = 0.25
"""Of the variance: half of the interval."""


@dataclass(frozen=True, kw_only=True)
class LabelPlan:
    """How many unknown positives and negatives to label, of how many; ``reached`` is the interval's part then.

    ``reached`` is 0.5 where the unknown images are enough, else how wide the interval would be, relative to
    now, if all of them were labelled.
    """

    positives: int
    negatives: int
    unknown: tuple[int, int]
    reached: float

    @property
    def total(self) -> int:
        """Images to label."""
        return self.positives + self.negatives


@dataclass(frozen=True, kw_only=True)
class _Class:
    """One class: share of the variance, images in the cell, chance of the cell, unknown images."""

    variance: float
    size: int
    rate: float
    unknown: int

    @property
    def unit(self) -> float:
        """Variance times images."""
        return self.variance * self.size

    def left(self, labelled: float) -> float:
        """Return the variance expected after so many labels."""
        return self.unit / (self.size + self.rate * labelled)


def plan_labels(question: Question) -> LabelPlan | str:
    """Return how many images to label next, or why there is no answer."""
    if not unknown_rows(question).any():
        return "the attribute of every test image is known"
    if question.composite:
        return "what is asked here is made from several values; label the attributes themselves"
    if question.association.sign is None:
        return question.association.source
    robust = question.pair(0, 1)
    if robust.reason:
        return robust.reason
    classes = _class(question, 1, 0), _class(question, 0, 1)
    total = sum(one.variance for one in classes)
    if total <= 0:
        return "no image moves the robust AUROC yet, so its variance tells nothing about what is missing"
    wanted = _allocate(classes, QUARTER * total)
    expected = sum(one.left(labels) for one, labels in zip(classes, wanted, strict=True))
    reached = 0.5 if expected <= QUARTER * total * (1 + 1e-9) else math.sqrt(expected / total)
    return LabelPlan(
        positives=math.ceil(wanted[0]), negatives=math.ceil(wanted[1]),
        unknown=(classes[0].unknown, classes[1].unknown), reached=reached,
    )  # fmt: skip


def unknown_rows(question: Question) -> Bools:
    """Return (N,) the test rows whose attribute is unknown."""
    unknown: Bools = question.test & np.isnan(question.values)
    return unknown


def _class(question: Question, label: int, expected: int) -> _Class:
    same = question.test & (question.label == bool(label))
    inside, other = question.cell(label, expected), question.cell(1 - label, 1 - expected)
    rows, others = np.flatnonzero(inside), np.flatnonzero(other)
    # Which weighted share of the other cell each image of this one beats; turned round, the variance is the same.
    weights = question.sampling.weights
    placed, _ = placements(question.score[rows], question.score[others], weights[rows], weights[others])
    mean = float(np.average(placed, weights=weights[rows]))
    influence, _ = patient_sums(placed - mean, rows, question.sampling)
    known = same & ~np.isnan(question.values)
    return _Class(
        variance=float(influence @ influence), size=len(rows), rate=len(rows) / int(known.sum()),
        unknown=int((same & np.isnan(question.values)).sum()),
    )  # fmt: skip


def _allocate(classes: tuple[_Class, _Class], target: float) -> tuple[float, float]:
    """Return the labels of each class that reach the target with the fewest, at most all there are."""
    prices = [math.sqrt(one.unit / one.rate) for one in classes]
    sizes = [sum(prices) / target * math.sqrt(one.unit * one.rate) for one in classes]
    found = [(size - one.size) / one.rate for size, one in zip(sizes, classes, strict=True)]
    for here, there in ((0, 1), (1, 0)):
        if not 0 <= found[here] <= classes[here].unknown:
            found[here] = min(max(found[here], 0.0), classes[here].unknown)
            rest, one = target - classes[here].left(found[here]), classes[there]
            needed = (one.unit / rest - one.size) / one.rate if rest > 0 else math.inf
            found[there] = min(max(needed, 0.0), one.unknown)
    return found[0], found[1]
