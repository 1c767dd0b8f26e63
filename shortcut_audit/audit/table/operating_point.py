"""The threshold that turns a score into a decision, chosen as it would be in use: never on test rows.

An image is flagged where its score is at or above the threshold, the same threshold in every group.
Candidates are the scores of the validation rows, weighted where the table has weights:

    youden          the score with the largest sensitivity + specificity; of equals the smallest
    sensitivity=S   the largest score whose sensitivity is at least S
    specificity=S   the smallest score whose specificity is at least S
    a number        that number; it needs no validation rows

"At least" and not "nearest to": the score with the smallest abs(specificity - S) can be one that flags
nobody, or one far from what was asked where scores are tied.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from shortcut_audit.audit.result.setting import OperatingPoint
from shortcut_audit.audit.statistics.metrics import count_patients
from shortcut_audit.audit.table.question import Question
from shortcut_audit.config import ThresholdRule, parse_threshold_rule
from shortcut_audit.shapes import Bools, Floats

ROUNDING = 1e-9
"""Shares that differ by less are equal: sums of weights are not exact."""


class Candidates(NamedTuple):
    """(K,) scores in ascending order with the sensitivity and specificity of each as a threshold."""

    scores: Floats
    sensitivity: Floats
    specificity: Floats


def operating_point(question: Question) -> OperatingPoint:
    """Return the threshold of a question by the rule that was asked for, or the reason why there is none.

    It depends on model and finding alone: validation rows whose attribute is unknown count as well.
    """
    rule = parse_threshold_rule(question.limits.operating_point)
    if rule.kind == "fixed":
        return _record(question, np.zeros_like(question.test), rule.value, None)
    val = ~question.test
    missing = _missing(rule, question.label[val])
    if missing:
        return _record(question, val, None, f"{missing} to choose it on")
    found = _choose(rule, candidates(question.score[val], question.label[val], question.sampling.weights[val]))
    unreached = f"no score of the validation rows reaches a {rule.kind} of {rule.value}" if found is None else None
    return _record(question, val, found, unreached)


def candidates(scores: Floats, label: Bools, weights: Floats) -> Candidates:
    """Return every score that occurs, with what it would give as a threshold.

    Args:
        scores: (N,) of the validation rows.
        label: (N,) of the same rows; of a class that is not there the share is 0.
        weights: (N,) above 0.
    """
    distinct, ranks = np.unique(scores, return_inverse=True)
    positives, negatives = (np.bincount(ranks, weights * side, minlength=len(distinct)) for side in (label, ~label))
    at_or_above = np.cumsum(positives[::-1])[::-1]
    below = np.cumsum(negatives) - negatives
    sensitivity, specificity = (
        reached / max(float(side.sum()), np.finfo(float).tiny)
        for reached, side in ((at_or_above, positives), (below, negatives))
    )
    return Candidates(scores=distinct, sensitivity=sensitivity, specificity=specificity)


def flagged(question: Question) -> Bools | str:
    """Return (N,) the rows whose score is at or above the threshold, or why there is none."""
    point = operating_point(question)
    if point.threshold is None:
        return f"there is no threshold: {point.reason}"
    above: Bools = question.score >= point.threshold
    return above


def _choose(rule: ThresholdRule, found: Candidates) -> float | None:
    if rule.kind == "youden":
        both = found.sensitivity + found.specificity
        return float(found.scores[np.flatnonzero(both >= both.max() - ROUNDING)[0]])
    assert rule.value is not None
    if rule.kind == "sensitivity":
        return float(found.scores[np.flatnonzero(found.sensitivity >= rule.value - ROUNDING)[-1]])
    enough = np.flatnonzero(found.specificity >= rule.value - ROUNDING)
    return float(found.scores[enough[0]]) if len(enough) else None


def _missing(rule: ThresholdRule, label: Bools) -> str | None:
    """Return what the validation rows lack for the rule, None if nothing."""
    if not len(label):
        return "there are no validation rows"
    if rule.kind != "specificity" and not label.any():
        return "the validation set has no positives"
    return "the validation set has no negatives" if rule.kind != "sensitivity" and label.all() else None


def _record(question: Question, rows: Bools, threshold: float | None, reason: str | None) -> OperatingPoint:
    positives = int((rows & question.label).sum())
    return OperatingPoint(
        model=question.model, finding=question.finding, rule=question.limits.operating_point.strip(),
        threshold=threshold, n=int(rows.sum()), n_pos=positives, n_neg=int(rows.sum()) - positives,
        n_patients=count_patients(np.flatnonzero(rows), question.sampling), reason=reason,
    )  # fmt: skip
