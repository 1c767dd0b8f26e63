"""Worst group: the lowest AUROC over the values of the attribute, and over the groups that were searched."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.blocks import about as in_words
from shortcut_audit.report.blocks import folded, names, nothing, paragraph, table
from shortcut_audit.report.lookup import Subject, subject, subjects
from shortcut_audit.report.markup import join
from shortcut_audit.report.numbers import count, counted, estimate
from shortcut_audit.report.sections import section
from shortcut_audit.report.vocabulary import group_label

SEARCHED = "groups:searched"
HEAD = ("Model", "Lowest over the attribute's own values", "Lowest over the groups searched", "In the group")
GROUP_HEAD = ("Group", "AUROC", "n +", "n −", "Patients")


@section("worst", title="Worst group", order=42)
def worst(result: AuditResult) -> Markup:
    """The lowest AUROC over groups, and every group that was searched (exploratory)."""
    found = [one for one in result.find("worst_group_auroc") if one.role == "model"]
    if not found:
        return nothing("No worst group was looked for in this audit.")
    groups = [one for one in result.find("subgroup_auroc") if one.role == "model"]
    rows = [_row(one, found, groups) for one in subjects(found)]
    tables = [_searched(one, [group for group in groups if subject(group) == one]) for one in subjects(groups)]
    return join([paragraph(_explanation(groups)), table("The worst group of each model", HEAD, rows), *tables])


def _explanation(groups: Sequence[Metric]) -> str:
    words = "The lowest of several estimates is too low on average, so intervals here hold for all groups at once."
    if not groups:
        return f"{words} The table has no other column of few values (sex, view, site) to search."
    return (
        f"{words} Exploratory: groups were searched, not asked about. A group that stands out here is a question for "
        "other data."
    )


def _row(about: Subject, found: Sequence[Metric], groups: Sequence[Metric]) -> list[object]:
    own = next((one for one in found if subject(one) == about and one.group != SEARCHED), None)
    searched = next((one for one in found if subject(one) == about and one.group == SEARCHED), None)
    known = [one for one in groups if subject(one) == about and one.value is not None]
    lowest = min(known, key=_value, default=None)
    cells = [estimate(own), estimate(searched) if searched else "no group was searched"]
    return [names(*about), *cells, group_label(lowest.group) if lowest else ""]


def _value(found: Metric) -> float:
    return float("inf") if found.value is None else found.value


def _searched(about: Subject, groups: Sequence[Metric]) -> Markup:
    """Return the groups of one model, worst first and those without a value last."""
    caption = f"Groups searched: {about.model}, {in_words(about.finding, about.attribute)}"
    without = sum(one.value is None for one in groups)
    summary = f"{caption} ({counted(len(groups), 'group')}, {count(without)} without a value)"
    rows = ([group_label(one.group), estimate(one), count(one.n_pos), count(one.n_neg), count(one.n_patients)]
            for one in sorted(groups, key=_value))  # fmt: skip
    return folded(summary, table(caption, GROUP_HEAD, rows))
