"""``audit report RUN``: the report again, from audit.json alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import PrintOptions, takes
from .output import emit, emit_json


@takes(PrintOptions)
def report(
    options: PrintOptions,
    *,
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder, or an audit.json.")],
    formats: Annotated[
        str, typer.Option("--format", metavar="LIST", help="Any of html,json,csv,md,junit, with commas between.")
    ] = "html",
) -> None:
    """Render a report again, in other formats too.

    Reads audit.json of a finished audit; needs neither torch nor images.
    Leaves the files beside it.

    Example: audit report runs/20261120-1032-chexpert --format html,md,junit
    """
    from shortcut_audit.report.render import write_report

    written = write_report(run, [name.strip() for name in formats.split(",")])
    if options.as_json:
        emit_json({"written": [str(path) for path in written]})
    else:
        for path in written:
            emit(str(path))
