"""How well does the model rank within each value of the attribute, and where the attribute is not known?"""

from __future__ import annotations

import numpy as np

from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.table.question import Question
from shortcut_audit.audit.table.subgroups import category_groups
from shortcut_audit.shapes import Bools


@CHECKS.register("values")
def values(question: Question) -> Findings:
    """How well does the model rank within each value, and where the attribute is not known?

    AUROC within each value of a categorical attribute, at most ``MOST_GROUPS`` of them, those with the most
    test images first; AUROC among the images whose attribute nobody knows, which are in no cell.
    """
    groups = {f"within:{name}": rows for name, rows in category_groups(question).items()}
    unknown = question.test & np.isnan(question.values)
    if unknown.any():
        groups["within:unknown"] = unknown
    return Findings(metrics=tuple(_within(question, group, inside) for group, inside in groups.items()))


def _within(question: Question, group: str, inside: Bools) -> Metric:
    positives, negatives = inside & question.label, inside & ~question.label
    missing = "positives" if not positives.any() else "negatives"
    contrast = question.between(positives, negatives, f"there are no {missing} in this group")
    return question.metric("auroc_within", contrast, group)
