"""``audit evaluate``: the audit of a run, of a model file, or of a table of scores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from .options import EvaluateOptions, takes
from .planning import show_frozen, show_size
from .verdict import FailOn, exit_code, show

OWN = "What is audited, and what is asked"
PLAN = "Before you look, and after"


@takes(EvaluateOptions)
def evaluate(
    options: EvaluateOptions,
    *,
    spurious: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", rich_help_panel=OWN,
                     help="Spurious attribute of any kind; NAME=VALUE for one value, A+B for a composite. Repeatable."),
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
    per: Annotated[
        Literal["image", "study", "patient"] | None,
        typer.Option(rich_help_panel=OWN, help="One score per image, study or patient (the largest of its images)."),
    ] = None,
    operating_point: Annotated[
        str | None,
        typer.Option(metavar="TEXT", rich_help_panel=OWN,
                     help="Threshold, chosen on validation rows: youden, sensitivity=0.9, specificity=0.95; "
                          "or a number such as 0.5. The same in every group."),
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
        FailOn | None,
        typer.Option(rich_help_panel=OWN, help="Exit 1 from this status on (3 for INSUFFICIENT). Default: fail."),
    ] = None,
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", rich_help_panel=OWN, help="Exit 0 whatever the verdict.")
    ] = False,
    freeze: Annotated[
        Path | None,
        typer.Option(metavar="FILE", rich_help_panel=PLAN,
                     help="Write a plan (YAML): questions, limits, operating point, test ids by hash. No result is "
                          "computed; a table may come without its scores."),
    ] = None,
    intended_use: Annotated[
        str, typer.Option(metavar="TEXT", rich_help_panel=PLAN, help="With --freeze: what the model is for.")
    ] = "",
    plan: Annotated[
        Path | None,
        typer.Option(metavar="FILE", rich_help_panel=PLAN,
                     help="Keep to this plan: its values hold, and anything else is refused (exit 2) and named."),
    ] = None,
    allow_deviation: Annotated[
        str | None,
        typer.Option(metavar="REASON", rich_help_panel=PLAN,
                     help="With --plan: depart from it all the same; the first screen of the report says why."),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(metavar="FILE", rich_help_panel=PLAN,
                     help="Gate for CI: which statuses are accepted, which exceptions are allowed. Decides the exit "
                          "code and writes policy.junit.xml."),
    ] = None,
    size_for: Annotated[
        str | None,
        typer.Option(metavar="WISHES", rich_help_panel=PLAN,
                     help="How many patients a study needs, as in gap=.05,auroc=.9; also pair_correlation, "
                          "prevalence, given_finding, given_none. Reads no score, writes nothing."),
    ] = None,
) -> None:  # fmt: skip
    """The audit: does performance hold where the attribute and the finding disagree, and is it the attribute?

    Reads the newest run under ./runs, a run, a model file or scores.
    Leaves audit.json, scores.csv and report.html. Exit code 1 on FAIL.

    Example: audit evaluate --scores scores.csv --spurious chest_tube --out tube

    Before you look: audit evaluate --scores scores.csv --spurious chest_tube --freeze plan.yaml
    """
    from shortcut_audit import pipeline
    from shortcut_audit.errors import UsageError
    from shortcut_audit.stages.by_plan import ByPlan

    if sum(named is not None for named in (run, model, scores)) > 1:
        raise UsageError("--run, --model and --scores name three things to audit; give one of them")
    _refuse_together(
        freeze=freeze, plan=plan, policy=policy, size_for=size_for, allow_deviation=allow_deviation,
        fail_on=fail_on, intended_use=intended_use or None,
    )  # fmt: skip
    config = options.load(
        evaluate__spurious=spurious, evaluate__ask=ask, evaluate__association=association, evaluate__per=per,
        evaluate__operating_point=operating_point,
        dataset__pairs=pairs, dataset__test_design=test_design,
    )  # fmt: skip
    if size_for is not None:
        show_size(config, size_for, scores=scores, as_json=options.as_json)
        return
    if freeze is not None:
        show_frozen(
            config, freeze, scores=scores, run=run, model=model, intended_use=intended_use, as_json=options.as_json
        )
        return
    rules = pipeline.load_policy(policy) if policy else None
    by = ByPlan(path=plan, reason=allow_deviation) if plan else None
    if scores is not None:
        outcome = pipeline.evaluate_scores(config, scores, out=options.out, by=by)
    else:
        outcome = pipeline.evaluate(config, run=run, out=options.out, model=model, by=by)
    gate = pipeline.apply_gate(rules, policy, outcome) if rules and policy else None
    show(outcome, as_json=options.as_json, gate=gate)
    if outcome.result is not None:
        code = gate.code if gate else exit_code(outcome.result, fail_on or "fail")
        raise typer.Exit(0 if exit_zero else code)


def _refuse_together(**given: object) -> None:
    """Raise UsageError for options that say two things at once, or one that another needs."""
    from shortcut_audit.errors import UsageError

    apart = [("freeze", "plan"), ("freeze", "policy"), ("freeze", "size_for"), ("size_for", "plan"),
             ("size_for", "policy"), ("policy", "fail_on")]  # fmt: skip
    for one, other in apart:
        if given[one] is not None and given[other] is not None:
            raise UsageError(f"{_typed(one)} and {_typed(other)} do not go together; give one of them")
    for one, needed in (("allow_deviation", "plan"), ("intended_use", "freeze")):
        if given[one] is not None and given[needed] is None:
            raise UsageError(f"{_typed(one)} goes with {_typed(needed)} FILE; without it there is nothing to say it of")


def _typed(name: str) -> str:
    return f"--{name.replace('_', '-')}"
