"""What the same film tells with and without the attribute, and a model that never learnt it.

Raw gap = reliance + case mix, exactly: ``gap_case_mix`` is the gap that is left when the attribute is
removed from every film, ``gap_reliance`` the rest.
"""

from __future__ import annotations

import numpy as np

from shortcut_audit.audit.statistics.estimate import Contrast
from shortcut_audit.audit.table.question import Question
from shortcut_audit.shapes import Floats


def interventional_gap(question: Question) -> Contrast:
    """Return A(positives with, negatives without) - A(positives without, negatives with).

    Every film is used in both states. For a negative association with and without change places.
    """
    on, off = _state(question, "score_with"), _state(question, "score_without")
    if on is None or off is None:
        missing = "score_with" if on is None else "score_without"
        return question.undefined(f"there is no column '{missing}.{question.attribute}'")
    if question.association.sign == -1:
        on, off = off, on
    both = question.test & ~np.isnan(on) & ~np.isnan(off)
    sides = both & question.label, both & ~question.label
    empty = "no test film of one class has both a score with and a score without the attribute"
    aligned = question.between(*sides, empty, scores=on, negative_scores=off)
    return aligned - question.between(*sides, empty, scores=off, negative_scores=on)


def gap_after_removal(question: Question) -> Contrast:
    """Return the gap in the same four cells with the attribute removed from every film."""
    return _gap_in_state(question, "score_without")


def shortcut_inflation(question: Question) -> Contrast:
    """Return AUROC minus AUROC with the attribute removed, over the test films scored without it."""
    off = _state(question, "score_without")
    if off is None:
        return question.undefined(f"there is no column 'score_without.{question.attribute}'")
    scored = question.test & ~np.isnan(off)
    sides = scored & question.label, scored & ~question.label
    empty = "no test film of one class has a score without the attribute"
    return question.between(*sides, empty) - question.between(*sides, empty, scores=off)


def gap_control_edit(question: Question) -> Contrast:
    """Return how much the same edit on a place without the attribute changes the gap."""
    return question.gap() - _gap_in_state(question, "score_control")


def gap_vs_reference(question: Question) -> Contrast:
    """Return the gap less the gap of the reference model in the same cells."""
    if question.reference is None:
        return question.undefined("there is no column 'reference_score'")
    return question.gap() - _gap_of(question, question.reference, "reference_score")


def _gap_in_state(question: Question, name: str) -> Contrast:
    scores = _state(question, name)
    column = f"{name}.{question.attribute}"
    return question.undefined(f"there is no column '{column}'") if scores is None else _gap_of(question, scores, column)


def _state(question: Question, name: str) -> Floats | None:
    """Return (N,) the scores in one state; a blank is filled where the film is in that state already."""
    if name not in question.states:
        return None
    already = question.values == (1 if name == "score_with" else 0)
    scores = question.states[name]
    return np.where(np.isnan(scores) & already, question.score, scores)


def _gap_of(question: Question, scores: Floats, column: str) -> Contrast:
    asked = question.test & ~np.isnan(question.values)
    missing = int(np.isnan(scores[asked]).sum())
    if missing:
        return question.undefined(f"{missing} of {int(asked.sum())} test films have no '{column}'")
    return question.gap(scores)
