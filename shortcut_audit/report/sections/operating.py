"""Decisions at the threshold: how it was chosen, and what is flagged with and without the attribute."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.audit.result.setting import OperatingPoint
from shortcut_audit.report.blocks import names, nothing, paragraph, table
from shortcut_audit.report.lookup import Subject, asked_about, metric
from shortcut_audit.report.markup import join, tag
from shortcut_audit.report.numbers import counted, estimate, interval, missing, number, sample_size
from shortcut_audit.report.sections import section
from shortcut_audit.report.vocabulary import group_label, metric_label

GROUPS = ("all", "within:1", "within:0")
SHARES = ("sensitivity", "specificity", "ppv")
CHANGES = ("sensitivity_change", "false_alarm_change")
HEAD = ("Model", "Threshold", "Rule", "Chosen on")
RULES = {
    "youden": "the score with the largest sensitivity + specificity (Youden)",
    "sensitivity": "the largest score with a sensitivity of at least ",
    "specificity": "the smallest score with a specificity of at least ",
}


@section("operating", title="Decisions at the threshold", order=44)
def operating(result: AuditResult) -> Markup:
    """Threshold of every model, and sensitivity, specificity and PPV at it in every group."""
    rows = asked_about(result, "sensitivity")
    if not rows:
        return nothing("No sensitivity was computed in this audit, so there is no threshold to speak of.")
    parts = [paragraph(
        "An image is flagged where its score is at or above the threshold. The threshold of a model is the same in "
        "every group; it is chosen on validation images or given as a number, never chosen on the test. Intervals "
        "take it as given; that of a bootstrap of patients stands beneath as a check."
    )]  # fmt: skip
    if result.operating_points:
        parts.append(table("Thresholds", HEAD, (_threshold(point) for point in result.operating_points)))
        if any(point.threshold is None for point in result.operating_points):
            parts.append(
                paragraph("A threshold given as a number, as in --operating-point 0.5, needs no validation images.")
            )
    if result.operating_points and all(point.threshold is None for point in result.operating_points):
        return join([*parts, nothing("Without a threshold no image is flagged, so there are no decisions to show.")])
    parts.append(
        table(
            "Decisions by group",
            ("Model", "Group", *map(metric_label, SHARES)),
            (row for about in rows for row in _groups(result, about)),
        )
    )
    parts.append(paragraph(
        "The gap in decisions: positives with the attribute minus positives without it, and negatives with it minus "
        "negatives without it. Severity moves the first, harder negatives move the second, the attribute moves both."
    ))  # fmt: skip
    parts.append(
        table(
            "Change with the attribute",
            ("Model", *map(metric_label, CHANGES)),
            (_row(result, about, CHANGES) for about in rows),
        )
    )
    return join(parts)


def counted_estimate(result: AuditResult, about: Subject, name: str, group: str) -> Markup:
    """Return a number with its interval; beneath it what it rests on, and the bootstrap's interval if there is one."""
    found, checked = (metric(result, about, one, group) for one in (name, f"{name}_by_bootstrap"))
    if found is None or found.value is None:
        return estimate(found)
    lines = [sample_size(found)]
    if checked is not None and checked.value is not None:
        lines.append(f"bootstrap: {interval(checked)}")
    return join([estimate(found), *(tag("span", line, class_="about") for line in lines)])


def _threshold(point: OperatingPoint) -> Sequence[object]:
    head = names(point.model, point.finding, "")
    if point.threshold is None:
        return [head, tag("span", missing(point.reason), class_="missing"), _rule(point.rule), _chosen_on(point)]
    return [head, number(point.threshold), _rule(point.rule), _chosen_on(point)]


def _rule(text: str) -> str:
    kind, _, value = text.partition("=")
    return RULES[kind.strip()] + value.strip() if kind.strip() in RULES else "given as a number"


def _chosen_on(point: OperatingPoint) -> str:
    if not point.n:
        return "no image"
    images, patients = counted(point.n, "validation image"), counted(point.n_patients, "patient")
    return f"{images} of {patients}, {counted(point.n_pos, 'positive')}"


def _groups(result: AuditResult, about: Subject) -> Iterator[Sequence[object]]:
    for group in GROUPS:
        shares = (counted_estimate(result, about, name, group) for name in SHARES)
        yield [names(*about), group_label(group), *shares]


def _row(result: AuditResult, about: Subject, wanted: Sequence[str]) -> Sequence[object]:
    return [names(*about), *(counted_estimate(result, about, name, "all") for name in wanted)]
