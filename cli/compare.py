"""``audit compare A B``: may the new version of a model take the place of the old one?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from .options import PrintOptions, takes
from .output import emit, emit_json, emit_table
from .verdict import SYMBOLS, FailOn, code_of

if TYPE_CHECKING:
    from shortcut_audit.audit.versions.update_result import Difference, NotWorse, Reading, UpdateResult

HEAD = ("model", "finding", "attribute", "number", "group", "A", "B", "B - A", "interval", "images", "patients")
WHAT = "A folder with an audit, its audit.json, or a CSV of scores"


@takes(PrintOptions)
def compare(
    options: PrintOptions,
    *,
    a: Annotated[Path, typer.Argument(metavar="A", help=f"The version there is. {WHAT}.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="The version that is to take its place; likewise.")],
    spurious: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Spurious attribute; else those that both audits asked about. Repeatable."),
    ] = None,
    association: Annotated[
        Literal["positive", "negative"] | None,
        typer.Option(help="Sign of the association in training, where no training row tells it."),
    ] = None,
    not_worse: Annotated[
        list[str] | None,
        typer.Option(metavar="[NUMBER=]MARGIN",
                     help="Is B worse than A by more than this? Of robust_auroc, or as in auroc=0.01. Repeatable."),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where it is written; else under ./runs.")] = None,
    fail_on: Annotated[
        FailOn, typer.Option(help="Exit 1 where B is worse; from insufficient on also 3 where we cannot tell.")
    ] = "fail",
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit 0 whatever the verdict.")] = False,
) -> None:  # fmt: skip
    """Compare two versions of a model on the films that both scored: paired differences, B - A.

    Reads scores.csv of both; needs neither torch nor images.
    Leaves compare.json, compare.md and compare.html. Exit code 1 if B is
    worse than A by more than the margin of --not-worse.

    Example: audit compare runs/old runs/new --not-worse 0.02 --out update
    """
    from shortcut_audit import pipeline
    from shortcut_audit.stages.compare import Asked

    asked = Asked(spurious=spurious or (), association=association, not_worse=not_worse or ())
    result, folder = pipeline.compare(a, b, asked, out=out)
    if options.as_json:
        emit_json(_summary(result, folder))
    else:
        _show(result, folder)
    raise typer.Exit(0 if exit_zero or result.status is None else code_of(result.status, fail_on))


def _summary(result: UpdateResult, folder: Path) -> dict[str, Any]:
    told = result.model_dump(mode="json", include={"status", "films", "not_worse", "verdicts", "differences", "notes"})
    return {"run": str(folder), "compare": str(folder / "compare.json"), "report": str(folder / "compare.html"), **told}


def _show(result: UpdateResult, folder: Path) -> None:
    for films in result.films:
        emit(f"{films.model}, {films.finding}: {films.images} films of {films.patients} patients in common; "
             f"only in A: {films.only_a}, only in B: {films.only_b}")  # fmt: skip
    emit_table(HEAD, (_row(one) for one in result.differences))
    for change in result.verdicts:
        emit(f"verdict of the audits on {change.model}, {change.finding}, {change.attribute}: "
             f"A {change.a.status.upper()}, B {change.b.status.upper()}")  # fmt: skip
    for note in result.notes:
        emit(note)
    for judged in result.not_worse:
        emit(_verdict(judged))
    emit(f"numbers: {folder / 'compare.json'}")
    emit(f"report:  {folder / 'compare.html'}")


def _row(one: Difference) -> list[object]:
    limits = f"{one.low:+.3f} to {one.high:+.3f}" if one.low is not None and one.high is not None else one.reason
    difference = None if one.value is None else f"{one.value:+.3f}"
    sides = [_value(side) for side in (one.a, one.b)]
    about = (one.model, one.finding, one.attribute, one.name, one.group)
    return [*about, *sides, difference, limits, one.n, one.n_patients]


def _value(side: Reading) -> str | None:
    return None if side.value is None else f"{side.value:.3f}"


def _verdict(one: NotWorse) -> str:
    about = f"{one.model}, {one.finding}, {one.attribute}, {one.name}, {one.group}"
    return f"{SYMBOLS[one.status]} {one.status.upper()}  {about}: {one.sentence}"
