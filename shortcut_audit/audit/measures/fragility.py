"""How many overlooked findings would undo a FAIL: a count, and which images to read again.

Negatives with the attribute often hide the finding (a tube drains what is left of a pneumothorax). The
highest-scored ones are taken as positives, one after another, until the verdict is no longer FAIL; a small
number says that the verdict hangs on few labels. Taken as positives, not left out: that is what an overlooked
finding would make of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from shortcut_audit.audit.checks import CHECKS
from shortcut_audit.audit.evidence import Case, correct, decide
from shortcut_audit.audit.result.examples import Reread
from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.statistics.estimate import Estimate, Undefined
from shortcut_audit.audit.table.question import Question
from shortcut_audit.shapes import Ints

MOST = 100
"""Negatives that are relabelled at most: more are no slip of the labels, and nobody reads them all again."""
JUDGED_BY = ("skill", "reliance")
"""What a FAIL hangs on; a gap alone never fails (the table of ``audit/evidence.py``)."""
METHOD = "highest-scored conflicting negatives taken as positives until the verdict is no FAIL; a count, no interval"


def conflicting_negatives(question: Question) -> Ints:
    """Return the at most ``MOST`` highest-scored test negatives whose attribute suggests the finding, in that order."""
    rows = np.flatnonzero(question.cell(0, 1))
    if len(rows) > MOST:
        least = np.partition(question.score[rows], len(rows) - MOST)[len(rows) - MOST]
        rows = rows[question.score[rows] >= least]
    # Equal scores in the order of their ids, so that the order of the table does not matter.
    names = question.samples.gather(rows).rank("ordinal").to_numpy()
    return rows[np.lexsort((names, -question.score[rows]))][:MOST]


def fragility_index(case: Case, judged: Sequence[Case]) -> Metric:
    """Return how many conflicting negatives must be relabelled for the verdict on ``case`` to be no FAIL.

    Found by bisection, so at that number the FAIL is lost and at one less it is not.

    Args:
        case: one of ``judged``.
        judged: all cases, after Holm's correction, which is made anew.
    """
    # A copy, so that what is worked out for the counts does not stay.
    question = replace(case.question)
    tally = question.overall.tally
    if decide(case)[0] != "fail":
        return question.record("fragility_index", Undefined(reason="the verdict is not a FAIL", tally=tally))
    rows = conflicting_negatives(question)
    if not len(rows):
        reason = f"there are no {question.cell_name(0, 1)} to relabel"
        return question.record("fragility_index", Undefined(reason=reason, tally=tally))
    if _fails(case, judged, rows):
        reason = f"it stays a FAIL if the {len(rows)} highest-scored {question.cell_name(0, 1)} are taken as positives"
        return question.record("fragility_index", Undefined(reason=reason, tally=tally))
    kept, lost = 0, len(rows)
    while lost - kept > 1:
        middle = (kept + lost) // 2
        kept, lost = (middle, lost) if _fails(case, judged, rows[:middle]) else (kept, middle)
    found = Estimate(
        value=float(lost), low=float(lost), high=float(lost), confidence=question.limits.confidence, tally=tally,
        method=METHOD,
    )  # fmt: skip
    return question.record("fragility_index", found).model_copy(update={"low": None, "high": None})


def rereads(questions: Iterable[Question], indices: Sequence[Metric]) -> tuple[Reread, ...]:
    """Return which cases to read again where a FAIL is lost by relabelling few; the same image has one number."""
    numbers: dict[str, str] = {}
    found = []
    for question, index in zip(questions, indices, strict=True):
        if index.value is None:
            continue
        for sample in _samples(question, int(index.value)):
            numbers.setdefault(sample, f"re-read {len(numbers) + 1:04d}")
        cases = tuple(numbers[sample] for sample in _samples(question, int(index.value)))
        found.append(
            Reread(model=question.model, finding=question.finding, attribute=question.attribute, cases=cases)
        )  # fmt: skip
    return tuple(found)


def reread_ids(questions: Iterable[Question], listed: Sequence[Reread]) -> list[tuple[str, str]]:
    """Return case number and sample id of the cases to read again, each once."""
    asked = {(question.model, question.finding, question.attribute): question for question in questions}
    ids: dict[str, str] = {}
    for one in listed:
        question = asked[one.model, one.finding, one.attribute]
        ids.update(zip(one.cases, _samples(question, len(one.cases)), strict=True))
    return list(ids.items())


def _samples(question: Question, count: int) -> list[str]:
    return question.samples.gather(conflicting_negatives(question)[:count]).to_list()


def _fails(case: Case, judged: Sequence[Case], rows: Ints) -> bool:
    label = case.question.label.copy()
    label[rows] = True
    question = replace(case.question, label=label)
    findings = {**case.findings, **{name: CHECKS.get(name)(question) for name in JUDGED_BY}}
    relabelled = Case(question=question, findings=findings)
    place = next(number for number, one in enumerate(judged) if one is case)
    corrected = correct([*judged[:place], relabelled, *judged[place + 1 :]])
    return decide(corrected[place])[0] == "fail"
