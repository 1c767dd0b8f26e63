"""The clinical view: whom the decisions miss and whom they alarm in vain, of 1,000 patients."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.audit.result.setting import Population
from shortcut_audit.report.blocks import bullets, names, nothing, paragraph, table
from shortcut_audit.report.lookup import Subject, asked_about, metric
from shortcut_audit.report.markup import join
from shortcut_audit.report.numbers import in_words, number
from shortcut_audit.report.sections import section
from shortcut_audit.report.sections.operating import counted_estimate
from shortcut_audit.report.vocabulary import feature, plain

COUNTS = (
    ("missed_per_1000", "within:0", "Missed, attribute absent"),
    ("missed_per_1000", "within:1", "Missed, attribute present"),
    ("false_alarms_per_1000", "within:1", "False alarms, attribute present"),
    ("false_alarms_per_1000", "within:0", "False alarms, attribute absent"),
)
USES = (
    ("sensitivity", "within:0", "Sensitivity, nobody has it"),
    ("specificity", "within:0", "Specificity, nobody has it"),
    ("sensitivity", "within:1", "Sensitivity, everybody has it"),
    ("specificity", "within:1", "Specificity, everybody has it"),
)
Column = tuple[str, str, str]


@section("patients", title="What it means for patients", order=46)
def patients(result: AuditResult) -> Markup:
    """Missed positives and false alarms per 1,000 patients, and the model where nobody or everybody has it."""
    rows = asked_about(result, "missed_per_1000")
    if not rows:
        return nothing("Nothing was computed per 1,000 patients in this audit.")
    found = [metric(result, about, name, group) for about in rows for name, group, _ in (*COUNTS, *USES)]
    if not any(one and one.value is not None for one in found):
        reasons = "; ".join(dict.fromkeys(one.reason for one in found if one and one.reason))
        return nothing(f"Nobody can say whom the decisions miss or alarm in vain: {reasons}.")
    return join([
        paragraph(
            "Patients of every 1,000, one image each, at the threshold above. A model that takes the attribute for a "
            "sign of the finding misses it where the attribute is absent (a chest tube: the pneumothorax that nobody "
            "has drained yet) and alarms in vain where it is present. Severity and harder negatives look the same."
        ),
        bullets(_sentence(result, about) for about in rows),
        _table(result, rows, "Per 1,000 patients", COUNTS),
        paragraph(
            "How common the finding and the attribute are is taken as given, so the intervals are those of the shares "
            "alone. Test images may have been picked: name the shares of the place of use with evaluate.prevalence "
            "and evaluate.attribute_rates."
        ),
        _places(result.populations),
        paragraph("The same threshold where the attribute tells nothing, the decisions behind A00 and A11:"),
        _table(result, rows, "Where nobody or everybody has the attribute", USES),
    ])  # fmt: skip


def _table(result: AuditResult, rows: Sequence[Subject], caption: str, columns: Sequence[Column]) -> Markup:
    cells = (
        [names(*about), *(counted_estimate(result, about, name, group) for name, group, _ in columns)] for about in rows
    )
    return table(caption, ("Model", *(label for _, _, label in columns)), cells)


def _sentence(result: AuditResult, about: Subject) -> str:
    disease, attribute = plain(about.finding), feature(about.attribute, result.counts.composites)
    missed = in_words(metric(result, about, "missed_per_1000", "within:0"))
    alarms = in_words(metric(result, about, "false_alarms_per_1000", "within:1"))
    return (
        f"{about.model}: missed with {disease} and without {attribute}: {missed}; flagged in vain without {disease} "
        f"and with {attribute}: {alarms}."
    )


def _places(found: Sequence[Population]) -> Markup:
    if not found:
        return nothing("The audit did not say how common finding and attribute are.")
    head = ("Model", "Have the finding", "With it, have the attribute", "Without it, have the attribute")
    rows = (
        [names(one.model, one.finding, one.attribute),
         *(_share(one, name) for name in ("prevalence", "given_finding", "given_none"))]
        for one in found
    )  # fmt: skip
    return table("Shares the numbers are about", head, rows)


def _share(place: Population, name: str) -> str:
    value = getattr(place, name)
    if value is None:
        return "nobody to count in the test set"
    return f"{number(value)} ({'named' if name in place.named else 'as in the test set'})"
