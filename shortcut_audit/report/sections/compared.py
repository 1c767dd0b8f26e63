"""Models compared on the same images: paired differences, and how well masks overlap."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from shortcut_audit.audit.result.numbers import Comparison
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.blocks import about, nothing, paragraph, table
from shortcut_audit.report.figures import Point, forest, shorten
from shortcut_audit.report.markup import anchor, join, tag
from shortcut_audit.report.numbers import count, estimate, in_words
from shortcut_audit.report.sections import section
from shortcut_audit.report.vocabulary import group_label, metric_label

HEAD = ("First − second", "About", "Measure", "Difference", "Images", "Patients", "Method")
DICE_HEAD = ("Model", "Finding", "Group", "Dice", "Images", "Patients", "Method")


@section("compared", title="Models compared", order=90)
def compared(result: AuditResult) -> Markup:
    """Paired differences between models on the same images, and Dice of the segmenters."""
    return join([_differences(result.comparisons), tag("h3", "Overlap of predicted and drawn masks"), _dice(result)])


def _differences(found: Sequence[Comparison]) -> Markup:
    if not found:
        return nothing("No difference was computed: the audit has one model, or models without images in common.")
    rows = ([_label(c), about(c.finding, c.attribute), metric_label(c.name), estimate(c), count(c.n),
             count(c.n_patients), c.method] for c in found)  # fmt: skip
    charts = [_chart([c for c in found if c.name == name], name) for name in dict.fromkeys(c.name for c in found)]
    return join([
        paragraph("Every row is the first model minus the second, on the same images; an interval that holds 0 does "
                  "not tell them apart."),
        tag("div", *charts, class_="panels"),
        table("Paired differences", HEAD, rows),
    ])  # fmt: skip


def _chart(found: Sequence[Comparison], name: str) -> Markup:
    title = f"{metric_label(name)}: paired differences between models"
    chart = forest(
        [Point(label=_short(c), value=c.value, low=c.low, high=c.high) for c in found],
        name=anchor("compared", name),
        title=title,
        description="; ".join(f"{_label(c)} {in_words(c)}" for c in found) + ".",
        reference=0.0,
    )
    return tag("figure", tag("figcaption", tag("b", metric_label(name))), chart)


def _label(found: Comparison) -> str:
    return f"{found.model} − {found.other}"


def _short(found: Comparison) -> str:
    """Return both names, each cut by itself, so that neither pushes the other out of the chart."""
    return f"{shorten(found.model, 14)} − {shorten(found.other, 14)}"


def _dice(result: AuditResult) -> Markup:
    found = result.find("dice")
    if not found:
        return nothing(
            "No overlap was measured: it needs a model that draws masks, and test films with the finding on which a "
            "mask of its name was drawn by hand (evaluate.saliency_images of them are looked at)."
        )
    rows = ([m.model, m.finding, group_label(m.group), estimate(m), count(m.n), count(m.n_patients), m.method]
            for m in found)  # fmt: skip
    words = "Good overlap clears nobody: a model can draw a finding well and let the attribute decide whether to."
    return join([paragraph(words), table("Dice of predicted and drawn masks", DICE_HEAD, rows)])
