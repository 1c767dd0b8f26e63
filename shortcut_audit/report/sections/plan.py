"""The plan: what was fixed before the results were looked at, and what was changed since."""

from __future__ import annotations

from markupsafe import Markup

from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.blocks import chip, definitions, names, nothing, paragraph, table
from shortcut_audit.report.lookup import subject, worst_first
from shortcut_audit.report.markup import join, tag
from shortcut_audit.report.sections import section

_HELD = "held by hash: a changed one is a deviation"
_NOT_HELD = "not held by this plan: whether they were changed since is not known"


@section("plan", title="Plan", order=125)
def plan(result: AuditResult) -> Markup:
    """Plan and intended use, deviations with their reason, and the plan's own limits."""
    made = result.plan
    if made is None:
        return nothing(
            "There was no plan: questions and limits were not frozen beforehand. Say so where the result is cited; "
            "'audit evaluate --freeze FILE' makes one for the next audit."
        )
    facts = (
        ("File", made.file),
        ("SHA-256", tag("code", made.sha256)),
        ("Frozen", made.frozen or "not recorded"),
        ("Intended use", made.intended_use or "not stated"),
        ("Labels and attributes", _HELD if made.holds_values else _NOT_HELD),
    )
    return join([
        definitions(facts),
        tag("h3", "Deviations"),
        _deviations(result),
        tag("h3", "Limits of the plan"),
        _limits(result),
    ])  # fmt: skip


def _deviations(result: AuditResult) -> Markup:
    made = result.plan
    if made is None or not made.deviations:
        return paragraph("None: what was asked and what was tested is as the plan says.")
    rows = ([one.what, one.planned, one.asked] for one in made.deviations)
    return join([
        paragraph("Reason given: ", made.reason),
        table("Deviations from the plan", ("What", "The plan says", "This audit"), rows),
    ])  # fmt: skip


def _limits(result: AuditResult) -> Markup:
    judged = worst_first([one for one in result.verdicts if one.limit is not None])
    if not judged:
        return nothing("The plan sets no limit of its own on a number.")
    rows = ([names(*subject(one)), one.limit, chip(one.status), " ".join(one.sentences[1:])] for one in judged)
    return table("Limits of the plan, worst first", ("About", "Limit", "Status", "In words"), rows)
