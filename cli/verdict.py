"""How a verdict is told on a terminal, and the exit code it asks for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .output import emit, emit_json

if TYPE_CHECKING:
    from shortcut_audit.audit.plans.policy import Gate
    from shortcut_audit.audit.result.judgement import Status, Verdict
    from shortcut_audit.audit.result.result import AuditResult
    from shortcut_audit.pipeline import Outcome

FailOn = Literal["fail", "concern", "insufficient", "never"]
SYMBOLS = {"fail": "✖", "concern": "!", "insufficient": "?", "pass": "✔"}
JUNIT = "policy.junit.xml"
OUTPUTS = ("audit.json", "report.html", "scores.csv", "arms.json")


def show(outcome: Outcome, *, as_json: bool, gate: Gate | None = None) -> None:
    """Print what a stage did: plan, verdicts, its lines and the gate, or all of it as JSON."""
    if as_json:
        emit_json({**summary(outcome.run, outcome.result), **(_gate_told(gate) if gate else {})})
        return
    result = outcome.result
    told = [*plan_lines(result), *verdict_lines(result)] if result else []
    ruled = [*gate_lines(gate), f"junit:   {outcome.run / JUNIT}"] if gate else []
    for line in (*told, *outcome.lines, *ruled):
        emit(line)


def plan_lines(result: AuditResult) -> list[str]:
    """Return which plan an audit was made by, and every deviation with the reason given."""
    plan = result.plan
    if plan is None:
        return []
    name = f"{plan.file} (SHA-256 {plan.sha256[:12]})"
    if not plan.deviations:
        held = "" if plan.holds_values else " It does not hold labels and attributes: whether these were is not known."
        return [f"By the plan {name}: nothing was changed.{held}"]
    changed = [f"    {one.what}: {one.asked}, planned {one.planned}" for one in plan.deviations]
    return [f"! DEVIATES from the plan {name}:", *changed, f"    Reason given: {plan.reason}"]


def gate_lines(gate: Gate) -> list[str]:
    """Return what the policy made of the audit: refusals, allowances, notes, and the exit code it asks for."""
    ends = Counter(ruling.ruled for ruling in gate.rulings)
    counts = ", ".join(f"{ends[ruled]} {ruled}" for ruled in ("refused", "allowed", "accepted"))
    unknown = sum(ruling.inconclusive for ruling in gate.rulings)
    passed = f"; {unknown} let through INSUFFICIENT, which is not a pass" if unknown else ""
    rulings = [
        f"    {ruling.ruled}: {ruling.verdict.status.upper()} {_subject(ruling.verdict)} ({ruling.why})"
        for ruling in gate.rulings if ruling.verdict.status != "pass"
    ]  # fmt: skip
    head = f"policy {gate.file}: {counts}{passed}; exit code {gate.code}"
    return [head, *rulings, *(f"    note: {note}" for note in gate.notes)]


def _gate_told(gate: Gate) -> dict[str, Any]:
    rulings = [
        {"verdict": ruling.verdict.model_dump(mode="json"), "ruled": ruling.ruled, "why": ruling.why,
         "inconclusive": ruling.inconclusive}
        for ruling in gate.rulings
    ]  # fmt: skip
    told = {"file": gate.file, "sha256": gate.sha256, "exit_code": gate.code, "notes": list(gate.notes)}
    return {"policy": {**told, "rulings": rulings}}


def summary(run: Path, result: AuditResult | None) -> dict[str, Any]:
    """Return what ``--json`` prints: where things lie, status and verdicts."""
    found = {name.partition(".")[0]: str(run / name) for name in OUTPUTS if (run / name).is_file()}
    told = {"status": result.status, "verdicts": [v.model_dump(mode="json") for v in result.verdicts]} if result else {}
    plan = {"plan": result.plan.model_dump(mode="json")} if result and result.plan else {}
    return {"run": str(run), **found, **told, **plan}


def verdict_lines(result: AuditResult) -> list[str]:
    """Return the verdicts in words, the worst first."""
    from shortcut_audit.audit.result.judgement import SEVERITY

    ordered = sorted(result.verdicts, key=lambda verdict: -SEVERITY.index(verdict.status))
    return [line for verdict in ordered for line in _told(verdict)]


def _told(verdict: Verdict) -> list[str]:
    head = f"{SYMBOLS[verdict.status]} {verdict.status.upper()}  {_subject(verdict)}"
    if verdict.gap is not None and verdict.reliance is not None:
        head += f": gap {verdict.gap.upper()}, reliance {verdict.reliance.upper()}"
    return [head, *(f"    {sentence}" for sentence in verdict.sentences)]


def _subject(verdict: Verdict) -> str:
    """Return what a verdict is about; of a limit, which one."""
    limit = f": limit {verdict.limit}" if verdict.limit else ""
    return f"{verdict.model}, {verdict.finding}, {verdict.attribute}{limit}"


def exit_code(result: AuditResult, fail_on: FailOn) -> int:
    """Return 1 for FAIL or CONCERN at or above ``fail_on``, 3 for INSUFFICIENT where that is asked for, else 0."""
    return code_of(result.status, fail_on)


def code_of(status: Status, fail_on: FailOn) -> int:
    """Return the exit code of a status, as :func:`exit_code` does."""
    from shortcut_audit.audit.result.judgement import SEVERITY

    if fail_on == "never" or SEVERITY.index(status) < SEVERITY.index(fail_on):
        return 0
    return 3 if status == "insufficient" else 1
