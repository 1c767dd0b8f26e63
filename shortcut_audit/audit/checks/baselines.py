"""What is the gap, and the AUROC, worth beside numbers that need no reading of the attribute?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.measures.permutation import PermutedGaps, permuted_gaps
from shortcut_audit.audit.measures.rates import share
from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.statistics.estimate import Contrast, Estimate, Undefined, clopper_pearson
from shortcut_audit.audit.table.groups import Association
from shortcut_audit.audit.table.question import Question


@CHECKS.register("baselines")
def baselines(question: Question) -> Findings:
    """What do prevalence, the attributes alone, other attributes and chance reach?

    Prevalence of the finding; AUROC of the attributes asked about without any image (naive Bayes on the
    training rows); the gap and the score shift of every other binary attribute of the table; the gap where
    the attribute is exchanged among patients of like labels. They put numbers into proportion and decide
    nothing.
    """
    prevalence = share(question, question.test, question.label, "there is no test image")
    return Findings(
        metrics=(
            question.metric("prevalence", prevalence),
            question.metric("attributes_alone_auroc", _attributes_alone(question)),
            *_permuted(question),
            *(metric for name in question.context.others for metric in _other(question, name)),
        )
    )


def _attributes_alone(question: Question) -> Contrast:
    odds = question.context.alone
    if odds is None:
        return question.undefined(question.context.no_alone)
    known = question.test & ~np.isnan(odds)
    empty = "one class has no test image whose attributes are all known"
    return question.between(known & question.label, known & ~question.label, empty, scores=odds)


def _other(question: Question, name: str) -> list[Metric]:
    """Return the gap and the score shift of another attribute, by its own values."""
    other = replace(
        question, attribute=name, values=question.context.others[name],
        association=Association(sign=1, source="by the attribute's own values"), composite=False, categories=None,
    )  # fmt: skip
    metrics = [question.metric("other_gap", other.gap(), f"other:{name}")]
    for label, word in ((1, "positives"), (0, "negatives")):
        same = question.test & (question.label == bool(label))
        empty = f"the {word} do not have both values of {name}"
        shift = question.between(same & (other.values == 1), same & (other.values == 0), empty)
        metrics.append(question.metric(f"other_shift_{word}", shift, f"other:{name}"))
    return metrics


def _permuted(question: Question) -> list[Metric]:
    found = permuted_gaps(question)
    tally, names = question.gap().tally, ("gap_permuted", "gap_permuted_p")
    if isinstance(found, str):
        return [question.record(name, Undefined(reason=found, tally=tally)) for name in names]
    if np.ptp(found.gaps) == 0:
        reason = "no exchange of the attribute among patients changes the gap"
        return [question.record(name, Undefined(reason=reason, tally=tally)) for name in names]
    confidence = question.limits.confidence
    low, middle, high = np.quantile(found.gaps, [(1 - confidence) / 2, 0.5, (1 + confidence) / 2])
    drawn = clopper_pearson(found.as_large, len(found.gaps), confidence)
    said = _method(question, found)
    null = Estimate(value=float(middle), low=float(low), high=float(high), confidence=confidence, tally=tally,
                    method=f"{said}; median and quantiles")  # fmt: skip
    p = Estimate(value=found.p, low=drawn[0], high=drawn[1], confidence=confidence, tally=tally,
                 method=f"{said}; two-sided, interval of the number drawn (Clopper-Pearson)")  # fmt: skip
    return [question.record("gap_permuted", null), question.record("gap_permuted_p", p)]


def _method(question: Question, found: PermutedGaps) -> str:
    return (
        f"{question.sampling.clustering}, {len(found.gaps)} exchanges of the attribute among patients with the same "
        f"numbers of positives and negatives; {found.alone} of {found.patients} patients exchange with nobody"
    )
