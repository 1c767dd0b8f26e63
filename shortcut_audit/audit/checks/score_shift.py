"""Does the score go with the attribute among films of the same label?"""

from __future__ import annotations

from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.result.judgement import Answer
from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.table.question import Question
from shortcut_audit.audit.versions.contrasts import shift_in_class


@CHECKS.register("score_shift")
def score_shift(question: Question) -> Findings:
    """Does the score go with the attribute among films of the same label?

    AUROC of the score for the attribute (its own values, whatever the association) within label 0 and
    within label 1; 0.5 is no shift. It describes and decides nothing: harder films look the same.
    """
    metrics, answers = [], []
    for label in (0, 1):
        metric = question.metric("score_shift", shift_in_class(question, label), f"label:{label}")
        metrics.append(metric)
        answers.append(_answer(question, metric, label))
    return Findings(answers=tuple(answers), metrics=tuple(metrics))


def _answer(question: Question, metric: Metric, label: int) -> Answer:
    shifted = metric.low is not None and metric.high is not None and not metric.low <= 0.5 <= metric.high
    reason = metric.reason or f"the interval {'excludes' if shifted else 'covers'} 0.5"
    return Answer(
        check="score_shift", kind="performance", model=question.model, finding=question.finding,
        attribute=question.attribute, evidence="yes" if shifted else "cannot tell", number="score_shift",
        question=f"Does the score go with the attribute among {'positives' if label else 'negatives'}?",
        value=metric.value, low=metric.low, high=metric.high, null=0.5, limit=None, limit_origin=None,
        reason=f"{reason}; this describes and decides nothing",
    )  # fmt: skip
