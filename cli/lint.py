"""``audit data lint``: what could be learnt by cheating."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import DataOptions, takes
from .output import emit, emit_json, emit_table, estimated

if TYPE_CHECKING:
    from shortcut_audit.audit.lint.result import ClueRecord, Leakage, LintResult, NearRecord

HEAD = ("said", "finding", "probe", "clue", "AUROC", "interval", "null: mean, 95 % below", "q", "films", "patients")
LEAKAGE = 4


@takes(DataOptions)
def lint(
    options: DataOptions,
    *,
    probe: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this probe: see 'audit list probes'. Repeatable.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Folder to write lint.json to.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 where a label is given away.")] = False,
) -> None:
    """Say what could be learnt by cheating, before anything is trained.

    Small models learn each label from what does not show the finding:
    the table, the masks there are, the background, the histogram, the
    file. Each AUROC stands beside labels exchanged among patients.
    Reads the tables and images (of more than 2,000 films, whole patients).
    Films that look alike across splits are counted, beside how many would
    by chance. Leaves lint.json, with --out. Exit code 4 where a patient or
    a file is in two splits.

    Example: audit data lint --dataset chexpert --attributes tubes.csv --out lint
    """
    from shortcut_audit.audit.lint.result import refuse_other, save_lint
    from shortcut_audit.audit.lint.run import lint as look
    from shortcut_audit.data.datasets import open_dataset

    config = options.load()
    manifest = open_dataset(config.dataset)
    if out:
        refuse_other(out, manifest.fingerprint)
    result = look(manifest, config, probes=probe or ())
    path = save_lint(result, out) if out else None
    if options.as_json:
        emit_json(result.model_dump(mode="json"))
    else:
        _show(result, path)
    raise typer.Exit(LEAKAGE if result.leakage.found else int(strict and bool(result.given_away)))


def _show(result: LintResult, path: Path | None) -> None:
    for note in result.notes:
        emit(f"note: {note}")
    known = [one for one in result.clues if one.value is not None]
    if known:
        emit_table(HEAD, (_row(one) for one in sorted(known, key=lambda one: (one.finding, -(one.value or 0)))))
    for one in result.clues:
        if one.reason:
            emit(f"not known: {one.finding}, {one.probe}, {one.clue}: {one.reason}")
    emit(_leakage(result.leakage))
    emit(_alike(result.leakage.alike_across_splits))
    emit(_summary(result))
    if path:
        emit(f"numbers: {path}")


def _row(one: ClueRecord) -> list[object]:
    null = f"{one.null_mean:.3f}, {one.null_high:.3f}"
    numbers = [f"{one.value:.3f}", f"{one.low:.3f} to {one.high:.3f}", null, f"{one.q:.3f}"]
    return [one.said.upper(), one.finding, one.probe, one.clue, *numbers, one.n, one.n_patients]


def _leakage(found: Leakage) -> str:
    told = (
        f"{found.patients_in_several_splits} of {found.n_patients} patients are in several splits; "
        f"{found.copied_files} of {found.n} files are copies of another, "
        f"{found.copied_across_splits} of them of one in another split"
    )
    return f"LEAKAGE: {told}" if found.found else f"no leakage: {told}"


def _alike(found: NearRecord) -> str:
    if not found.compared:
        return "alike: no two splits to look for films that look alike across"
    told = f"alike: {found.found} of {found.compared:,} pairs of other films across splits look alike"
    if found.expected is None or found.expected_low is None or found.expected_high is None:
        return f"{told}; how many would by chance is not known: no split has two patients"
    chance = f"{estimated(found.expected)} ({estimated(found.expected_low)} to {estimated(found.expected_high)})"
    more = ", fewer than are there: 'audit data check' names them" if found.found > found.expected_high else ""
    return f"{told}; by chance {chance} would{more}"


def _summary(result: LintResult) -> str:
    known = [one for one in result.clues if one.value is not None]
    traces = sum(one.said == "trace" for one in known)
    away = len(result.given_away)
    return (
        f"{len(known)} clues: {away} give a label away (q at most .05, whole interval above "
        f"{0.5 + result.margin:.2f}), {traces} are a trace (q at most .05)"
    )
