"""The options of ``audit evaluate``: what is audited, what is asked, and what is fixed beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from .options import DataOptions, OutputOptions
from .verdict import FailOn

OWN = "What is audited, and what is asked"
PLAN = "Before you look, and after"


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(OutputOptions, DataOptions):
    """What is audited, what is asked of it, and by which plan and policy."""

    spurious: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            rich_help_panel=OWN,
            help="Spurious attribute of any kind; NAME=VALUE for one value, A+B for a composite. Repeatable.",
        ),
    ] = None
    run: Annotated[
        Path | None,
        typer.Option(metavar="DIR", rich_help_panel=OWN, help="Audit the models of this run; else of the newest."),
    ] = None
    model: Annotated[
        Path | None,
        typer.Option(metavar="FILE", rich_help_panel=OWN, help="Audit this model file (.safetensors) on a data set."),
    ] = None
    scores: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV",
            rich_help_panel=OWN,
            help="Audit this table: sample_id,label,score and a column of the attribute. Needs no torch.",
        ),
    ] = None
    ask: Annotated[
        Literal["gap", "reliance", "both"] | None, typer.Option(rich_help_panel=OWN, help="Which questions.")
    ] = None
    association: Annotated[
        Literal["positive", "negative"] | None,
        typer.Option(rich_help_panel=OWN, help="Sign of the association in training, where no training row tells it."),
    ] = None
    per: Annotated[
        Literal["image", "study", "patient"] | None,
        typer.Option(rich_help_panel=OWN, help="One score per image, study or patient (the largest of its images)."),
    ] = None
    operating_point: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            rich_help_panel=OWN,
            help="Threshold, chosen on validation rows: youden, sensitivity=0.9, specificity=0.95; "
            "or a number such as 0.5. The same in every group.",
        ),
    ] = None
    pairs: Annotated[
        Literal["exact", "edited"] | None,
        typer.Option(rich_help_panel=OWN, help="Do score_with and score_without differ in nothing but the attribute?"),
    ] = None
    test_design: Annotated[
        Literal["natural", "balanced", "reversed"] | None,
        typer.Option(rich_help_panel=OWN, help="How the test rows came about."),
    ] = None
    fail_on: Annotated[
        FailOn | None,
        typer.Option(rich_help_panel=OWN, help="Exit 1 from this status on (3 for INSUFFICIENT). Default: fail."),
    ] = None
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", rich_help_panel=OWN, help="Exit 0 whatever the verdict.")
    ] = False
    freeze: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=PLAN,
            help="Write a plan (YAML): questions, limits, operating point, test images by hash. No result is "
            "computed; a table may come without its scores.",
        ),
    ] = None
    intended_use: Annotated[
        str | None, typer.Option(metavar="TEXT", rich_help_panel=PLAN, help="With --freeze: what the model is for.")
    ] = None
    plan: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=PLAN,
            help="Keep to this plan: its values hold, and anything else is refused (exit 2) and named.",
        ),
    ] = None
    allow_deviation: Annotated[
        str | None,
        typer.Option(
            metavar="REASON",
            rich_help_panel=PLAN,
            help="With --plan: depart from it all the same; the first screen of the report says why.",
        ),
    ] = None
    policy: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=PLAN,
            help="Gate for CI: which statuses are accepted, which exceptions are allowed. Decides the exit "
            "code and writes policy.junit.xml.",
        ),
    ] = None
    size_for: Annotated[
        str | None,
        typer.Option(
            metavar="WISHES",
            rich_help_panel=PLAN,
            help="How many patients a study needs, as in gap=.05,auroc=.9; also pair_correlation, "
            "prevalence, given_finding, given_none. Reads no score, writes nothing.",
        ),
    ] = None

    def _keys(self) -> dict[str, Any]:
        return super()._keys() | {
            "evaluate.spurious": self.spurious,
            "evaluate.ask": self.ask,
            "evaluate.association": self.association,
            "evaluate.per": self.per,
            "evaluate.operating_point": self.operating_point,
            "dataset.pairs": self.pairs,
            "dataset.test_design": self.test_design,
        }

    def refuse_contradictions(self) -> None:
        """Raise UsageError for options that say two things at once, or one that another needs."""
        from shortcut_audit.errors import UsageError

        if sum(named is not None for named in (self.run, self.model, self.scores)) > 1:
            raise UsageError("--run, --model and --scores name three things to audit; give one of them")
        for one, other in APART:
            if getattr(self, one) is not None and getattr(self, other) is not None:
                raise UsageError(f"{_typed(one)} and {_typed(other)} do not go together; give one of them")
        for one, needed in NEEDS:
            if getattr(self, one) is not None and getattr(self, needed) is None:
                raise UsageError(
                    f"{_typed(one)} goes with {_typed(needed)} FILE; without it there is nothing to say it of"
                )


APART = (
    ("freeze", "plan"), ("freeze", "policy"), ("freeze", "size_for"), ("size_for", "plan"), ("size_for", "policy"),
    ("policy", "fail_on"),
)  # fmt: skip
NEEDS = (("allow_deviation", "plan"), ("intended_use", "freeze"))


def _typed(name: str) -> str:
    return f"--{name.replace('_', '-')}"
