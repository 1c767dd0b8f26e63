"""Controls: numbers printed to put those of the models into proportion."""

from __future__ import annotations

from markupsafe import Markup

from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.blocks import about, nothing, paragraph, table
from shortcut_audit.report.markup import join, tag
from shortcut_audit.report.numbers import estimate, sample_size
from shortcut_audit.report.sections import section
from shortcut_audit.report.sections.saliency import NAMES as SALIENCY
from shortcut_audit.report.size import size_alone
from shortcut_audit.report.vocabulary import group_label, metric_label

Key = tuple[str, str, str, str]


@section("controls", title="Controls", order=100)
def controls(result: AuditResult) -> Markup:
    """What a simple quantity or a model without information reaches, beside the models."""
    return join([size_alone(result) or "", _beside(result)])


def _beside(result: AuditResult) -> Markup:
    found = [one for one in result.metrics if one.role == "control" and one.name not in SALIENCY]
    if not found:
        return nothing("This audit has no control, such as the predicted area alone or a model on permuted labels.")
    keys = list(dict.fromkeys(_key(one) for one in found))
    columns = list(dict.fromkeys(one.model for one in found))
    audited = dict.fromkeys(one.model for one in result.metrics if one.role == "model" and _key(one) in set(keys))
    beside = [model for model in audited if model not in columns]
    cells = {(one.model, _key(one)): one for one in result.metrics}
    head = ("Number", "About", *(f"{model} (control)" for model in columns), *beside)
    rows = ([_name(key), about(key[0], key[1]), *(_cell(cells.get((model, key))) for model in (*columns, *beside))]
            for key in keys)  # fmt: skip
    words = (
        "A control gets no verdict. Where a control reaches what a model reaches, the model's number may come from the "
        "same source, such as the size of what it outlines."
    )
    return join([paragraph(words), table("Controls beside the models", head, rows)])


def _key(found: Metric) -> Key:
    return found.finding, found.attribute, found.name, found.group


def _name(key: Key) -> Markup:
    return join([tag("span", metric_label(key[2]), class_="name"), tag("span", group_label(key[3]), class_="about")])


def _cell(found: Metric | None) -> Markup | str:
    if found is None:
        return tag("span", "not in this audit", class_="missing")
    return join([estimate(found), tag("span", sample_size(found), class_="about")])
