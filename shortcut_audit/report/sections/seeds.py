"""Several seeds of one model: whether they agree, and their mean with the chance of seeds and of patients apart."""

from __future__ import annotations

from markupsafe import Markup

from shortcut_audit.audit.result.numbers import SeedMean
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.blocks import bullets, names, nothing, paragraph, table
from shortcut_audit.report.markup import join, tag
from shortcut_audit.report.numbers import count, estimate, number
from shortcut_audit.report.sections import section
from shortcut_audit.report.vocabulary import metric_label

HEAD = ("Model", "Measure", "Each seed", "Mean", "Between seeds, SD", "Over patients, SE", "Images", "Patients")


@section("seeds", title="Seeds", order=92)
def seeds(result: AuditResult) -> Markup:
    """Verdicts and means over several seeds of one model."""
    if not result.seeds:
        return nothing("No model was given with several seeds: what another initialisation would change is not known.")
    return join([
        paragraph("Each seed is a model of its own, with a verdict of its own: one of them will be used. Of the way of "
                  "training only that can be said in which all seeds agree."),
        bullets(join([names(one.model, one.finding, one.attribute), " ", one.sentence]) for one in result.agreements),
        paragraph("Mean over seeds on the images that all of them scored. The interval accounts for other seeds and "
                  "for other patients; SD and SE tell which of the two matters more."),
        table("Mean over seeds", HEAD, (_row(found) for found in result.seeds)),
    ])  # fmt: skip


def _row(found: SeedMean) -> list[object]:
    each = ", ".join(number(value) for value in found.values) or "not computed"
    return [
        names(found.model, found.finding, found.attribute), metric_label(found.name), each, estimate(found),
        _size(found.seed_sd), _size(found.data_se), count(found.n), count(found.n_patients),
    ]  # fmt: skip


def _size(value: float | None) -> Markup:
    return tag("span", "not computed", class_="missing") if value is None else tag("span", number(value))
