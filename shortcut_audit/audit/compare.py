"""Paired differences between models on the same films."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from shortcut_audit.audit.estimate import Contrast, fields
from shortcut_audit.audit.paired import interventional_gap
from shortcut_audit.audit.question import Question
from shortcut_audit.audit.result import Comparison

NUMBERS: Mapping[str, Callable[[Question], Contrast]] = {
    "auroc": lambda question: question.overall,
    "robust_auroc": lambda question: (
        question.undefined(question.association.source) if question.association.sign is None else question.pair(0, 1)
    ),
    "interventional_gap": interventional_gap,
}


def compare_models(questions: Sequence[Question]) -> list[Comparison]:
    """Compare every two models, controls last, on the films that both scored.

    Args:
        questions: of one finding and one attribute, one a model.

    Returns:
        ``model - other`` for AUROC, robust AUROC and interventional gap, with intervals from the joint
        covariance over patients.
    """
    ordered = sorted(questions, key=lambda question: question.role == "control")
    return [found for one, other in combinations(ordered, 2) for found in _compare(one, other)]


def _compare(one: Question, other: Question) -> list[Comparison]:
    first, second = _on_common_films(one, other)
    found = []
    for name, number in NUMBERS.items():
        difference = number(first) - number(second)
        found.append(
            Comparison(
                model=one.model, other=other.model, finding=one.finding, attribute=one.attribute, name=name,
                confidence=one.limits.confidence, **fields(difference.estimate(one.limits.confidence)),
            )
        )  # fmt: skip
    return found


def _on_common_films(one: Question, other: Question) -> tuple[Question, Question]:
    """Return both questions on the test films they share, in the same order, over the patients of the first."""
    mine, theirs = one.samples.to_numpy(), other.samples.to_numpy()
    _, rows, other_rows = np.intersect1d(mine, theirs, return_indices=True)
    keep = one.test[rows] & other.test[other_rows]
    first, second = _take(one, rows[keep]), _take(other, other_rows[keep])
    return first, replace(second, sampling=first.sampling)


def _take(question: Question, rows: np.ndarray) -> Question:
    sampling = replace(
        question.sampling, clusters=question.sampling.clusters[rows], weights=question.sampling.weights[rows]
    )
    return replace(
        question, samples=question.samples[rows.tolist()], sampling=sampling, test=question.test[rows],
        label=question.label[rows], values=question.values[rows], score=question.score[rows],
        states={name: scores[rows] for name, scores in question.states.items()},
        reference=None if question.reference is None else question.reference[rows], covariates={},
    )  # fmt: skip
