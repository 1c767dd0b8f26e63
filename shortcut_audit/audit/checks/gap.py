"""The first question: does performance hold where the association breaks?"""

from __future__ import annotations

from typing import Protocol

from shortcut_audit.audit.checks import CHECKS, Findings, Remark
from shortcut_audit.audit.measures.case_mix import standardise
from shortcut_audit.audit.measures.margin import against_margin
from shortcut_audit.audit.plans.planning import patients_by_margin, patients_by_scaling
from shortcut_audit.audit.result.judgement import Answer, Evidence
from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.statistics.estimate import Contrast, Estimate, Undefined
from shortcut_audit.audit.table.question import Question

ONE_SIDED = 0.90
"""Two-sided confidence whose lower limit is the one-sided 95 % limit."""
Found = Estimate | Undefined


@CHECKS.register("gap")
def gap(question: Question) -> Findings:
    """Does performance hold where the attribute and the finding disagree?

    The gap is A_10 - A_01 = P + N exactly, P = ((A_10 - A_00) + (A_11 - A_01)) / 2 on the side of the
    positives, N = ((A_00 - A_01) + (A_10 - A_11)) / 2 on that of the negatives. Beyond: its interval lies
    wholly outside plus or minus the margin; within: wholly inside. Where the test set is reversed by
    design, AUROC(validation) - AUROC(test) stands in for it.
    """
    found = question.shift.estimate(question.limits.confidence)
    evidence, reason = _evidence(question, found)
    return Findings(
        answers=(_answer(question, found, evidence, reason),),
        metrics=_metrics(question),
        p=question.shift.p_beyond(question.limits.margin) if evidence == "yes" else 1.0,
        remarks=_remarks(question, found),
    )


class Cells(Protocol):
    """What has pairs of cells: a question, raw or standardised."""

    def pair(self, i: int, j: int, /) -> Contrast:
        """Return A_ij."""


def sides(cells: Cells) -> tuple[Contrast, Contrast]:
    """Return P and N, the shares of positives and of negatives in the gap."""
    a11, a10, a01, a00 = (cells.pair(i, j) for i, j in ((1, 1), (1, 0), (0, 1), (0, 0)))
    return 0.5 * (a10 - a00 + a11 - a01), 0.5 * (a00 - a01 + a10 - a11)


def _metrics(question: Question) -> tuple[Metric, ...]:
    positives, negatives = sides(question)
    metrics = [
        question.metric("auroc_gap", question.gap()),
        question.metric("gap_positive_side", positives),
        question.metric("gap_negative_side", negatives),
    ]
    if question.reversed:
        metrics.append(question.metric("designed_shift", question.shift))
    return tuple(metrics)


def _evidence(question: Question, found: Found) -> tuple[Evidence, str]:
    least = question.limits.min_cell_patients
    name, patients = question.smallest_cell
    if question.joint:
        return "cannot tell", "several attributes were reversed jointly in this test set; audit their composite"
    if isinstance(found, Undefined):
        return "cannot tell", found.reason
    if not question.reversed and patients < least:
        return "cannot tell", f"the cell {name} has {patients} patients, under {least}"
    return against_margin(found, question.limits.margin)


def _remarks(question: Question, found: Found) -> frozenset[Remark]:
    """Return what scores alone can say; severity and harder negatives together look the same."""
    remarks: set[Remark] = set()
    if isinstance(found, Estimate) and not found.low <= 0 <= found.high:
        remarks.add("gap is not 0")
    # Where the association was reversed by design, the cells of the test set are not those that it holds in.
    if not question.reversed and _both_sides(question):
        remarks.add("both sides")
    return frozenset(remarks)


def _both_sides(question: Question) -> bool:
    """Return whether P and N both say that the gap is more than half the margin.

    Case mix that was measured is first taken out. Raw shares count where nothing was measured, or where the
    order is turned round among the patients where the association breaks.
    """
    standardised = standardise(question)
    if standardised.measured and _above(sides(standardised), question.limits.margin / 2):
        return True
    if not _above(sides(question), question.limits.margin / 2):
        return False
    robust = question.pair(0, 1).estimate(question.limits.confidence)
    return not standardised.measured or (isinstance(robust, Estimate) and robust.high < 0.5)


def _above(shares: tuple[Contrast, Contrast], least: float) -> bool:
    found = [share.estimate(ONE_SIDED) for share in shares]
    return all(isinstance(share, Estimate) and share.low > least for share in found)


def _plan(question: Question, found: Found) -> tuple[int | None, str | None]:
    """Return about how many patients would decide, and in which cell; None where no number of them would."""
    limits, (cell, patients) = question.limits, question.smallest_cell
    if question.joint or (isinstance(found, Undefined) and (question.reversed or question.unlearnt)):
        return None, None
    if question.reversed:
        cell, patients = question.scarcer_class(question.test)
    elif isinstance(found, Undefined) or patients < limits.min_cell_patients:
        area = 0.8 if question.overall.reason else question.overall.value
        return patients_by_margin(area, limits.margin, limits.confidence), cell
    assert isinstance(found, Estimate)
    half, distance = (found.high - found.low) / 2, abs(found.value) - limits.margin
    return patients_by_scaling(patients, half=half, distance=distance, confidence=limits.confidence), cell


def _answer(question: Question, found: Found, evidence: Evidence, reason: str) -> Answer:
    known = found if isinstance(found, Estimate) else None
    needed, cell = _plan(question, found)
    return Answer(
        check="gap", kind="performance", model=question.model, finding=question.finding, attribute=question.attribute,
        question="Does performance hold where the attribute and the finding disagree?", evidence=evidence,
        number="designed_shift" if question.reversed else "auroc_gap", value=known.value if known else None,
        low=known.low if known else None, high=known.high if known else None, null=0.0, limit=question.limits.margin,
        limit_origin=question.setting.origin("margin"), reason=reason,
        n_needed=needed if evidence == "cannot tell" else None, cell_needed=cell if evidence == "cannot tell" else None,
        decides=True,
    )  # fmt: skip
