"""From evidence to verdict: two answers, one table.

    gap, reliance:   shown   open                                        excluded
    beyond           FAIL    CONCERN                                     CONCERN
    open             FAIL    CONCERN if the gap is not 0, else INSUFF.   INSUFFICIENT
    within           FAIL    CONCERN                                     PASS

Before the table: a model without skill, and attributes that were reversed jointly, are INSUFFICIENT.
After it: a cell with few patients is INSUFFICIENT unless pairs show reliance, and a PASS needs images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from shortcut_audit.audit.checks import Findings
from shortcut_audit.audit.plans.planning import patients_by_scaling
from shortcut_audit.audit.result.judgement import Answer, GapAnswer, RelianceAnswer, Status, Verdict
from shortcut_audit.audit.table.question import Question
from shortcut_audit.audit.wording import sentences

GAP: Mapping[str, GapAnswer] = {"yes": "beyond", "no": "within", "cannot tell": "open"}
RELIANCE: Mapping[str, RelianceAnswer] = {"yes": "shown", "no": "excluded", "cannot tell": "open"}
TABLE: Mapping[tuple[GapAnswer, RelianceAnswer], Status] = {
    ("beyond", "shown"): "fail", ("beyond", "open"): "concern", ("beyond", "excluded"): "concern",
    ("open", "shown"): "fail", ("open", "open"): "insufficient", ("open", "excluded"): "insufficient",
    ("within", "shown"): "fail", ("within", "open"): "concern", ("within", "excluded"): "pass",
}  # fmt: skip
GAP_ALONE: Mapping[GapAnswer, Status] = {"beyond": "concern", "open": "insufficient", "within": "pass"}
RELIANCE_ALONE: Mapping[RelianceAnswer, Status] = {"shown": "fail", "open": "insufficient", "excluded": "pass"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A question with what the checks found, by check."""

    question: Question
    findings: Mapping[str, Findings]

    def answer(self, check: str) -> Answer:
        """Return the one answer of a check that decides."""
        return self.findings[check].answers[0]

    @property
    def gap(self) -> GapAnswer:
        """The first question's answer."""
        return GAP[self.answer("gap").evidence]

    @property
    def reliance(self) -> RelianceAnswer:
        """The second question's answer."""
        return RELIANCE[self.answer("reliance").evidence]


def correct(cases: Sequence[Case]) -> list[Case]:
    """Open every gap and every reliance that does not survive Holm's correction over all rows asked for.

    One-sided at half of 1 - confidence; each of the two questions is a family of its own. Intervals stay
    as they are.
    """
    corrected = list(cases)
    for check in ("gap", "reliance"):
        survives = holm(
            [case.findings[check].p for case in cases], [(1 - case.question.limits.confidence) / 2 for case in cases]
        )
        corrected = [
            case if alive or case.answer(check).evidence != "yes" else _opened(case, check, len(cases))
            for case, alive in zip(corrected, survives, strict=True)
        ]
    return corrected


def holm(p_values: Sequence[float], levels: Sequence[float]) -> list[bool]:
    """Return which hypotheses are rejected (Holm 1979): the k-th smallest p at level / (rows - k + 1)."""
    rejected = [False] * len(p_values)
    for rank, row in enumerate(sorted(range(len(p_values)), key=lambda row: p_values[row])):
        if p_values[row] > levels[row] / (len(p_values) - rank):
            break
        rejected[row] = True
    return rejected


def _opened(case: Case, check: str, rows: int) -> Case:
    found = case.findings[check]
    answer = found.answers[0]
    question = case.question
    natural_gap = check == "gap" and not question.reversed
    cell, patients = question.smallest_cell if natural_gap else question.scarcer_class(question.test)
    assert answer.value is not None
    assert answer.low is not None
    assert answer.high is not None
    assert answer.limit is not None
    needed = patients_by_scaling(
        patients, half=(answer.high - answer.low) / 2, distance=abs(answer.value) - answer.limit,
        confidence=question.limits.confidence, rows=rows * found.sources,
    )  # fmt: skip
    opened = answer.model_copy(
        update={
            "evidence": "cannot tell", "n_needed": needed, "cell_needed": cell,
            "reason": f"{answer.reason}, which does not survive {_correction(rows, found.sources)}",
        }
    )  # fmt: skip
    return replace(case, findings={**case.findings, check: replace(found, answers=(opened, *found.answers[1:]))})


def _correction(rows: int, sources: int) -> str:
    said = [f"Holm's correction over {rows} rows"] if rows > 1 else []
    if sources > 1:
        said.append("the correction for two sources (the pairs and the reference model)")
    return " and ".join(said)


def judge(case: Case) -> Verdict:
    """Return the verdict on one question and the rule that decided."""
    status, rule = decide(case)
    question, ask = case.question, case.question.limits.ask
    used = {"gap": ("gap",), "reliance": ("reliance",), "both": ("gap", "reliance")}[ask]
    return Verdict(
        model=question.model, finding=question.finding, attribute=question.attribute, status=status, gap=case.gap,
        reliance=case.reliance, rule=rule, answers=("skill",) if rule.startswith("skill") else used,
        sentences=sentences(
            question, status, rule, skill=case.answer("skill"), gap=case.answer("gap"),
            reliance=case.answer("reliance"), both_sides="both sides" in case.findings["gap"].remarks,
        ),
    )  # fmt: skip


def decide(case: Case) -> tuple[Status, str]:
    """Return the status of one question and the rule that it follows from, without the words."""
    question, limits = case.question, case.question.limits
    if question.joint:
        return "insufficient", "design:reversed"
    if question.reversed and question.validation.reason:
        return "insufficient", "design:reversed:no validation"
    if case.answer("skill").evidence != "yes":
        return "insufficient", "skill"
    few = not question.reversed and question.smallest_cell[1] < limits.min_cell_patients
    if few and limits.ask != "reliance" and not (case.reliance == "shown" and limits.ask == "both"):
        return "insufficient", "cell"
    status, rule = _look_up(case)
    if status == "pass" and _fewest_images(question) < limits.min_pass_images:
        return "insufficient", "images"
    return status, rule


def _look_up(case: Case) -> tuple[Status, str]:
    gap, reliance, ask = case.gap, case.reliance, case.question.limits.ask
    if ask == "gap":
        return GAP_ALONE[gap], f"ask:gap:{gap}"
    if ask == "reliance":
        return RELIANCE_ALONE[reliance], f"ask:reliance:{reliance}"
    rule = f"table:{gap}:{reliance}"
    remarks = case.findings["gap"].remarks
    if (gap, reliance) == ("open", "open") and remarks:
        return "concern", f"{rule}:{'gap is not 0' if 'gap is not 0' in remarks else 'both sides'}"
    return TABLE[gap, reliance], rule


def _fewest_images(question: Question) -> int:
    """Return the images of the scarcest group that a PASS rests on."""
    if question.reversed or question.limits.ask == "reliance":
        return min(question.overall.tally.n_pos, question.overall.tally.n_neg)
    return min(cell.images for cell in question.cells)
