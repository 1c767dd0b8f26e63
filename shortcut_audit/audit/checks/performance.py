"""How well the model ranks: overall, and where the attribute and the finding agree or disagree."""

from __future__ import annotations

from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.table.question import Question
from shortcut_audit.audit.versions.contrasts import aligned_auroc, robust_auroc


@CHECKS.register("performance")
def performance(question: Question) -> Findings:
    """AUROC overall, robust, aligned, within each value of the attribute, and the four A_ij.

    Robust AUROC (Saab et al. 2022): positives without the attribute against negatives with it, where
    the attribute suggested the finding in training; aligned: the two other cells.
    """
    whole = [question.metric("auroc", question.overall)]
    if question.reversed or not question.test.all():
        whole.append(question.metric("auroc_validation", question.validation))
    return Findings(metrics=(*whole, *_robust_and_aligned(question), *_pairs(question)))


def _robust_and_aligned(question: Question) -> list[Metric]:
    return [
        question.metric("robust_auroc", robust_auroc(question), "robust"),
        question.metric("aligned_auroc", aligned_auroc(question), "aligned"),
    ]


def _pairs(question: Question) -> list[Metric]:
    metrics = []
    for i in (0, 1):
        value = question.original(i)
        metrics.append(question.metric("auroc_within", question.pair(i, i), f"within:{value}"))
        for j in (0, 1):
            group = f"pair:{value}:{question.original(j)}"
            metrics.append(question.metric("auroc_pair", question.pair(i, j), group))
    return metrics
