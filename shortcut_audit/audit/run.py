"""The audit itself: from a table of scores to the audit result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Literal

import numpy as np
import polars as pl
from pydantic import ValidationError

from shortcut_audit.audit.checks import CHECKS
from shortcut_audit.audit.checks.reliance import MATCHED
from shortcut_audit.audit.compare import compare_models
from shortcut_audit.audit.evidence import Case, correct, judge
from shortcut_audit.audit.question import Question, Setting, build_question
from shortcut_audit.audit.result import (
    Answer,
    AuditResult,
    Comparison,
    Counts,
    Example,
    Limit,
    Metric,
    worst,
)
from shortcut_audit.audit.scores import ScoresTable
from shortcut_audit.audit.wording import feature_name
from shortcut_audit.config import Ask, EvaluateConfig, Origin
from shortcut_audit.data.manifest import Pairs, TestDesign
from shortcut_audit.errors import InputError, UsageError, did_you_mean
from shortcut_audit.provenance import Provenance, collect_provenance, sha256_bytes

LIMITS = {
    "margin": "a gap or a reliance within plus or minus this is taken as none",
    "min_skill": "a model whose AUROC may lie at or below this has nothing to audit",
    "min_cell_patients": "a cell with fewer patients leaves the gap open",
    "min_pass_images": "a PASS needs as many images in every cell",
    "confidence": "of every interval",
}
MATCHED_MEANING = "a reference model counts as matched where its A_00 differs by no more"


def ask_questions(table: ScoresTable, setting: Setting) -> list[Question]:
    """Return one question per finding, attribute asked for and model, in that order.

    Raises:
        UsageError: no attribute is asked for, or one that the table does not have.
        InputError: the table has no test rows.
    """
    if not setting.limits.spurious:
        have = ", ".join(table.attributes) or "none"
        raise UsageError(f"no spurious attribute is asked for; name one with --spurious (the table has: {have})")
    if not (table.frame["split"] == "test").any():
        raise InputError("the table of scores has no rows with split = test; the audit looks at those alone")
    asked = dict.fromkeys(setting.limits.spurious)
    pairs = table.frame.select("finding", "model").unique(maintain_order=True).rows()
    return [
        build_question(table, model, finding, attribute, setting)
        for finding in table.values("finding")
        for attribute in asked
        for model in table.values("model")
        if (finding, model) in pairs
    ]


def audit_table(
    table: ScoresTable,
    *,
    settings: EvaluateConfig,
    dataset: Mapping[str, Any],
    pairs: Pairs,
    test_design: TestDesign,
    provenance: Provenance,
    origins: Mapping[str, Origin] | None = None,
    title: str | None = None,
    metrics: Sequence[Metric] = (),
    answers: Sequence[Answer] = (),
    comparisons: Sequence[Comparison] = (),
    examples: Sequence[Example] = (),
    excluded: Mapping[str, int] | None = None,
    banners: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> AuditResult:
    """Ask every question of a table and judge the answers.

    Args:
        table: the scores.
        settings: which attributes, which questions, which limits.
        dataset: the data card, as it is to be shown.
        pairs: whether ``score_with`` and ``score_without`` come from films that differ in nothing else.
        test_design: how the test split came about.
        provenance: where all this comes from.
        origins: where each limit comes from, by its name in ``settings``; the default if not named.
        title: heading of the report.
        metrics: numbers from elsewhere (saliency, Dice), added behind ours.
        answers: of checks that need more than scores.
        comparisons: paired differences from elsewhere.
        examples: films of the gallery.
        excluded: films left out before the table was made, by reason.
        banners: what must be read first.
        notes: added behind ours.

    Raises:
        UsageError: an attribute that the table does not have.
        InputError: there are no test rows.
    """
    setting = Setting(limits=settings, pairs=pairs, test_design=test_design, origins=origins or {})
    questions = ask_questions(table, setting)
    cases = [Case(question=question, findings=_ask_all(question)) for question in questions]
    judged = correct([case for case in cases if case.question.role == "model"])
    verdicts = tuple(judge(case) for case in judged)
    own_answers = [answer for case in judged for found in case.findings.values() for answer in found.answers]
    return AuditResult(
        status=worst([verdict.status for verdict in verdicts]),
        title=title
        or f"Do the scores depend on {', '.join(feature_name(one) for one in dict.fromkeys(settings.spurious))}?",
        dataset=dict(dataset),
        banners=tuple(banners),
        provenance=provenance,
        counts=_counts(table, questions, excluded or {}),
        limits=_limits(setting),
        verdicts=verdicts,
        answers=(*own_answers, *answers),
        metrics=(*_collect(cases), *metrics),
        curves=tuple(curve for case in cases for found in case.findings.values() for curve in found.curves),
        comparisons=(*_compare(questions), *comparisons),
        examples=tuple(examples),
        notes=(*_notes(table, questions), *notes),
    )


def _limits(setting: Setting) -> tuple[Limit, ...]:
    named = [
        Limit(name=name, value=getattr(setting.limits, name), origin=setting.origin(name), meaning=meaning)
        for name, meaning in LIMITS.items()
    ]
    return (*named, Limit(name="matched_reference", value=MATCHED, origin="default", meaning=MATCHED_MEANING))


def _ask_all(question: Question) -> dict[str, Any]:
    return {name: CHECKS.get(name)(question) for name in CHECKS.names()}


def _collect(cases: Iterable[Case]) -> list[Metric]:
    return [metric for case in cases for found in case.findings.values() for metric in found.metrics]


def _compare(questions: Iterable[Question]) -> list[Comparison]:
    grouped = groupby(questions, key=lambda question: (question.finding, question.attribute))
    return [found for _, group in grouped for found in compare_models(list(group))]


def _counts(table: ScoresTable, questions: Sequence[Question], excluded: Mapping[str, int]) -> Counts:
    films = table.frame.unique("sample_id", maintain_order=True)
    test = films.filter(pl.col("split") == "test")
    by_split = {split: int((films["split"] == split).sum()) for split in ("train", "val", "test")}
    cells = {(question.finding, question.attribute): question.cells for question in reversed(questions)}
    unknown = {}
    for question in questions:
        left_out = int((question.test & np.isnan(question.values)).sum())
        if left_out:
            unknown[f"{question.attribute} unknown ({question.finding}): in no cell"] = left_out
    return Counts(
        images=test.height,
        patients=test["patient_id"].n_unique(),
        clustered_by=table.unit,
        by_split={split: count for split, count in by_split.items() if count},
        excluded={**excluded, **unknown},
        cells=tuple(cell for group in reversed(cells.values()) for cell in group),
    )


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
    return list(notes)


def audit_scores(
    frame: Any,
    *,
    spurious: str | Sequence[str],
    association: Literal["positive", "negative"] | None = None,
    ask: Ask = "both",
    pairs: Pairs = "edited",
    test_design: TestDesign = "natural",
    **limits: float,
) -> AuditResult:
    """Audit a table of scores in memory.

    Args:
        frame: a polars or pandas frame with the columns of a scores table (see ``audit/scores.py``).
        spurious: the attribute asked about, or several.
        association: its sign in training, where the table has no training rows.
        ask: which of the two questions.
        pairs: ``exact`` where ``score_with`` and ``score_without`` differ in nothing but the attribute.
        test_design: ``reversed`` where the associations of the test set were turned round on purpose.
        **limits: any limit of ``evaluate`` in the config, such as ``margin=0.03``.

    Raises:
        UsageError: a column, attribute or limit that is not there.
        InputError: a value that must not be guessed at.
    """
    asked = [spurious] if isinstance(spurious, str) else list(spurious)
    known = {name for name in EvaluateConfig.model_fields if name in LIMITS}
    for name in limits:
        if name not in known:
            raise UsageError(f"there is no limit '{name}'{did_you_mean(name, known)}; there are: {', '.join(LIMITS)}")
    try:
        settings = EvaluateConfig(spurious=asked, association=association, ask=ask, **limits)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"'{first['loc'][0]}' is {first['input']!r}: {first['msg']}") from error
    table = ScoresTable.from_frame(_as_polars(frame), where="the table of scores")
    origins: dict[str, Origin] = dict.fromkeys(limits, "command line")
    said = {"pairs": pairs, "test_design": test_design}
    provenance = collect_provenance(
        command="audit_scores",
        config={"evaluate": settings.model_dump(mode="json"), "dataset": said},
        seed=None,
        inputs={"scores": sha256_bytes(table.frame.write_csv().encode())},
    )
    return audit_table(
        table, settings=settings, dataset={"name": "table of scores", **said},
        pairs=pairs, test_design=test_design, provenance=provenance, origins=origins,
    )  # fmt: skip


def _as_polars(frame: Any) -> pl.DataFrame:
    if isinstance(frame, pl.DataFrame):
        return frame
    # A pandas frame, without pyarrow: column by column, its several kinds of blank to None.
    blanks = {name: frame[name].isna().to_numpy() for name in frame.columns}
    return pl.DataFrame(
        {
            str(name): [None if missing else value for value, missing in zip(frame[name].tolist(), gone, strict=True)]
            for name, gone in blanks.items()
        },
        strict=False,
    )
