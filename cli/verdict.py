"""How a verdict is told on a terminal, and the exit code it asks for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .output import emit, emit_json

if TYPE_CHECKING:
    from shortcut_audit.audit.result import AuditResult, Verdict
    from shortcut_audit.pipeline import Outcome

FailOn = Literal["fail", "concern", "insufficient", "never"]
SYMBOLS = {"fail": "✖", "concern": "!", "insufficient": "?", "pass": "✔"}
OUTPUTS = ("audit.json", "report.html", "scores.csv")


def show(outcome: Outcome, *, as_json: bool) -> None:
    """Print what a stage did: verdicts and its lines, or run folder, files and verdicts as JSON."""
    if as_json:
        emit_json(summary(outcome.run, outcome.result))
        return
    for line in (*(verdict_lines(outcome.result) if outcome.result else ()), *outcome.lines):
        emit(line)


def summary(run: Path, result: AuditResult | None) -> dict[str, Any]:
    """Return what ``--json`` prints: where things lie, status and verdicts."""
    found = {name.partition(".")[0]: str(run / name) for name in OUTPUTS if (run / name).is_file()}
    told = {"status": result.status, "verdicts": [v.model_dump(mode="json") for v in result.verdicts]} if result else {}
    return {"run": str(run), **found, **told}


def verdict_lines(result: AuditResult) -> list[str]:
    """Return the verdicts in words, the worst first."""
    from shortcut_audit.audit.result import SEVERITY

    ordered = sorted(result.verdicts, key=lambda verdict: -SEVERITY.index(verdict.status))
    return [line for verdict in ordered for line in _told(verdict)]


def _told(verdict: Verdict) -> list[str]:
    head = (
        f"{SYMBOLS[verdict.status]} {verdict.status.upper()}  {verdict.model}, {verdict.finding}, {verdict.attribute}:"
        f" gap {verdict.gap.upper()}, reliance {verdict.reliance.upper()}"
    )
    return [head, *(f"    {sentence}" for sentence in verdict.sentences)]


def exit_code(result: AuditResult, fail_on: FailOn) -> int:
    """Return 1 for FAIL or CONCERN at or above ``fail_on``, 3 for INSUFFICIENT where that is asked for, else 0."""
    from shortcut_audit.audit.result import SEVERITY

    if fail_on == "never" or SEVERITY.index(result.status) < SEVERITY.index(fail_on):
        return 0
    return 3 if result.status == "insufficient" else 1
