"""How many of the flagged have the finding: AUPRC, at one prevalence in every group."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.measures.precision import average_precision
from shortcut_audit.audit.statistics.estimate import Contrast, Estimate, Undefined
from shortcut_audit.audit.statistics.metrics import count_patients
from shortcut_audit.audit.table.question import Question
from shortcut_audit.shapes import Bools


@CHECKS.register("auprc")
def auprc(question: Question) -> Findings:
    """AUPRC in all images and within each value of the attribute, at one prevalence.

    The prevalence is the one named for the place of use, else that of the test rows (weights count). Groups
    differ in how common the finding is, and at their own prevalences their AUPRCs cannot be compared.
    """
    groups = {"all": question.test, **{f"within:{v}": question.test & (question.values == v) for v in (1, 0)}}
    return Findings(
        metrics=tuple(question.record("auprc", _estimate(question, rows), group) for group, rows in groups.items())
    )


def _estimate(question: Question, rows: Bools) -> Estimate | Undefined:
    if not question.test.any():
        return question.undefined("there are no test rows").estimate(question.limits.confidence)
    prevalence = _prevalence(question)
    found = _contrast(question, rows, prevalence).estimate(question.limits.confidence)
    if isinstance(found, Undefined):
        return found
    return replace(found, method=f"{found.method}, at a prevalence of {prevalence:.4g}")


def _prevalence(question: Question) -> float:
    if question.limits.prevalence is not None:
        return question.limits.prevalence
    weights = question.sampling.weights
    return float(weights[question.test & question.label].sum() / weights[question.test].sum())


def _contrast(question: Question, rows: Bools, prevalence: float) -> Contrast:
    positives, negatives = rows & question.label, rows & ~question.label
    reason = _too_few(question, positives, negatives, prevalence)
    if reason:
        return Contrast(sampling=question.sampling, reason=reason, rows=(positives, negatives))
    sides = np.flatnonzero(positives), np.flatnonzero(negatives)
    part = average_precision(*sides, question.sampling, question.ranks, prevalence)
    return Contrast(sampling=question.sampling, parts=((1.0, part),), rows=(positives, negatives))


def _too_few(question: Question, positives: Bools, negatives: Bools, prevalence: float) -> str | None:
    """Return why there is no AUPRC, None if there is.

    Precision at a low prevalence hangs on rare false alarms. So few negatives that fewer than
    ``min_cell_patients`` positives would stand beside them at this prevalence do not show these: AUPRC would
    come out too high.
    """
    least = question.limits.min_cell_patients
    found = [count_patients(np.flatnonzero(side), question.sampling) for side in (positives, negatives)]
    for patients, words in zip(found, ("positives", "negatives"), strict=True):
        if patients < least:
            return f"{patients} patients in the {words}, under {least}"
    needed = int(np.ceil(least * (1 - prevalence) / prevalence))
    if found[1] < needed:
        return f"{found[1]} patients in the negatives; a prevalence of {prevalence:.4g} needs {needed}"
    return None
