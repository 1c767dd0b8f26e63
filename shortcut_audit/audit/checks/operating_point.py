"""What the model decides at its threshold, in all images and by group."""

from __future__ import annotations

from collections.abc import Iterator

from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.measures.rates import share, share_of_cell
from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.table import operating_point as threshold
from shortcut_audit.audit.table.question import Question
from shortcut_audit.shapes import Bools

CELLS = ((1, 1), (1, 0), (0, 1), (0, 0))
SHARES = ("sensitivity", "specificity", "ppv")
CHANGES = ("sensitivity_change", "false_alarm_change")


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
    point = threshold.operating_point(question)
    if point.threshold is None:
        return Findings(metrics=tuple(_undefined(question, f"there is no threshold: {point.reason}")))
    above = threshold.flagged(question, point.threshold)
    return Findings(metrics=(*_shares(question, above), *_cells(question, above)))


def _groups(question: Question) -> dict[str, tuple[Bools, str]]:
    """Return the groups with their test rows and the words that say whose they are."""
    return {"all": (question.test, "")} | {
        f"within:{value}": (
            question.test & (question.values == value),
            f" {question.state_name(value)}",
        )
        for value in (1, 0)
    }


def _shares(question: Question, above: Bools) -> Iterator[Metric]:
    for group, (rows, whose) in _groups(question).items():
        parts = (
            (rows & question.label, above, f"the test set has no positives{whose}"),
            (rows & ~question.label, ~above, f"the test set has no negatives{whose}"),
            (rows & above, question.label, f"no test image{whose} is flagged at the threshold"),
        )
        for name, (among, hits, empty) in zip(SHARES, parts, strict=True):
            yield question.metric(name, share(question, among, hits, empty), group)


def _cells(question: Question, above: Bools) -> Iterator[Metric]:
    found = {cell: share_of_cell(question, above, *cell) for cell in CELLS}
    for (label, value), one in found.items():
        yield question.metric("flagged_share", one, f"cell:{label}:{value}")
    for label, name in zip((1, 0), CHANGES, strict=True):
        yield question.metric(name, found[label, 1] - found[label, 0])


def _undefined(question: Question, reason: str) -> Iterator[Metric]:
    none = question.undefined(reason)
    for group in _groups(question):
        for name in SHARES:
            yield question.metric(name, none, group)
    for label, value in CELLS:
        yield question.metric("flagged_share", none, f"cell:{label}:{value}")
    for name in CHANGES:
        yield question.metric(name, none)
