"""Where the model looks: saliency inside regions, beside what chance and random weights give."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from shortcut_audit.audit.result import AuditResult, Metric
from shortcut_audit.report.blocks import nothing, paragraph, table
from shortcut_audit.report.figures import Point, forest
from shortcut_audit.report.markup import join
from shortcut_audit.report.numbers import count, estimate, in_words
from shortcut_audit.report.sections import section
from shortcut_audit.report.vocabulary import group_label, plain

NAMES = ("saliency_share", "saliency_enrichment")
HEAD = ("Region", "Model", "Share of saliency", "Saliency per area", "Images", "Patients", "Method")


@section("saliency", title="Where the model looks", order=80)
def saliency(result: AuditResult) -> Markup:
    """Share of the saliency on the attribute and on the finding; it helps to read a verdict, it never decides."""
    found = [one for name in NAMES for one in result.find(name)]
    if not found:
        return nothing("No saliency was measured: no model of this audit was explained, or no region was drawn.")
    found.sort(key=lambda one: (one.group, one.name != "saliency_share"))
    enriched = [one for one in found if one.name == "saliency_enrichment"]
    rows = (_row([one for one in found if _key(one) == key]) for key in dict.fromkeys(map(_key, found)))
    return join([
        paragraph(
            "This helps to read a verdict; it never decides one. Compare a region with the matched device of no "
            "importance and with randomised weights, not with zero: a network with random weights already puts more "
            "than its share on anything with edges."
        ),
        _chart(enriched) if enriched else "",
        table("Saliency inside regions", HEAD, rows),
    ])  # fmt: skip


def _key(found: Metric) -> tuple[str, ...]:
    return found.group, found.model, found.finding, found.attribute


def _row(found: Sequence[Metric]) -> list[object]:
    """One region and model; a measure that was not taken says so."""
    first, by_name = found[0], {one.name: one for one in found}
    values = [estimate(by_name.get(name)) for name in NAMES]
    return [group_label(first.group), first.model, *values, count(first.n), count(first.n_patients), first.method]


def _chart(found: Sequence[Metric]) -> Markup:
    return forest(
        [Point(label=_label(one), value=one.value, low=one.low, high=one.high) for one in found],
        name="saliency-chart",
        title="Saliency per area, by region and model",
        description="1 is what chance gives. " + "; ".join(f"{_label(one)} {in_words(one)}" for one in found) + ".",
        reference=1.0,
    )


def _label(found: Metric) -> str:
    return f"{plain(found.group.partition(':')[2])}, {found.model}"
