"""Stage that writes a plan: it reads which images are tested and computes no result."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from shortcut_audit.audit.plans.images import Scope, plan_ids, plan_values, scope_of_table
from shortcut_audit.audit.plans.plan import Plan, PlannedData, plan_text
from shortcut_audit.audit.run import ask_questions
from shortcut_audit.audit.table.question import Setting
from shortcut_audit.audit.table.scores import read_scores
from shortcut_audit.config import Config
from shortcut_audit.data.manifest import Manifest, Pairs, TestDesign
from shortcut_audit.errors import BusyError
from shortcut_audit.provenance import PRIVATE, write_atomic


def freeze_scores(config: Config, path: Path, target: Path, *, intended_use: str) -> Plan:
    """Write the plan of an audit of a table; the table may come without its column of scores.

    Args:
        config: what is to be asked.
        path: the table.
        target: the plan's file.
        intended_use: what the model is for.

    Raises:
        UsageError: a column or an attribute that the table does not have.
        InputError: a cell of the table, or no test rows.
        BusyError: ``target`` is there already.
    """
    table = read_scores(path, scored=False)
    scored = table.frame["score"].n_unique() > 1  # one score for all is none: the model's name says nothing yet
    setting = Setting.of_table(config)
    ask_questions(table, setting)
    scope = scope_of_table(table, scored=scored)
    return _write(config, scope, setting.pairs, setting.test_design, target, intended_use)


def freeze_films(config: Config, manifest: Manifest, scope: Scope, target: Path, *, intended_use: str) -> Plan:
    """Write the plan of an audit of images; arguments and errors as in :func:`freeze_scores`."""
    card = manifest.card
    return _write(config, scope, card.pairs, card.test_design, target, intended_use)


def _write(
    config: Config, scope: Scope, pairs: Pairs, test_design: TestDesign, target: Path, intended_use: str
) -> Plan:
    if target.exists():
        raise BusyError(f"{target} is there already, and a plan is never written over; choose another name")
    plan = Plan(
        plan=1,
        frozen=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        version=version("shortcut-audit"),
        intended_use=" ".join(intended_use.split()),
        evaluate=config.evaluate,
        dataset=PlannedData(pairs=pairs, test_design=test_design),
        findings=scope.findings,
        models=scope.models,
        test_ids=plan_ids(scope),
        test_values=plan_values(scope, config.evaluate.spurious),
    )
    write_atomic(target, plan_text(plan), mode=PRIVATE)
    return plan
