"""The gap among patients who are alike in what was measured, and how unlike they would have to be."""

from __future__ import annotations

from markupsafe import Markup

from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.blocks import about, bullets, folded, nothing, paragraph, table
from shortcut_audit.report.lookup import Subject, asked_about, metric, subject
from shortcut_audit.report.markup import join, tag
from shortcut_audit.report.numbers import counted, estimate, in_words, interval, number
from shortcut_audit.report.sections import section
from shortcut_audit.report.vocabulary import feature, metric_label, plain

SHOWN_AT_ONCE = 6
NUMBERS = ("auroc_gap", "gap_positive_side", "gap_negative_side", "robust_auroc", "aligned_auroc")
HEAD = ("Number", "As it is", "Among patients alike")
BALANCE = ("Column", "Among", "Difference before (SD)", "Difference after (SD)")
EFFECTIVE = ("Cell", "Patients", "Worth after weighting")
WHO = {"1": "positives", "0": "negatives"}


@section("casemix", title="Case mix", order=35)
def casemix(result: AuditResult) -> Markup:
    """The gap among patients made alike in severity and covariates, beside the raw one."""
    rows = asked_about(result, "auroc_gap_standardised")
    if not rows:
        return nothing("No gap was computed in this audit, so there is no case mix to take out of it.")
    parts = [_part(result, one) for one in rows]
    rest = parts[SHOWN_AT_ONCE:]
    return join([
        paragraph(
            "Groups of patients differ: a device is put into those who are sicker. Here positives with and without the "
            "attribute are weighted until they are alike in severity and covariates, and negatives until they are "
            "alike in the covariates. A gap that stays is reliance, or a difference that nobody measured; "
            "a gap that goes is consistent with case mix. Neither shows nor excludes that the score uses the attribute."
        ),
        *parts[:SHOWN_AT_ONCE],
        folded(f"{counted(len(rest), 'more row')} of model and attribute", *rest) if rest else "",
        _tables(result, rows),
    ])  # fmt: skip


def _part(result: AuditResult, one: Subject) -> Markup:
    heading = tag("h3", tag("span", one.model, class_="name"), " ", tag("span", about(one.finding, one.attribute),
                  class_="about"))  # fmt: skip
    standardised = metric(result, one, "auroc_gap_standardised")
    assert standardised is not None
    if standardised.value is None:
        body = paragraph(f"Not standardised: {standardised.reason}.", class_="missing")
    else:
        caption = f"{one.model}, {about(one.finding, one.attribute)}: the gap as it is and among patients alike"
        body = table(caption, HEAD, (_row(result, one, name) for name in NUMBERS))
    said = [text for text in (_to_explain(result, one), *_serial(result, one)) if text]
    return join([heading, body, bullets(said) if said else ""])


def _row(result: AuditResult, one: Subject, name: str) -> tuple[Markup | str, ...]:
    found = (metric(result, one, name), metric(result, one, f"{name}_standardised"))
    return metric_label(name), *(estimate(each) for each in found)


def _to_explain(result: AuditResult, one: Subject) -> str | None:
    """Say how unlike patients would have to be to explain the gap without use of the attribute."""
    gap, severity, suspicion = (
        metric(result, one, name) for name in ("auroc_gap", "severity_to_explain", "suspicion_to_explain")
    )
    if gap is None or gap.value is None or severity is None or suspicion is None:
        return None
    if severity.value is None or suspicion.value is None:
        return f"How unlike patients would have to be to explain the gap: {in_words(severity)}."
    measured = metric(result, one, "smd_before", "covariate:1:severity")
    known = f"measured severity differs by {_in_sd(measured)}" if measured else "severity was not measured"
    it, with_, without = _states(result, one.attribute)
    return (
        f"To explain the gap of {number(gap.value)} without use of {it}, positives {with_} would have to be "
        f"{_more(severity.value, 'severe')} and negatives {with_} {_more(suspicion.value, 'suspicious')} than those "
        f"{without} (SD of the score); {known}."
    )


def _states(result: AuditResult, attribute: str) -> tuple[str, ...]:
    """Return an attribute in a sentence, and what its values 1 and 0 are called after it."""
    composites = result.counts.composites
    if attribute in composites:
        return feature(attribute, composites), *(f"where it speaks {side} the finding" for side in ("for", "against"))
    return feature(attribute), "with it", "without it"


def _more(value: float, what: str) -> str:
    return f"{number(abs(value))} SD {'more' if value >= 0 else 'less'} {what}"


def _in_sd(found: Metric) -> str:
    return in_words(found) if found.value is None else f"{number(found.value)} SD ({interval(found)})"


def _serial(result: AuditResult, one: Subject) -> list[str]:
    """Say what the score does within patients; nothing where there are no serial images."""
    said = []
    for label, who in WHO.items():
        auroc, move = (metric(result, one, f"within_patient_{name}", f"label:{label}") for name in ("auroc", "move"))
        if auroc is None or auroc.value is None:
            continue
        patients = counted(auroc.n_patients, "patient has", "patients have")
        it = feature(one.attribute, result.counts.composites)
        said.append(
            f"{patients} images as {who} in both states of {it}. The share of such pairs in "
            f"which the one with it scores higher is {in_words(auroc)}; 0.5 would be no difference. Its rank among "
            f"the {who}, from 0 to 1, moves by {in_words(move)}. What changes with time, such as treatment, is still "
            "in this."
        )
    if not said and (found := metric(result, one, "within_patient_auroc", "label:1")) is not None:
        said.append(f"Serial images of one patient: {in_words(found)}.")
    return said


def _tables(result: AuditResult, rows: list[Subject]) -> Markup:
    """Return the columns and the cells once, though several models may have scored the same patients."""
    before = [found for found in result.find("smd_before") if subject(found) in rows]
    if not before:
        return Markup("")
    balance = dict.fromkeys(_balance(result, found) for found in before)
    cells = dict.fromkeys(_cell(result, found) for found in result.find("effective_patients") if subject(found) in rows)
    return join([
        paragraph(
            "How alike the groups are: the mean with the attribute minus the mean without it, in SD. Under 0.1 counts "
            "as alike. Weighting costs patients; a cell needs to be worth 30, or nothing is standardised."
        ),
        table("Case-mix columns before and after weighting", BALANCE, balance),
        table("What the cells are worth after weighting", EFFECTIVE, cells) if cells else "",
    ])  # fmt: skip


def _balance(result: AuditResult, before: Metric) -> tuple[Markup | str, ...]:
    _, label, name = before.group.split(":", 2)
    after = metric(result, subject(before), "smd_after", before.group)
    words = join([tag("span", plain(name), class_="name"), tag("span", about(before.finding, before.attribute),
                  class_="about")])  # fmt: skip
    return words, WHO[label], estimate(before), estimate(after)


def _cell(result: AuditResult, found: Metric) -> tuple[Markup | str, ...]:
    _, label, value = found.group.split(":")
    _, with_, without = _states(result, found.attribute)
    name = f"{WHO[label]} {with_ if value == '1' else without}"
    words = join([tag("span", name, class_="name"), tag("span", about(found.finding, found.attribute), class_="about")])
    return words, str(found.n_patients), estimate(found)
