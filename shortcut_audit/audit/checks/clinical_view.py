"""What the decisions mean where the model is used, in patients of every 1,000."""

from __future__ import annotations

from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.measures.rates import share_of_cell
from shortcut_audit.audit.result.setting import Population
from shortcut_audit.audit.statistics.estimate import Contrast
from shortcut_audit.audit.table.operating_point import flagged
from shortcut_audit.audit.table.population import population
from shortcut_audit.audit.table.question import Question

PATIENTS = 1000


@CHECKS.register("clinical_view")
def clinical_view(question: Question) -> Findings:
    """How many of 1,000 patients are missed, and how many flagged in vain?

    With prevalence p, P(a=1 | y=1) = r1 and P(a=1 | y=0) = r0 of the place of use (named, else those of the
    test set), of 1,000 patients with one image each: missed without the attribute 1000 p (1 - r1) times the
    share not flagged of positives without it, false alarms with it 1000 (1 - p) r0 times the share flagged
    of negatives with it; likewise the two other cells. p, r1 and r0 are taken as given: the intervals are
    those of the shares. A control decides nothing and has no such numbers.
    """
    if question.role == "control":
        return Findings()
    above, place = flagged(question), population(question)
    metrics = []
    for name, label in (("missed_per_1000", 1), ("false_alarms_per_1000", 0)):
        for value in (0, 1):
            if isinstance(above, str):
                number = question.undefined(above)
            else:
                wrong = share_of_cell(question, ~above if label else above, label, value)
                number = _of_all(question, wrong, _patients(place, label, value))
            metrics.append(question.metric(name, number, f"within:{value}"))
    return Findings(metrics=tuple(metrics))


def _patients(place: Population, label: int, value: int) -> float | None:
    """Return how many of 1,000 patients are in a cell, None where the test set has nobody to count."""
    have = place.given_finding if label else place.given_none
    if place.prevalence is None or have is None:
        return None
    return PATIENTS * (place.prevalence if label else 1 - place.prevalence) * (have if value else 1 - have)


def _of_all(question: Question, wrong: Contrast, patients: float | None) -> Contrast:
    if wrong.reason is not None:
        return wrong
    if not patients:
        return question.undefined("the place of use has no such patient")
    return patients * wrong
