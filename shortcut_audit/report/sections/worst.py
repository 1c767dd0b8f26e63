"""Worst group: the lowest numbers over the values of the attribute, and over the groups that were searched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.blocks import about as in_words
from shortcut_audit.report.blocks import folded, names, nothing, paragraph, table
from shortcut_audit.report.lookup import Subject, metric, subject, subjects
from shortcut_audit.report.markup import join, tag
from shortcut_audit.report.numbers import count, counted, estimate, sample_size
from shortcut_audit.report.sections import section
from shortcut_audit.report.sections.operating import counted_estimate
from shortcut_audit.report.vocabulary import group_label, metric_label, plain

SEARCHED = "groups:searched"
MOST_MODELS = 20
"""Whose groups are listed; a table of every group of many models would fill the page."""
OF_GROUP = ("subgroup_auroc", "subgroup_sensitivity", "subgroup_specificity")
LOWEST = {
    "worst_group_auroc": {"subgroup_auroc": ""},
    "worst_group_sensitivity": {"subgroup_sensitivity": ""},
    "worst_group_specificity": {"subgroup_specificity": ""},
    "worst_group_accuracy": {"subgroup_sensitivity": "positives of ", "subgroup_specificity": "negatives of "},
}
"""Numbers with those that they are the lowest of, and which images of a group these are about."""
HEAD = ("Model", "Number", "Lowest over the attribute's own values", "Lowest over the groups searched")
GROUP_HEAD = ("Group", "AUROC", "Sensitivity (recall)", "Specificity", "n +", "n −", "Patients")


@section("worst", title="Worst group", order=42)
def worst(result: AuditResult) -> Markup:
    """The lowest AUROC, sensitivity, specificity and accuracy over groups, and every group."""
    found = [one for one in result.find("worst_group_auroc") if one.role == "model"]
    if not found:
        return nothing("No worst group was looked for in this audit.")
    groups = [one for one in result.find("subgroup_auroc") if one.role == "model"]
    rows = (row for about in subjects(found) for row in _lowest(result, about))
    tables = (
        part
        for about in subjects(groups)[:MOST_MODELS]
        for part in _tables(result, about, [one for one in groups if subject(one) == about])
    )
    return join([*map(paragraph, _words(groups)), table("The worst group of each model", HEAD, rows), *tables])


def _words(groups: Sequence[Metric]) -> Iterator[str]:
    yield (
        "The lowest of several estimates is too low on average, so intervals here hold for all groups at once. "
        "Accuracy is the share of right decisions among the positives, or among the negatives, of a group."
    )
    if (more := len(subjects(groups)) - MOST_MODELS) > 0:
        yield f"The groups of {count(more)} more are in audit.json only, to keep this page small."
    if not any(_is_searched(one) for one in groups):
        yield "The table has no other column of few values (sex, view, site) to search."
    else:
        yield (
            "Exploratory: groups were searched, not asked about. A group that stands out here is a question for other "
            "data."
        )


def _lowest(result: AuditResult, about: Subject) -> Iterator[list[object]]:
    for name in LOWEST:
        found = result.find(name, **about._asdict())
        own = next((one.group for one in found if one.group != SEARCHED), None)
        if own is None:
            continue
        cells = [_named(result, about, name, group) for group in (own, SEARCHED)]
        yield [names(*about), metric_label(name), *cells]


def _named(result: AuditResult, about: Subject, name: str, group: str) -> object:
    """Return the lowest number, what it rests on and in which group it was found."""
    found = metric(result, about, name, group)
    if found is None:
        return "no group was searched"
    candidates = [
        (_value(one), f"{who}{group_label(one.group)} ({sample_size(one)})")
        for of_group, who in LOWEST[name].items()
        for one in result.find(of_group, **about._asdict())
        if one.value is not None and _is_searched(one) == (group == SEARCHED)
    ]
    where = f"in {min(candidates)[1]}" if candidates and found.value is not None else ""
    return join([counted_estimate(result, about, name, group), tag("span", where, class_="about") if where else ""])


def _is_searched(found: Metric) -> bool:
    """Return whether a group is made by other columns, not a value of the attribute itself."""
    name = found.group.removeprefix("subgroup:")
    return "," in name or not name.startswith(f"{found.attribute}=")


def _tables(result: AuditResult, about: Subject, groups: Sequence[Metric]) -> Iterator[Markup]:
    whose = in_words(about.finding, about.attribute)
    for searched, words in ((False, f"Values of {plain(about.attribute)}"), (True, "Groups searched")):
        shown = [one for one in groups if _is_searched(one) == searched]
        if shown:
            yield _table(result, about, f"{words}: {about.model}, {whose}", shown)


def _table(result: AuditResult, about: Subject, caption: str, groups: Sequence[Metric]) -> Markup:
    """Return the groups of one search, lowest AUROC first and those without a value last."""
    without = sum(one.value is None for one in groups)
    summary = f"{caption} ({counted(len(groups), 'group')}, {count(without)} without a value)"
    rows = ([group_label(one.group), *(estimate(metric(result, about, name, one.group)) for name in OF_GROUP),
             count(one.n_pos), count(one.n_neg), count(one.n_patients)]
            for one in sorted(groups, key=_value))  # fmt: skip
    return folded(summary, table(caption, GROUP_HEAD, rows))


def _value(found: Metric) -> float:
    return float("inf") if found.value is None else found.value
