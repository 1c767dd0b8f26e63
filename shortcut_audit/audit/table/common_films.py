"""Several questions on the films that all of them have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from shortcut_audit.audit.table.context import Context
from shortcut_audit.audit.table.question import Question
from shortcut_audit.shapes import Ints


def on_common_films(questions: Sequence[Question]) -> list[Question]:
    """Return questions on the test films they share, in one order and over one index of patients.

    Args:
        questions: at least one, each with one row a film.
    """
    return over_one_index(align(questions))


def align(questions: Sequence[Question]) -> list[Question]:
    """Return questions on the test films they share, in one order, each with its own patients and weights."""
    first, *others = questions
    if all(_same_rows(first, other) for other in others):
        return [replace(question) for question in questions]
    shared = first.samples.to_numpy()[first.test]
    for other in others:
        shared = np.intersect1d(shared, other.samples.to_numpy()[other.test])
    return [_take(question, _rows(question, shared)) for question in questions]


def over_one_index(questions: Sequence[Question]) -> list[Question]:
    """Give aligned questions the patients and weights of the first whose table names patients, else of the first."""
    sampling = next((one.sampling for one in questions if one.sampling.unit == "patient"), questions[0].sampling)
    return [replace(question, sampling=sampling) for question in questions]


def _same_rows(one: Question, other: Question) -> bool:
    return one.samples.equals(other.samples) and np.array_equal(one.test, other.test)


def _rows(question: Question, shared: np.ndarray) -> Ints:
    """Return where the shared films stand among the question's test rows, in their order."""
    test = np.flatnonzero(question.test)
    names = question.samples.to_numpy()[test]
    order = np.argsort(names)
    return test[order[np.searchsorted(names, shared, sorter=order)]]


def _take(question: Question, rows: Ints) -> Question:
    sampling = replace(
        question.sampling, clusters=question.sampling.clusters[rows], weights=question.sampling.weights[rows]
    )
    return replace(
        question, samples=question.samples[rows.tolist()], sampling=sampling, test=question.test[rows],
        label=question.label[rows], values=question.values[rows], score=question.score[rows],
        states={name: scores[rows] for name, scores in question.states.items()},
        reference=None if question.reference is None else question.reference[rows], covariates={}, severity=None,
        categories=None, context=Context(),
    )  # fmt: skip
