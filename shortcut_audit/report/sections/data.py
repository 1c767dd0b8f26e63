"""The data: where they come from, what went in and what was left out."""

from __future__ import annotations

import json
from typing import Any

from markupsafe import Markup

from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.blocks import bullets, definitions, nothing, paragraph, table
from shortcut_audit.report.markup import join, tag
from shortcut_audit.report.numbers import count, counted
from shortcut_audit.report.sections import section
from shortcut_audit.report.vocabulary import plain, unit


@section("data", title="Data", order=110)
def data(result: AuditResult) -> Markup:
    """The data card, images by split, exclusions by reason, and notes."""
    counts = result.counts
    units = {
        "patient": "Patients are the unit of every interval.",
        "image": "Without patient ids each image counts as its own patient: intervals may be too narrow.",
    }
    audited = (
        f"{count(counts.images)} {unit(result, counts.images)} of {counted(counts.patients, 'patient')} were audited."
    )
    return join([
        paragraph(audited, " ", units[counts.clustered_by]),
        definitions((plain(name), fact(value)) for name, value in result.dataset.items()),
        tag("h3", "Images by split"),
        _counts("Split", counts.by_split, "No split was recorded."),
        tag("h3", "Left out, by reason"),
        _counts("Reason", counts.excluded, "Nothing was left out."),
        tag("h3", "Notes"),
        bullets(result.notes) if result.notes else nothing("No notes."),
    ])  # fmt: skip


def fact(value: Any) -> str:
    """Return a value from JSON as text for people."""
    if value is None or value == "":
        return "not given"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _counts(head: str, found: dict[str, int], otherwise: str) -> Markup:
    if not found:
        return nothing(otherwise)
    return table(f"{head}: images", (head, "Images"), ([name, count(size)] for name, size in found.items()))
