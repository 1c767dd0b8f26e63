"""What is measured of every group that is searched for the worst: ranking, and decisions at the threshold.

A *cell* of a group is its positives or its negatives; the share of right decisions in a cell is its accuracy
(sensitivity or specificity), so that the lowest over cells hangs on no prevalence (Sagawa et al. 2020).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from shortcut_audit.audit.measures.rates import share
from shortcut_audit.audit.statistics.estimate import Contrast
from shortcut_audit.audit.statistics.metrics import count_patients
from shortcut_audit.audit.table.operating_point import flagged
from shortcut_audit.audit.table.question import Question
from shortcut_audit.audit.table.subgroups import Groups
from shortcut_audit.shapes import Bools

ByGroup = Mapping[str, Contrast]


def group_numbers(question: Question, groups: Groups) -> Mapping[str, ByGroup]:
    """Return AUROC, sensitivity, specificity and accuracy of cells by group, undefined where patients are too few.

    A control decides nothing: of it only the AUROC.
    """
    ranked = {"auroc": {name: group_auroc(question, name, rows) for name, rows in groups.items()}}
    if question.role == "control":
        return ranked
    above = flagged(question)
    right = {
        words: {name: _right(question, above, rows, label, f"{words} of {name}") for name, rows in groups.items()}
        for label, words in ((True, "positives"), (False, "negatives"))
    }
    cells = {f"{words} of {name}": found for words, cell in right.items() for name, found in cell.items()}
    return {**ranked, "sensitivity": right["positives"], "specificity": right["negatives"], "accuracy": cells}


def group_auroc(question: Question, name: str, rows: Bools) -> Contrast:
    """Return the AUROC within a group, undefined where a class has too few patients to tell."""
    positives, negatives = rows & question.label, rows & ~question.label
    for side, words in ((positives, "positives"), (negatives, "negatives")):
        if reason := _too_small(question, side, f"{words} of {name}"):
            return Contrast(sampling=question.sampling, reason=reason, rows=(positives, negatives))
    return question.between(positives, negatives, "")


def _right(question: Question, above: Bools | str, rows: Bools, label: bool, name: str) -> Contrast:
    """Return the share of right decisions in a cell of a group."""
    among = rows & (question.label == label)
    reason = above if isinstance(above, str) else _too_small(question, among, name)
    if reason or isinstance(above, str):
        sides = among & question.label, among & ~question.label
        return Contrast(sampling=question.sampling, reason=reason, rows=sides)
    return share(question, among, above == question.label, "")


def _too_small(question: Question, rows: Bools, name: str) -> str | None:
    patients, least = count_patients(np.flatnonzero(rows), question.sampling), question.limits.min_cell_patients
    return f"too small: {patients} patients in the {name}, under {least}" if patients < least else None
