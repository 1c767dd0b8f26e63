"""``audit doctor``: is this machine fit for the work?"""

from __future__ import annotations

from dataclasses import asdict

import typer

from .options import PrintOptions, takes
from .output import emit, emit_json

SIGNS = {"ok": "✔", "note": "!", "broken": "✖"}


@takes(PrintOptions)
def doctor(options: PrintOptions) -> None:
    """Is this machine fit: packages, threads, memory, disk, HDF5, data sets, browser.

    Reads nothing of yours, leaves nothing. Exit code 1 if something is broken.
    Send the output along with a bug report.

    Example: audit doctor --json
    """
    from .machine import examine

    findings = examine()
    if options.as_json:
        emit_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            advice = f"\n    {finding.advice}" if finding.advice else ""
            emit(f"{SIGNS[finding.state]} {finding.check}: {finding.found}{advice}")
    if any(finding.state == "broken" for finding in findings):
        raise typer.Exit(1)
