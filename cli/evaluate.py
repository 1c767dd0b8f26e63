"""``audit evaluate``: the audit of a run, of a model file, or of a table of scores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from .options import EvaluateOptions, takes
from .verdict import FailOn, exit_code, show

OWN = "What is audited, and what is asked"


@takes(EvaluateOptions)
def evaluate(
    options: EvaluateOptions,
    *,
    spurious: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", rich_help_panel=OWN,
                     help="Spurious attribute; NAME=VALUE for one value, A+B for a composite. Repeatable."),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(metavar="DIR", rich_help_panel=OWN, help="Audit the models of this run; else of the newest."),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(metavar="FILE", rich_help_panel=OWN, help="Audit this model file.")
    ] = None,
    scores: Annotated[
        Path | None,
        typer.Option(metavar="CSV", rich_help_panel=OWN,
                     help="Audit this table: sample_id,label,score and a column of the attribute. Needs no torch."),
    ] = None,
    ask: Annotated[
        Literal["gap", "reliance", "both"] | None, typer.Option(rich_help_panel=OWN, help="Which questions.")
    ] = None,
    association: Annotated[
        Literal["positive", "negative"] | None,
        typer.Option(rich_help_panel=OWN, help="Sign of the association in training, where no training row tells it."),
    ] = None,
    pairs: Annotated[
        Literal["exact", "edited"] | None,
        typer.Option(rich_help_panel=OWN, help="Do score_with and score_without differ in nothing but the attribute?"),
    ] = None,
    test_design: Annotated[
        Literal["natural", "balanced", "reversed"] | None,
        typer.Option(rich_help_panel=OWN, help="How the test rows came about."),
    ] = None,
    fail_on: Annotated[
        FailOn, typer.Option(rich_help_panel=OWN, help="Exit 1 from this status on (3 for INSUFFICIENT).")
    ] = "fail",
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", rich_help_panel=OWN, help="Exit 0 whatever the verdict.")
    ] = False,
) -> None:  # fmt: skip
    """The audit: does performance hold where the attribute and the finding disagree, and is it the attribute?

    Reads the newest run under ./runs, a run, a model file or scores.
    Leaves audit.json, scores.csv and report.html. Exit code 1 on FAIL.

    Example: audit evaluate --scores scores.csv --spurious chest_tube --out tube
    """
    from shortcut_audit import pipeline
    from shortcut_audit.errors import UsageError

    if sum(named is not None for named in (run, model, scores)) > 1:
        raise UsageError("--run, --model and --scores name three things to audit; give one of them")
    config = options.load(
        evaluate__spurious=spurious, evaluate__ask=ask, evaluate__association=association,
        dataset__pairs=pairs, dataset__test_design=test_design,
    )  # fmt: skip
    if scores is not None:
        outcome = pipeline.evaluate_scores(config, scores, out=options.out)
    else:
        outcome = pipeline.evaluate(config, run=run, out=options.out, model=model)
    show(outcome, as_json=options.as_json)
    if outcome.result is not None:
        raise typer.Exit(0 if exit_zero else exit_code(outcome.result, fail_on))
