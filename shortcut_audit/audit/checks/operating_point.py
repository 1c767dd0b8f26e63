"""What the model decides at its threshold, in all images and by group."""

from __future__ import annotations

from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.measures.decisions import changes, decisions, flagged_shares
from shortcut_audit.audit.table.question import Question


@CHECKS.register("operating_point")
def operating_point(question: Question) -> Findings:
    """What does the model decide at its threshold, with and without the attribute?

    Sensitivity, specificity and PPV of all test images and within each value of the attribute (its own
    values), the share flagged in each cell, and the gap as two changes at the threshold: sensitivity of
    positives with less without the attribute, false-alarm rate of negatives with less without it.
    A control decides nothing and has no such numbers.
    """
    if question.role == "control":
        return Findings()
    numbers = {**decisions(question), **flagged_shares(question), **changes(question)}
    return Findings(metrics=tuple(question.metric(name, found, group) for (name, group), found in numbers.items()))
