"""What the model decides at its threshold: shares of right and of flagged images, and their change with the attribute.

Without a threshold every number is undefined, with the reason.
"""

from __future__ import annotations

from shortcut_audit.audit.measures.rates import share, share_of_cell
from shortcut_audit.audit.statistics.estimate import Contrast
from shortcut_audit.audit.table.operating_point import flagged
from shortcut_audit.audit.table.question import Question
from shortcut_audit.shapes import Bools

CELLS = ((1, 1), (1, 0), (0, 1), (0, 0))
SHARES = ("sensitivity", "specificity", "ppv")
CHANGES = ("sensitivity_change", "false_alarm_change")
Numbers = dict[tuple[str, str], Contrast]
"""By name and group."""


def decisions(question: Question) -> Numbers:
    """Return the shares of all test images and within each own value of the attribute."""
    groups = {"all": (question.test, "")} | {
        f"within:{value}": (question.test & (question.values == value), f" {question.state_name(value)}")
        for value in (1, 0)
    }
    above = flagged(question)
    if isinstance(above, str):
        return {(name, group): question.undefined(above) for group in groups for name in SHARES}
    return {
        (name, group): found
        for group, (rows, whose) in groups.items()
        for name, found in zip(SHARES, _shares(question, above, rows, whose), strict=True)
    }


def _shares(question: Question, above: Bools, rows: Bools, whose: str) -> tuple[Contrast, ...]:
    return (
        share(question, rows & question.label, above, f"the test set has no positives{whose}"),
        share(question, rows & ~question.label, ~above, f"the test set has no negatives{whose}"),
        share(question, rows & above, question.label, f"no test image{whose} is flagged at the threshold"),
    )


def flagged_shares(question: Question) -> Numbers:
    """Return the share flagged of each cell by the attribute's own values."""
    above = flagged(question)
    if isinstance(above, str):
        return {("flagged_share", f"cell:{label}:{value}"): question.undefined(above) for label, value in CELLS}
    return {
        ("flagged_share", f"cell:{label}:{value}"): share_of_cell(question, above, label, value)
        for label, value in CELLS
    }


def changes(question: Question) -> Numbers:
    """Return sensitivity and false-alarm rate with the attribute less those without it."""
    above = flagged(question)
    if isinstance(above, str):
        return {(name, "all"): question.undefined(above) for name in CHANGES}
    return {
        (name, "all"): share_of_cell(question, above, label, 1) - share_of_cell(question, above, label, 0)
        for label, name in zip((1, 0), CHANGES, strict=True)
    }
