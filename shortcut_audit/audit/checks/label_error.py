"""What would robust AUROC and gap be if the attribute's labels had no errors?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np

from shortcut_audit.audit.attribute_labels.label_error import Quality, corrected_pair
from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.statistics.estimate import Contrast
from shortcut_audit.audit.table.question import Question

Range = tuple[float, float]
DEFAULTS: Sequence[tuple[Range, Range]] = (((0.95, 0.95), (0.99, 0.99)), ((0.90, 0.90), (0.95, 0.95)))
"""Sensitivity and specificity that are tried where nobody said how good the labels are: good, and fair."""
STEPS = 5
"""Points along each side of a box of error rates."""


@CHECKS.register("label_error")
def label_error(question: Question) -> Findings:
    """What would robust AUROC and gap be if the attribute's labels had no errors?

    Corrected for the sensitivity and specificity of ``evaluate.attribute_quality``; where nothing is said,
    for two pairs of them. Over ranges, the value is that of their middles and the interval reaches from the
    lowest to the highest limit on a grid. It assumes that errors do not depend on the score given label and
    attribute. It describes and decides nothing. A composite has no error rates of its own: nothing.
    """
    if question.composite:
        return Findings()
    asked = question.limits.attribute_quality.get(question.attribute)
    rates = DEFAULTS if asked is None else ((asked.sensitivity, asked.specificity),)
    return Findings(metrics=tuple(metric for one in rates for metric in _metrics(question, *one)))


def _robust(question: Question, quality: Quality) -> Contrast:
    return question.signed(corrected_pair(question, 0, 1, quality))


def _aligned(question: Question, quality: Quality) -> Contrast:
    return question.signed(corrected_pair(question, 1, 0, quality))


def _gap(question: Question, quality: Quality) -> Contrast:
    return corrected_pair(question, 1, 0, quality) - corrected_pair(question, 0, 1, quality)


NUMBERS: dict[str, Callable[[Question, Quality], Contrast]] = {
    "robust_auroc_noise_corrected": _robust,
    "aligned_auroc_noise_corrected": _aligned,
    "auroc_gap_noise_corrected": _gap,
}


def _metrics(question: Question, sensitivity: Range, specificity: Range) -> list[Metric]:
    group = f"labels:{_text(sensitivity)}:{_text(specificity)}"
    centre = Quality(sensitivity=float(np.mean(sensitivity)), specificity=float(np.mean(specificity)))
    grid = _grid(sensitivity, specificity)
    found = []
    for name, number in NUMBERS.items():
        middle = question.metric(name, number(question, centre), group)
        others = [question.metric(name, number(question, one), group) for one in grid if one != centre]
        found.append(_envelope(middle, others) if others else middle)
    return found


def _text(rate: Range) -> str:
    return "-".join(f"{one:g}" for one in dict.fromkeys(rate))


def _grid(sensitivity: Range, specificity: Range) -> list[Quality]:
    """Return the points of a box of error rates, one point where it has no width."""
    sides = [np.linspace(low, high, STEPS if low < high else 1) for low, high in (sensitivity, specificity)]
    return [Quality(sensitivity=float(se), specificity=float(sp)) for se, sp in product(*sides)]


def _envelope(middle: Metric, others: Sequence[Metric]) -> Metric:
    """Return the middle with limits that hold for every point, or undefined where one point is."""
    undefined = next((one for one in (middle, *others) if one.value is None), None)
    if undefined is not None:
        return undefined
    every = (middle, *others)
    return middle.model_copy(
        update={
            "low": min(one.low for one in every if one.low is not None),
            "high": max(one.high for one in every if one.high is not None),
            "method": f"{middle.method}, lowest to highest limit over the ranges",
        }
    )
