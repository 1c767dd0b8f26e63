"""``audit masks clean``: what a rule that cleans pseudo-masks is worth, judged by its students."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import StageOptions, takes
from .verdict import show

OWN = "This command"


@takes(StageOptions)
def clean(
    options: StageOptions,
    *,
    rule: Annotated[
        list[str] | None,
        typer.Option(metavar="RULE[:ATTRIBUTE]", rich_help_panel=OWN,
                     help="Cleaning rule to judge; repeatable. 'audit list cleaning' names them."),
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, max=20, rich_help_panel=OWN, help="Students a rule; five tell a rule from chance.")
    ] = 5,
    run: Annotated[
        Path | None,
        typer.Option(metavar="DIR", rich_help_panel=OWN, help="Run folder that holds masks.h5; else the newest."),
    ] = None,
) -> None:  # fmt: skip
    """Train students on cleaned pseudo-masks and audit them beside one of the masks as they are.

    Reads a run with masks.h5, and the footprints of the data set.
    Leaves the students, audit.json and report.html in a new run folder;
    a random control removes as many pixels as the footprint holds.

    Example: audit masks clean --rule subtract_footprint:chest_tube --rule drop_touching:chest_tube
    """
    from shortcut_audit import pipeline

    outcome = pipeline.clean(
        options.load(), out=options.out, new=options.new, run=run, rules=rule or [], seeds=seeds
    )  # fmt: skip
    show(outcome, as_json=options.as_json)
