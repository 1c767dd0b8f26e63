"""The gap as reliance plus case mix: one stacked bar for each model."""

from __future__ import annotations

from markupsafe import Markup

from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.blocks import names, nothing, paragraph, table
from shortcut_audit.report.figures import Split, stacked_gaps
from shortcut_audit.report.lookup import Subject, asked_about, limit, metric
from shortcut_audit.report.markup import join, tag
from shortcut_audit.report.numbers import count, estimate, signed
from shortcut_audit.report.sections import section
from shortcut_audit.report.vocabulary import plain

PARTS = ("auroc_gap", "gap_reliance", "gap_case_mix")
HEAD = ("Model", "Gap", "By reliance", "By case mix", "Positive side", "Negative side", "n")
SIDES = ("gap_positive_side", "gap_negative_side")


@section("decomposition", title="Where the gap comes from", order=30)
def decomposition(result: AuditResult) -> Markup:
    """The gap of every model, split exactly into reliance and case mix."""
    rows = asked_about(result, "auroc_gap")
    if not rows:
        return nothing("No gap was computed in this audit, so there is nothing to split.")
    chart = stacked_gaps(
        [_split(result, about) for about in rows],
        name="decomposition-chart",
        title="Gap = reliance + case mix, one bar for each model",
        description="; ".join(_in_words(result, about) for about in rows) + ".",
        margin=limit(result, "margin"),
    )
    numbers = table("The gap and its parts", HEAD, (_row(result, about) for about in rows))
    return join([_explanation(), _legend(), chart, numbers])


def _explanation() -> Markup:
    return paragraph(
        "A gap can come from the attribute itself (", tag("b", "reliance"), ": it goes when the attribute is removed "
        "from the images) or from which patients have it (", tag("b", "case mix"), ": it stays). "
        "The two parts add up to the gap exactly; only the first is a shortcut."
    )  # fmt: skip


def _legend() -> Markup:
    keys = (("reliance", "reliance"), ("case-mix", "case mix"), ("undivided", "gap that could not be split"),
            ("total", "gap with its interval"), ("band", "margin"))  # fmt: skip
    return tag("ul", *(tag("li", tag("span", class_=f"key {key}"), text) for key, text in keys), class_="legend")


def _split(result: AuditResult, about: Subject) -> Split:
    gap, reliance, case_mix = (metric(result, about, name) for name in PARTS)
    assert gap is not None
    return Split(
        label=_label(about),
        gap=gap.value,
        low=gap.low,
        high=gap.high,
        reliance=reliance.value if reliance else None,
        case_mix=case_mix.value if case_mix else None,
    )


def _label(about: Subject) -> str:
    return f"{about.model} · {plain(about.attribute)}"


def _in_words(result: AuditResult, about: Subject) -> str:
    split = _split(result, about)
    if split.gap is None:
        return f"{split.label}: gap not computed"
    if split.reliance is None or split.case_mix is None:
        return f"{split.label}: gap {signed(split.gap)}, not split"
    parts = f"reliance {signed(split.reliance)} + case mix {signed(split.case_mix)}"
    return f"{split.label}: gap {signed(split.gap)} = {parts}"


def _row(result: AuditResult, about: Subject) -> list[object]:
    found = [metric(result, about, name) for name in (*PARTS, *SIDES)]
    assert found[0] is not None
    return [names(*about), *(estimate(one) for one in found), count(found[0].n)]
