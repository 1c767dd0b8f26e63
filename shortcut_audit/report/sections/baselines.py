"""Baselines: what chance, prevalence, the attributes alone, other attributes and readers reach."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.blocks import names as subject_names
from shortcut_audit.report.blocks import nothing, paragraph, table
from shortcut_audit.report.lookup import Subject, asked_about, metric
from shortcut_audit.report.markup import join, tag
from shortcut_audit.report.numbers import estimate, number, sample_size
from shortcut_audit.report.sections import section
from shortcut_audit.report.vocabulary import group_label, metric_label

HEAD = ("About", "Gap", "Gap if the attribute meant nothing", "P of the gap", "Attributes alone, AUROC", "Prevalence")
BESIDE = ("auroc_gap", "gap_permuted", "gap_permuted_p", "attributes_alone_auroc", "prevalence")
OTHERS = ("other_gap", "other_shift_positives", "other_shift_negatives")
OTHERS_HEAD = ("About", "Other attribute", *(metric_label(name) for name in OTHERS))
NUMBERS = ("auroc", "robust_auroc", "auroc_gap")
READERS_HEAD = ("About", "Reader", "Measure", "Of the reader", "Model less reader", "n")


@section("baselines", title="Baselines", order=95)
def baselines(result: AuditResult) -> Markup:
    """The gap beside chance and other attributes, the AUROC beside the attributes alone and readers."""
    asked = asked_about(result, "prevalence")
    if not asked:
        return nothing("No baseline was computed in this audit.")
    return join([
        paragraph(
            "The gap stands beside the gaps that come about where the attribute is exchanged among patients of like "
            "labels. A P that is small says that score and attribute go together among images of one label, not why. "
            "The attributes alone are ranked by what they suggested in training, without any image: in a test set "
            "reversed by design they rank the wrong way round, and no model can know that."
        ),
        table("Baselines", HEAD, (_row(result, about) for about in asked)),
        tag("h3", "Other attributes"), _others(result, asked),
        tag("h3", "Readers"), _readers(result, asked),
    ])  # fmt: skip


def _row(result: AuditResult, about: Subject) -> list[object]:
    cells = {name: _cell(metric(result, about, name)) for name in BESIDE}
    return [subject_names(*about), *{**cells, "gap_permuted": _chance(metric(result, about, "gap_permuted"))}.values()]


def _chance(found: Metric | None) -> Markup:
    """Return a range of chance, which is no confidence interval."""
    if found is None or found.value is None or found.low is None or found.high is None:
        return _cell(found)
    words = f"{100 * found.confidence:g} % of exchanges {number(found.low)} to {number(found.high)}"
    return join([tag("span", number(found.value), class_="value"), " ", tag("span", words, class_="ci")])


def _cell(found: Metric | None) -> Markup:
    return join([estimate(found), tag("span", sample_size(found) if found else "", class_="about")])


def _others(result: AuditResult, asked: Sequence[Subject]) -> Markup:
    rows = [
        [subject_names(*about), group_label(group), *(_cell(metric(result, about, name, group)) for name in OTHERS)]
        for about in asked
        for group in _groups(result, about, "other_gap")
    ]
    if not rows:
        return nothing("The table has no further attribute of 0 and 1 to set beside the one asked about.")
    words = (
        "A device of no importance should show nothing: what it shows anyway is what case mix or chance can do here."
    )
    return join([paragraph(words), table("The same numbers of other attributes", OTHERS_HEAD, rows)])


def _readers(result: AuditResult, asked: Sequence[Subject]) -> Markup:
    rows = [
        _reader(result, about, group, name)
        for about in asked
        for group in _groups(result, about, "reader_auroc")
        for name in NUMBERS
    ]
    if not rows:
        return nothing("No reader's scores are in the table (columns reader_score.NAME).")
    words = "On the images that the reader read. A difference decides nothing: a model can differ from a better reader "
    return join([
        paragraph(words + "without any use of the attribute."),
        table("Readers beside the models", READERS_HEAD, rows),
    ])  # fmt: skip


def _reader(result: AuditResult, about: Subject, group: str, name: str) -> list[object]:
    reader = metric(result, about, f"reader_{name}", group)
    return [
        subject_names(*about), group_label(group), metric_label(name), estimate(reader),
        estimate(metric(result, about, f"{name}_less_reader", group)), sample_size(reader) if reader else "",
    ]  # fmt: skip


def _groups(result: AuditResult, about: Subject, name: str) -> list[str]:
    return [found.group for found in result.find(name, **about._asdict())]
