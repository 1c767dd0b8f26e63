"""Finding things in an audit result: the metric behind a row, what to put first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from shortcut_audit.audit.result.judgement import SEVERITY, Answer, Verdict
from shortcut_audit.audit.result.numbers import Comparison, Metric
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.vocabulary import metric_label


class Subject(NamedTuple):
    """What a number is about."""

    model: str
    finding: str
    attribute: str


def subject(record: Metric | Answer | Verdict | Comparison) -> Subject:
    """Return model, finding and attribute of a record."""
    return Subject(record.model, record.finding, record.attribute)


def metric(result: AuditResult, about: Subject, name: str, group: str | None = None) -> Metric | None:
    """Return the metric called ``name``; one that belongs to no attribute counts for all."""
    for attribute in (about.attribute, ""):
        for found in result.find(name, model=about.model, finding=about.finding, attribute=attribute):
            if group in {None, found.group}:
                return found
    return None


class Headline(NamedTuple):
    """One of the four numbers that stand beside every verdict: the first of ``names`` that has a value."""

    names: tuple[str, ...]
    group: str | None
    label: str | None


HEADLINES = (
    Headline(("auroc",), "all", "AUROC, all images"),
    Headline(("auroc_pair",), "pair:0:0", "A00, attribute absent"),
    Headline(("auroc_gap", "designed_shift"), None, None),
    Headline(("interventional_gap",), None, None),
)


def headlines(result: AuditResult, about: Subject) -> list[tuple[str, Metric | None]]:
    """Return the four numbers with their labels; None where the audit has no such number."""
    return [_headline(result, about, headline) for headline in HEADLINES]


def _headline(result: AuditResult, about: Subject, wanted: Headline) -> tuple[str, Metric | None]:
    candidates = [metric(result, about, name, wanted.group) for name in wanted.names]
    found = next((one for one in candidates if one and one.value is not None), candidates[0])
    if wanted.group == "pair:0:0" and about.attribute in result.counts.composites:
        return "A00, spoken against", found
    return wanted.label or metric_label(found.name if found else wanted.names[0]), found


def subjects(metrics: Iterable[Metric]) -> list[Subject]:
    """Return what metrics are about, without repeats, in their order."""
    return list(dict.fromkeys(subject(found) for found in metrics))


def asked_about(result: AuditResult, name: str) -> list[Subject]:
    """Return what the number called ``name`` was asked of; controls are left out."""
    return subjects(found for found in result.find(name) if found.role == "model")


def worst_first(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return verdicts from FAIL to PASS; equal ones keep their order."""
    return sorted(verdicts, key=lambda verdict: -SEVERITY.index(verdict.status))


def limit(result: AuditResult, name: str) -> float | None:
    """Return the limit called ``name``, None if the audit used none of that name."""
    return next((found.value for found in result.limits if found.name == name), None)
