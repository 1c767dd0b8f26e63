"""Are the probabilities as high as the shares of positives? Only where the score is a probability."""

from __future__ import annotations

import numpy as np

from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.measures.calibration import brier, ece, forecasts
from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.statistics.estimate import Estimate, Tally, Undefined
from shortcut_audit.audit.statistics.metrics import count_patients
from shortcut_audit.audit.table.question import Question
from shortcut_audit.shapes import Bools

NUMBERS = {"brier": brier, "ece": ece}
LEAST_FOR_ECE = 40
"""Patients: two bins of 20."""


@CHECKS.register("calibration")
def calibration(question: Question) -> Findings:
    """Are the probabilities as high as the shares of positives, with and without the attribute?

    Brier score and bias-corrected calibration error of all test images and within each value of the attribute,
    defined only where the table says that the score is a probability. They decide nothing.
    """
    groups = {"all": question.test, **{f"within:{v}": question.test & (question.values == v) for v in (1, 0)}}
    no_probability = _no_probability(question)
    metrics = [metric for group, rows in groups.items() for metric in _numbers(question, group, rows, no_probability)]
    return Findings(metrics=tuple(metrics))


def _no_probability(question: Question) -> str | None:
    """Return why the score is not a probability, None if it is."""
    if question.context.scale == "rank":
        return (
            "the score only ranks (column 'scale'): a mean of pixels' probabilities, say, is not the probability "
            "of the finding"
        )
    if question.context.scale == "unknown":
        return "nothing says that the score is the probability of the finding; say so in a column 'scale'"
    tested = question.score[question.test]
    if len(tested) and (tested.min() < 0 or tested.max() > 1):
        return f"scores run from {tested.min():.4g} to {tested.max():.4g}, and a probability from 0 to 1"
    return None


def _numbers(question: Question, group: str, rows: Bools, no_probability: str | None) -> list[Metric]:
    patients = count_patients(np.flatnonzero(rows), question.sampling)
    tally = Tally(
        n_pos=int((rows & question.label).sum()), n_neg=int((rows & ~question.label).sum()), n_patients=patients
    )
    least = {"brier": question.limits.min_cell_patients, "ece": LEAST_FOR_ECE}
    reasons = {
        name: no_probability or (f"{patients} patients, under {least[name]}" if patients < least[name] else None)
        for name in NUMBERS
    }
    found: dict[str, Estimate | Undefined] = {
        name: Undefined(reason=reason, tally=tally) for name, reason in reasons.items() if reason
    }
    wanted = [name for name in NUMBERS if name not in found]
    if wanted:
        cut = forecasts(rows, question.score, question.label, question.sampling)
        found |= {name: NUMBERS[name](cut, question.limits.confidence, tally) for name in wanted}
    return [question.record(name, found[name], group) for name in NUMBERS]
