"""``audit masks``: looking after pseudo-masks."""

from __future__ import annotations

import typer

from .cleaning import clean

app = typer.Typer(no_args_is_help=True, help="Pseudo-masks: what a rule that cleans them is worth.")
app.command(name="clean")(clean)
