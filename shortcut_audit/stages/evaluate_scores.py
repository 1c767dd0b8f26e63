"""The audit of a table of scores: no images, no torch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shortcut_audit.audit.attribute_labels.label_list import LABEL_NEXT, write_label_list
from shortcut_audit.audit.cases import write_cases
from shortcut_audit.audit.plans.deviations import PlanInForce
from shortcut_audit.audit.plans.images import scope_of_table
from shortcut_audit.audit.result.result import AuditResult, read_result, write_result
from shortcut_audit.audit.run import audit_table, cases_to_reread
from shortcut_audit.audit.table.question import Setting
from shortcut_audit.audit.table.scores import read_scores, refuse_one_class
from shortcut_audit.audit.table.size import announce
from shortcut_audit.config import Config
from shortcut_audit.errors import BusyError, OutputError
from shortcut_audit.provenance import collect_provenance, command_line, copy_private, sha256_file
from shortcut_audit.report.render import write_report
from shortcut_audit.runs import RECORD, RUNS
from shortcut_audit.runtime import say

AUDIT = "audit.json"
CASES = "cases.csv"
SCORES = "scores.csv"
OUTPUTS = (SCORES, CASES, LABEL_NEXT, "report.html")


def audit_file(
    config: Config, path: Path, out: Path | None, plan: PlanInForce | None = None
) -> tuple[AuditResult, Path]:
    """Audit a CSV of scores; write ``audit.json`` first, then ``report.html``; return result and folder.

    Of a large table it is first said how much memory it takes.
    Where the attribute of some images is unknown, ``label_next.csv`` lists which of them to label next.

    Args:
        config: ``evaluate`` holds what is asked, ``dataset`` how the rows came about.
        path: the table, columns as in :mod:`shortcut_audit.audit.table.scores`.
        out: folder to write to; None: a new one under ``./runs``.
        plan: the plan that the audit is to keep to.

    Raises:
        UsageError: a column is not there, or something is not as planned.
        InputError: a cell of the table; one class only.
        BusyError: ``out`` holds another audit.
    """
    announce(path, len(config.evaluate.spurious))
    table = read_scores(path)
    refuse_one_class(table, where=str(path))
    plan = plan.checked(scope_of_table(table)) if plan else None
    inputs = {"scores": sha256_file(path), **({"plan": plan.sha256} if plan else {})}
    folder = out or RUNS / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{path.stem}"
    setting = Setting.of_table(config)
    said = {"name": config.dataset.title or path.stem, "source": config.dataset.source}
    refuse_other(folder, {**questions(config), "plan": None, **inputs})
    result = audit_table(
        table,
        setting,
        dataset={**said, "pairs": setting.pairs, "test_design": setting.test_design},
        provenance=collect_provenance(
            command=command_line(), config=config.model_dump(mode="json"), seed=None, inputs=inputs
        ),
        plan=plan,
    )
    write_label_list(table, setting, folder)
    write_result(result, folder / AUDIT)
    copy_private(path, folder / SCORES)
    listed = cases_to_reread(table, result, setting)
    if listed:
        write_cases([], folder / CASES, rereads=listed)
    write_report(folder, ("html",))
    for note in result.notes:
        say(f"note: {note}")
    return result, folder


def questions(config: Config) -> dict[str, Any]:
    """Return what is asked: the ``evaluate`` section, and what is said of pairs and of the test's design."""
    dataset = config.dataset
    return {
        "evaluate": config.evaluate.model_dump(mode="json"),
        "pairs": dataset.pairs,
        "test_design": dataset.test_design,
    }


def asks_the_same(folder: Path, asked: Mapping[str, Any]) -> bool:
    """Whether the audit in ``folder`` asked the same of the same inputs.

    ``asked`` holds :func:`questions` and digests of inputs by name, None where there must be no such input.
    """
    found = read_result(folder / AUDIT).provenance
    try:
        was = {**found.inputs, **questions(Config.model_validate(found.config))}
    except ValidationError:
        return False
    return all(was.get(name) == value for name, value in asked.items())


def refuse_other(folder: Path, asked: Mapping[str, Any]) -> None:
    """Raise BusyError if ``folder`` holds an audit of something else, or files that we would write over."""
    if not (folder / AUDIT).exists():
        for name in OUTPUTS:
            if (folder / name).exists() and not (folder / RECORD).exists():
                raise BusyError(
                    f"{folder / name} is there already and not of an audit; choose another folder with --out"
                )
        return
    try:
        same = asks_the_same(folder, asked)
    except OutputError:
        same = False
    if not same:
        raise BusyError(f"{folder} holds another audit; choose another folder with --out")
