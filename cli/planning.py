"""``audit evaluate`` before there is a result: ``--freeze`` writes a plan, ``--size-for`` says how many patients."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .output import emit, emit_json, emit_table

if TYPE_CHECKING:
    from shortcut_audit.audit.plans.study_size import Need
    from shortcut_audit.config import Config

    from .evaluate_options import EvaluateOptions

CELL_NAMES = {(1, 1): "positive, with", (1, 0): "positive, without", (0, 1): "negative, with",
              (0, 0): "negative, without"}  # fmt: skip


SAME = ("config", "dataset", "root", "attributes", "scores", "run", "model")
"""Options that say what is audited; what is asked of it stands in the plan."""


def show_frozen(options: EvaluateOptions, config: Config, target: Path) -> None:
    """Write a plan and say what is in it; nothing of any score is printed."""
    from shortcut_audit import pipeline
    from shortcut_audit.provenance import sha256_file

    plan = pipeline.freeze(
        config, target, scores=options.scores, run=options.run, model=options.model,
        intended_use=options.intended_use or "",
    )  # fmt: skip
    if options.as_json:
        emit_json({"plan": str(target), "sha256": sha256_file(target), "images": plan.test_ids.images})
        return
    asked = plan.evaluate
    emit(f"plan:  {target}")
    ask = "gap and reliance" if asked.ask == "both" else asked.ask
    emit(f"asks:  {ask} of {', '.join(asked.spurious)}, for {', '.join(plan.findings)}, "
         f"models {', '.join(plan.models or ['any'])}, {plan.test_ids.images} test images")  # fmt: skip
    emit("next:  complete 'intended_use' and 'limits' in it and keep it where its date is known; then")
    same = {name: getattr(options, name) for name in SAME}
    emit(f"       audit evaluate {shlex.join(_typed({**same, 'plan': target}))}")


def _typed(named: Mapping[str, object]) -> Iterator[str]:
    """Yield options as they are typed; a list is an option for each, None is none."""
    for name, value in named.items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                yield from (f"--{name}", str(one))


def show_size(config: Config, text: str, *, scores: Path | None, as_json: bool) -> None:
    """Say how many patients a study needs, by cell and in all, and what that rests on."""
    from shortcut_audit.stages.size import assumptions, parse_wishes, size_study

    design, sizes = size_study(config, parse_wishes(text), scores)
    rests_on = assumptions(design)
    if as_json:
        studies = [{"mix": size.mix, "needs": [_need_record(need) for need in size.needs]} for size in sizes]
        emit_json({"assumptions": rests_on, "studies": studies})
        return
    for size in sizes:
        emit(f"Patients needed, {size.mix}:")
        emit_table(["for the answer", *CELL_NAMES.values(), "in all"], [_needed(need) for need in size.needs])
    if len(sizes) == 1:
        emit("For totals at other rates: prevalence=.2,given_finding=.7,given_none=.1, or --scores with --spurious.")
    emit("Rests on:")
    for line in rests_on:
        emit(f"  {line}")


def _need_record(need: Need) -> dict[str, object]:
    cells = need.cells
    named = None if cells is None else {CELL_NAMES[cell]: count for cell, count in cells.items()}
    return {"answer": need.answer, "total": need.total, "cells": named}


def _needed(need: Need) -> list[str]:
    from shortcut_audit.audit.plans.study_size import MOST

    if need.cells is None:
        return [need.answer, *("-" for _ in CELL_NAMES), f"more than {MOST:,}"]
    return [need.answer, *(f"{count:,}" for count in need.cells.values()), f"{need.total:,}"]
