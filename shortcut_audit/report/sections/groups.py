"""Performance by group: one forest plot for each model, finding and attribute."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.blocks import folded, nothing, paragraph, table
from shortcut_audit.report.figures import Marker, Point, forest
from shortcut_audit.report.lookup import Subject, subject, subjects
from shortcut_audit.report.markup import anchors, join, tag
from shortcut_audit.report.numbers import count, estimate, in_words
from shortcut_audit.report.sections import section
from shortcut_audit.report.vocabulary import group_label, metric_label, plain

NAMES = ("auroc", "aligned_auroc", "robust_auroc", "robust_auroc_standardised", "robust_auroc_noise_corrected",
         "auroc_pair", "auroc_within", "auroc_within_strata", "worst_group_auroc")  # fmt: skip
MARKERS: dict[str, Marker] = {"auroc": "square", "aligned_auroc": "diamond", "robust_auroc": "diamond"}
HEAD = ("Group", "AUROC", "n +", "n −", "Patients", "Method")


@section("groups", title="Performance by group", order=40)
def groups(result: AuditResult) -> Markup:
    """AUROC with its interval in every group, one chart for each model."""
    metrics = [found for name in NAMES for found in result.find(name) if found.role == "model"]
    if not metrics:
        return nothing("No AUROC by group was computed in this audit.")
    about = subjects(metrics)
    ids = anchors(("forest", *one) for one in about)
    parts = [
        _figure(
            one,
            name,
            [found for found in metrics if subject(found) == one],
            composite=one.attribute in result.counts.composites,
        )
        for one, name in zip(about, ids, strict=True)
    ]
    intro = "The dashed line is guessing (0.5). Robust AUROC is the AUROC where the training association breaks."
    if any(found.group.startswith("labels:") for found in metrics):
        intro += (
            " Labels corrected (a / b): robust AUROC as it would be without errors in the attribute's labels, if these "
            "have sensitivity a and specificity b; of a range the middle, with limits that hold for all of it."
        )
    return join([paragraph(intro), tag("div", *parts, class_="panels")])


def _figure(about: Subject, name: str, metrics: Sequence[Metric], *, composite: bool) -> Markup:
    title = f"{about.model}: AUROC by group, {plain(about.finding)} and {plain(about.attribute)}"
    chart = forest(
        [_point(found, composite=composite) for found in metrics],
        name=name,
        title=title,
        description="; ".join(f"{_label(found, composite=composite)} {in_words(found)}" for found in metrics) + ".",
        reference=0.5,
    )
    rows = (
        [_label(m, composite=composite), estimate(m), count(m.n_pos), count(m.n_neg), count(m.n_patients), m.method]
        for m in metrics
    )
    heading = tag("figcaption", tag("b", about.model), f" {plain(about.finding)} · {plain(about.attribute)}")
    return tag("figure", heading, chart, folded("The numbers", table(title, HEAD, rows)))


def _label(found: Metric, *, composite: bool) -> str:
    if found.name in {"auroc", "aligned_auroc", "robust_auroc", "auroc_pair", "auroc_within", "auroc_within_strata",
                      "worst_group_auroc"}:  # fmt: skip
        return group_label(found.group, composite=composite)
    if found.group.startswith("labels:"):
        return f"robust, labels corrected ({' / '.join(found.group.split(':')[1:])})"
    return metric_label(found.name)


def _point(found: Metric, *, composite: bool) -> Point:
    return Point(
        label=_label(found, composite=composite),
        value=found.value,
        low=found.low,
        high=found.high,
        marker=MARKERS.get(found.name, "dot"),
    )
