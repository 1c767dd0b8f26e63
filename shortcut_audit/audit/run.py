"""The audit itself: from a table of scores to the audit result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from shortcut_audit.audit.attribute_labels.label_error import refuse_other_qualities
from shortcut_audit.audit.checks import CHECKS
from shortcut_audit.audit.checks.reliance import MATCHED
from shortcut_audit.audit.compare import compare_models
from shortcut_audit.audit.counts import count_rows
from shortcut_audit.audit.evidence import Case, correct, judge
from shortcut_audit.audit.measures.case_mix import LEAST_EFFECTIVE, MOST_DIFFERENCE
from shortcut_audit.audit.measures.fragility import fragility_index, reread_ids, rereads
from shortcut_audit.audit.measures.seeds import agreements, seed_means
from shortcut_audit.audit.plans.deviations import PlanInForce
from shortcut_audit.audit.plans.limits import judge_limits
from shortcut_audit.audit.result.examples import Example
from shortcut_audit.audit.result.judgement import Limit
from shortcut_audit.audit.result.numbers import Comparison, Metric
from shortcut_audit.audit.result.result import AuditResult, worst
from shortcut_audit.audit.table.operating_point import operating_point
from shortcut_audit.audit.table.population import population, refuse_rates_of_several
from shortcut_audit.audit.table.question import Question, Setting, ask_rows
from shortcut_audit.audit.table.rows import cut
from shortcut_audit.audit.table.scores import ScoresTable
from shortcut_audit.audit.table.units import collapse, unit_notes
from shortcut_audit.audit.wording import feature_of
from shortcut_audit.errors import InputError, UsageError
from shortcut_audit.provenance import Provenance

LIMITS = {
    "margin": "a gap or a reliance within plus or minus this is taken as none",
    "min_skill": "a model whose AUROC may lie at or below this has nothing to audit",
    "min_cell_patients": "a cell with fewer patients leaves the gap open",
    "min_pass_images": "a PASS needs as many images in every cell",
    "confidence": "of every interval",
}
FIXED = {
    "matched_reference": (MATCHED, "a reference model counts as matched where its A_00 differs by no more"),
    "least_effective": (LEAST_EFFECTIVE, "a cell worth fewer patients after weighting has no standardised numbers"),
    "most_difference": (MOST_DIFFERENCE, "groups whose means differ by fewer SD after weighting count as alike"),
}
"""Limits that stand in the code and not in the configuration."""


def ask_questions(table: ScoresTable, setting: Setting) -> list[Question]:
    """Return one question per finding, attribute asked for and model, in that order.

    Raises:
        UsageError: no attribute is asked for, or one that the table does not have.
        InputError: the table has no test rows.
    """
    if not setting.limits.spurious:
        have = ", ".join(table.attributes) or "none"
        raise UsageError(f"which spurious attribute? Name it with --spurious NAME (the table has: {have})")
    if not (table.frame["split"] == "test").any():
        raise InputError("the table of scores has no rows with split = test; the audit looks at those alone")
    asked = dict.fromkeys(setting.limits.spurious)
    models, pairs = table.values("model"), table.frame.select("finding", "model").unique().rows()
    questions = []
    for finding in table.values("finding"):
        cuts = [cut(table, model, finding, tuple(asked)) for model in models if (finding, model) in pairs]
        questions += [ask_rows(rows, table, attribute, setting) for attribute in asked for rows in cuts]
    return questions


def audit_table(
    table: ScoresTable,
    setting: Setting,
    *,
    dataset: Mapping[str, Any],
    provenance: Provenance,
    plan: PlanInForce | None = None,
    metrics: Sequence[Metric] = (),
    examples: Sequence[Example] = (),
    excluded: Mapping[str, int] | None = None,
    banners: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> AuditResult:
    """Ask every question of a table and judge the answers.

    Args:
        table: the scores.
        setting: which attributes, which questions, which limits; how the rows came about.
        dataset: the data card, as it is to be shown.
        provenance: where all this comes from.
        plan: the plan in force, already checked; its limits become verdicts of their own.
        metrics: numbers from elsewhere (saliency, Dice), added behind ours.
        examples: films of the gallery.
        excluded: films left out before the table was made, by reason.
        banners: what must be read first.
        notes: added behind ours.

    Raises:
        UsageError: an attribute that the table does not have; rates of one named for several.
        InputError: there are no test rows.
    """
    settings = setting.limits
    images, table = table, collapse(table, settings.per)
    refuse_rates_of_several(table, settings)
    refuse_other_qualities(table, settings)
    questions = ask_questions(table, setting)
    cases = [Case(question=question, findings=_ask_all(question)) for question in questions]
    judged = correct([case for case in cases if case.question.role == "model"])
    fragile = [fragility_index(case, judged) for case in judged]
    numbers = (*_collect(cases), *fragile, *metrics)
    subjects = [(case.question.model, case.question.finding, case.question.attribute) for case in judged]
    planned = judge_limits(plan.plan.limits, numbers, subjects, source="plan") if plan else []
    verdicts = (*(judge(case) for case in judged), *(one.verdict for one in planned))
    own_answers = [answer for case in judged for found in case.findings.values() for answer in found.answers]
    return AuditResult(
        status=worst([verdict.status for verdict in verdicts]),
        title=f"Do the scores depend on {', '.join(dict.fromkeys(feature_of(question) for question in questions))}?",
        dataset=dict(dataset),
        banners=(*(plan.banners if plan else ()), *banners),
        provenance=provenance,
        counts=count_rows(table, questions, excluded or {}, settings.per),
        plan=plan.record if plan else None,
        limits=(*_limits(setting), *(limit.recorded("plan") for limit in (plan.plan.limits if plan else ()))),
        verdicts=verdicts,
        answers=(*own_answers, *(one.answer for one in planned)),
        metrics=numbers,
        curves=tuple(curve for case in cases for found in case.findings.values() for curve in found.curves),
        comparisons=tuple(_compare(questions, table)),
        seeds=tuple(found for group in _by_attribute(questions) for found in seed_means(group, table.families)),
        agreements=tuple(agreements(verdicts, table.families)),
        operating_points=tuple(
            {(case.question.model, case.question.finding): operating_point(case.question) for case in judged}.values()
        ),
        populations=tuple(population(case.question) for case in judged),
        examples=tuple(examples),
        rereads=rereads((case.question for case in judged), fragile),
        notes=(*_notes(table, questions), *unit_notes(images, table, settings.per), *notes),
    )


def cases_to_reread(table: ScoresTable, result: AuditResult, setting: Setting) -> list[tuple[str, str]]:
    """Return case number and id of what the result of :func:`audit_table` says to read again.

    Args:
        table: the scores that were audited.
        result: what came out.
        setting: as it was given to :func:`audit_table`.
    """
    if not result.rereads:
        return []
    return reread_ids(ask_questions(collapse(table, setting.limits.per), setting), result.rereads)


def _limits(setting: Setting) -> tuple[Limit, ...]:
    named = [
        Limit(name=name, value=getattr(setting.limits, name), origin=setting.origin(name), meaning=meaning)
        for name, meaning in LIMITS.items()
    ]
    fixed = [Limit(name=name, value=value, origin="default", meaning=said) for name, (value, said) in FIXED.items()]
    return (*named, *fixed)


def _ask_all(question: Question) -> dict[str, Any]:
    # A copy, so that what the checks keep for each other is gone when they are done (of the last question it stays,
    # in ``standardise``): with many questions it is much.
    asked = replace(question)
    return {name: CHECKS.get(name)(asked) for name in CHECKS.names()}


def _collect(cases: Iterable[Case]) -> list[Metric]:
    return [metric for case in cases for found in case.findings.values() for metric in found.metrics]


def _compare(questions: Iterable[Question], table: ScoresTable) -> list[Comparison]:
    return [found for group in _by_attribute(questions) for found in compare_models(group, table.families)]


def _by_attribute(questions: Iterable[Question]) -> list[list[Question]]:
    """Return the questions of one finding and one attribute together."""
    return [list(group) for _, group in groupby(questions, key=lambda question: (question.finding, question.attribute))]


def _notes(table: ScoresTable, questions: Sequence[Question]) -> list[str]:
    notes = dict.fromkeys(
        f"Training association of {question.attribute} with {question.finding}: {question.association.source}."
        for question in questions
    )
    score = table.frame["score"].to_numpy()
    low, high = float(score.min()), float(score.max())
    if low < 0 or high > 1:
        notes[f"Scores run from {low:.4g} to {high:.4g}, outside 0 to 1: they are read as ranks only."] = None
    if table.unit == "image":
        notes["No patients are named: each image is its own cluster."] = None
    elif shared := _patients_in_two_splits(table):
        notes[f"Patients of the test rows who stand in training or validation rows too: {shared}."] = None
    return list(notes)


def _patients_in_two_splits(table: ScoresTable) -> int:
    test = table.frame["split"] == "test"
    tested, others = (table.frame.filter(rows)["patient_id"].unique() for rows in (test, ~test))
    return int(tested.is_in(others.implode()).sum())
