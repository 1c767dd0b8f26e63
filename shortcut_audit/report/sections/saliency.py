"""Where models look and draw: attribution and masks inside regions, beside a matched device and random weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.blocks import nothing, paragraph, table
from shortcut_audit.report.figures import Point, forest
from shortcut_audit.report.markup import join, tag
from shortcut_audit.report.numbers import count, estimate, in_words
from shortcut_audit.report.sections import section
from shortcut_audit.report.vocabulary import group_label, metric_label, plain


class Kind(NamedTuple):
    """What is shared out over regions: attribution, or pixels of masks."""

    key: str
    title: str
    about: str


NAMES = ("saliency_share", "saliency_enrichment", "mask_share", "mask_enrichment")
KINDS = (
    Kind(
        "saliency",
        "Saliency inside regions",
        "Compare a region with the matched device of no importance and with randomised weights, not with zero: a "
        "network with random weights already puts more than its share on anything with edges.",
    ),
    Kind(
        "mask",
        "Masks inside regions",
        "A model pre-trained on pseudo-masks inherits what its teacher read: where pseudo-masks lie on the attribute, "
        "so will what is learnt from them. A mask that avoids the attribute clears nobody: the attribute can still "
        "decide whether anything is drawn.",
    ),
)
HEAD = ("Region", "Model", "Share", "Per area", "Images", "Patients", "Method")
PSEUDO_HEAD = ("Number", "Finding", "Attribute", "Value", "Images", "Patients", "Method")


@section("saliency", title="Where the model looks", order=80)
def saliency(result: AuditResult) -> Markup:
    """Share of saliency and of masks on the attribute and on the finding; it never decides a verdict."""
    parts = [*(_kind(result, kind) for kind in KINDS), _pseudo_masks(result)]
    if not any(parts):
        return nothing("No saliency was measured: no model of this audit was explained, or no region was drawn.")
    return join([paragraph("This helps to read a verdict; it never decides one."), *parts])


def _kind(result: AuditResult, kind: Kind) -> Markup:
    """One kind with its chart and its table; nothing where it was not measured."""
    names = (f"{kind.key}_share", f"{kind.key}_enrichment")
    found = [one for name in names for one in result.find(name)]
    if not found:
        return Markup("")
    found.sort(key=lambda one: (one.group, one.name not in names[:1]))
    enriched = [one for one in found if one.name == names[1]]
    rows = (_row([one for one in found if _key(one) == key], names) for key in dict.fromkeys(map(_key, found)))
    return join([
        tag("h3", kind.title),
        paragraph(kind.about),
        _chart(enriched, kind) if enriched else "",
        table(kind.title, HEAD, rows),
    ])  # fmt: skip


def _pseudo_masks(result: AuditResult) -> Markup:
    """What was measured of the pseudo-masks themselves; nothing where there were none."""
    found = [one for name in ("mask_touching", "mask_area_auroc") for one in result.find(name)]
    if not found:
        return Markup("")
    rows = (
        [metric_label(one.name), plain(one.finding), plain(one.attribute), estimate(one), count(one.n),
         count(one.n_patients), one.method]
        for one in found
    )  # fmt: skip
    return join([
        tag("h3", "Pseudo-masks and attributes"),
        paragraph(
            "What a segmenter that learns from these masks is taught about the attribute. What cleaning them is worth "
            "shows only in the students: 'audit masks clean'."
        ),
        table("Pseudo-masks and attributes", PSEUDO_HEAD, rows),
    ])  # fmt: skip


def _key(found: Metric) -> tuple[str, ...]:
    return found.group, found.model, found.finding, found.attribute


def _row(found: Sequence[Metric], names: Sequence[str]) -> list[object]:
    """One region and model; a measure that was not taken says so."""
    first, by_name = found[0], {one.name: one for one in found}
    values = [estimate(by_name.get(name)) for name in names]
    return [group_label(first.group), first.model, *values, count(first.n), count(first.n_patients), first.method]


def _chart(found: Sequence[Metric], kind: Kind) -> Markup:
    return forest(
        [Point(label=_label(one), value=one.value, low=one.low, high=one.high) for one in found],
        name=f"{kind.key}-chart",
        title=f"{kind.title}: share per area, by region and model",
        description="1 is a share equal to the area. "
        + "; ".join(f"{_label(one)} {in_words(one)}" for one in found)
        + ".",
        reference=1.0,
    )


def _label(found: Metric) -> str:
    return f"{plain(found.group.partition(':')[2])}, {found.model}"
