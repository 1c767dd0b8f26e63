"""The list of images to label next, ``label_next.csv``: ids, so it is not to be shared.

How many of each class is planned in :mod:`shortcut_audit.audit.attribute_labels.label_next`. Which of them
is left to a hash of their ids, one image of each patient first: choosing by score would bias the robust AUROC.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from shortcut_audit.audit.attribute_labels.label_next import LabelPlan, plan_labels, unknown_rows
from shortcut_audit.audit.run import ask_questions
from shortcut_audit.audit.table.question import Question, Setting
from shortcut_audit.audit.table.scores import ScoresTable
from shortcut_audit.audit.table.units import collapse
from shortcut_audit.provenance import PRIVATE, write_table
from shortcut_audit.shapes import Ints

LABEL_NEXT = "label_next.csv"


def label_list(questions: Sequence[Question]) -> list[tuple[str, str, str]]:
    """Return (sample id, finding, attribute) of the images to label next, the first to be labelled first.

    Of several models the one that needs the most labels decides for a finding and attribute.
    """
    largest: dict[tuple[str, str], tuple[int, Question, LabelPlan]] = {}
    for question in questions:
        plan = plan_labels(question) if question.role == "model" else ""
        about = question.finding, question.attribute
        if isinstance(plan, LabelPlan) and plan.total > largest.get(about, (0,))[0]:
            largest[about] = plan.total, question, plan
    return [
        (question.samples[int(row)], question.finding, question.attribute)
        for _, question, plan in largest.values()
        for row in _chosen(question, plan)
    ]


def _chosen(question: Question, plan: LabelPlan) -> Iterator[int]:
    unknown = unknown_rows(question)
    for side, count in ((question.label, plan.positives), (~question.label, plan.negatives)):
        yield from _in_order(question, np.flatnonzero(unknown & side))[:count]


def _in_order(question: Question, rows: Ints) -> list[int]:
    """Return rows by the hash of their ids, the first image of every patient before all second ones."""
    hashed = sorted(rows.tolist(), key=lambda row: hashlib.sha256(question.samples[row].encode()).digest())
    seen: dict[int, int] = {}
    turn = {}
    for row in hashed:
        patient = int(question.sampling.clusters[row])
        turn[row] = seen[patient] = seen.get(patient, -1) + 1
    return sorted(hashed, key=turn.__getitem__)


def write_label_list(table: ScoresTable, setting: Setting, folder: Path) -> None:
    """Write ``label_next.csv`` with mode 0600, if there is anything to label: ids, and no scores or labels.

    Args:
        table: one row an image.
        setting: what is asked.
        folder: where it goes.
    """
    table = collapse(table, setting.limits.per)
    blank = [name for name in table.attributes if table.frame[f"attribute.{name}"].null_count()]
    asked = [one for one in setting.limits.spurious if one in blank or one.partition("=")[0] in blank]
    if not asked:
        return
    limits = setting.limits.model_copy(update={"spurious": asked})
    found = label_list(ask_questions(table, replace(setting, limits=limits)))
    if found:
        write_table(folder / LABEL_NEXT, ("sample_id", "finding", "attribute"), found, mode=PRIVATE)
