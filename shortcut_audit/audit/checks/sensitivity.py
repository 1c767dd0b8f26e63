"""How unlike would patients have to be to explain the gap without use of the attribute?"""

from __future__ import annotations

from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.measures.binormal import shifts
from shortcut_audit.audit.table.question import Question


@CHECKS.register("sensitivity")
def sensitivity(question: Question) -> Findings:
    """How unlike would patients have to be to explain the gap without use of the attribute?

    Positives with it so many SD more severe *and* negatives with it so many SD more suspicious than those
    without it, both in SD of the score on a binormal scale. ``smd_before`` of the severity is what was
    measured. It describes and decides nothing.
    """
    positives, negatives = shifts(question)
    return Findings(
        metrics=(
            question.record("severity_to_explain", positives),
            question.record("suspicion_to_explain", negatives),
        )
    )
