"""How many images of unknown attribute to label next?"""

from __future__ import annotations

import numpy as np

from shortcut_audit.audit.attribute_labels.label_next import LabelPlan, plan_labels
from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.result.judgement import Answer
from shortcut_audit.audit.statistics.estimate import Estimate
from shortcut_audit.audit.table.question import Question


@CHECKS.register("label_next")
def label_next(question: Question) -> Findings:
    """How many images of unknown attribute to label next, to halve the interval of robust AUROC?

    Only where the attribute of some test images is unknown, and not of a composite. It describes and decides nothing.
    """
    if question.composite or not (question.test & np.isnan(question.values)).any():
        return Findings()
    plan = plan_labels(question)
    found = None if question.association.sign is None else question.pair(0, 1).estimate(question.limits.confidence)
    known = found if isinstance(found, Estimate) else None
    reason = _words(plan) if isinstance(plan, LabelPlan) else f"no plan for labels: {plan}"
    answer = Answer(
        check="label_next", kind="performance", model=question.model, finding=question.finding,
        attribute=question.attribute, evidence="cannot tell", number="robust_auroc",
        question="How many images of unknown attribute to label next, to halve this interval?",
        value=known.value if known else None, low=known.low if known else None, high=known.high if known else None,
        null=None, limit=None, limit_origin=None, labels_needed=plan.total if isinstance(plan, LabelPlan) else None,
        reason=f"{reason}; this describes and decides nothing",
    )  # fmt: skip
    return Findings(answers=(answer,))


def _words(plan: LabelPlan) -> str:
    images = f"{plan.total} images ({plan.positives} of {plan.unknown[0]} positives, {plan.negatives} of"
    images += f" {plan.unknown[1]} negatives whose attribute is unknown)"
    if plan.reached == 0.5:
        return f"about {images} labelled next would halve the interval; they are listed in label_next.csv"
    return (
        f"all {images} labelled would leave about {plan.reached:.0%} of the interval's width, not half of it; "
        f"they are listed in label_next.csv"
    )
