"""The entry point: cap threads, run the command, turn what went wrong into a message and a code.

Exit codes: 0 done · 1 FAIL or CONCERN at or above --fail-on · 2 usage · 3 INSUFFICIENT at --fail-on
insufficient · 4 content of an input · 70 our bug · 71 training diverged · 73 folder in use or of another run · 74 I/O ·
130, 143 stopped by a signal.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import Annotated

import typer

from shortcut_audit.errors import UsageError
from shortcut_audit.runtime import cap_threads

from . import compare, data, doctor, evaluate, listing, masks, report, stages
from .failures import fail, stop_on_sigterm, tell_stopped

app = typer.Typer(
    name="audit",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Does a medical-image model read the finding, or its shortcut? Find out, and train one that does not.",
    epilog="Start with 'audit demo'. Exit codes: 0 done, 1 FAIL, 2 usage, 3 insufficient (if asked), 4 bad input, "
    "70 our bug, 71 diverged, 73 folder busy, 74 I/O, 130 and 143 stopped: the same command goes on.",
)
for command in (
    stages.demo, stages.train, stages.explain, stages.pretrain, stages.finetune,
    evaluate.evaluate, compare.compare, report.report, listing.list_kind, doctor.doctor,
):  # fmt: skip
    app.command(name=command.__name__.removesuffix("_kind"))(command)
app.add_typer(data.app, name="data")
app.add_typer(masks.app, name="masks")


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"shortcut-audit {version('shortcut-audit')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    pass


def _refuse_empty(words: list[str]) -> None:
    """Refuse an empty word: a variable that was not set would mean the current folder."""
    for before, word in pairwise(["audit", *words]):
        if word == "" or (word.startswith("--") and word.count("=") == 1 and word.endswith("=")):
            where = f"after {before} there is an empty word" if word == "" else f"{word} has no value"
            raise UsageError(f"{where}; was a variable not set?")


def main() -> None:
    """Run ``audit``; never returns."""
    cap_threads()
    stop_on_sigterm()
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        _refuse_empty(sys.argv[1:])
        app()
    except SystemExit as end:
        tell_stopped(end.code)
        raise
    except Exception as error:  # noqa: BLE001 (whatever is raised has an exit code)
        fail(error)
