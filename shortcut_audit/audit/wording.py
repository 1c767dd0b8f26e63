"""The sentences of a verdict. The first is for everybody, the second has the numbers, the third the limit.

What may be said: ``depends on`` only with a paired contrast or a matched reference; ``is consistent
with``; ``we cannot tell``. A gap alone never says that the model uses the attribute.
"""

from __future__ import annotations

from collections.abc import Collection

from shortcut_audit.audit.result.judgement import Answer, Status
from shortcut_audit.audit.table.groups import composite_terms
from shortcut_audit.audit.table.question import Question

OTHERS = "Other shortcuts were not tested."


def sentences(
    question: Question, status: Status, rule: str, *, skill: Answer, gap: Answer, reliance: Answer, both_sides: bool
) -> tuple[str, ...]:
    """Return three sentences for a verdict."""
    feature, disease = feature_of(question), question.finding.replace("_", " ")
    if status == "insufficient":
        return _insufficient(question, rule, skill, gap, reliance)
    last = _not_asked(question) or OTHERS
    if status == "fail":
        return f"The score depends on {feature}.", _dependence(question, feature, reliance), _masked(rule) + last
    if status == "pass":
        return _passed(question, feature, disease, gap, reliance, last)
    first, second = _concern(question, rule, feature, disease, gap, reliance)
    suspicion = (
        f"This is consistent with use of {feature}; severity and harder negatives together would look the same. "
        if both_sides and "open" in rule else ""
    )  # fmt: skip
    chosen = "The validation figure also chose the checkpoint. " if question.reversed else ""
    return first, second, suspicion + chosen + last


def feature_name(attribute: str, known: Collection[str] = ()) -> str:
    """Return an attribute as words; a composite of ``known`` ones by its number of parts."""
    parts = composite_terms(attribute, known)
    if len(parts) > 1:
        return f"the composite of {len(parts)} attributes"
    name, equals, value = attribute.partition("=")
    return f"{name.replace('_', ' ')}{' ' if equals else ''}{value}"


def feature_of(question: Question) -> str:
    """Return the attribute of a question as words; one that is asked by e(a) as what it suggests."""
    known = question.context.columns
    name, alone = feature_name(question.attribute, known), len(composite_terms(question.attribute, known)) == 1
    return f"what {name} suggests" if question.composite and alone else name


def number(value: float | None) -> str:
    """Return a number with three decimals and a true minus sign."""
    return "not computed" if value is None else f"{value:.3f}".replace("-", "\N{MINUS SIGN}")


def _interval(question: Question, answer: Answer) -> str:
    if answer.value is None:
        return f"not computed: {answer.reason}"
    return f"{100 * question.limits.confidence:g} % CI {number(answer.low)} to {number(answer.high)}"


def _dependence(question: Question, feature: str, reliance: Answer) -> str:
    ends = f"({_interval(question, reliance)}, limit {reliance.limit:g})"
    moved = {
        "interventional_gap": f"Switching {feature} on and off in the same images moves the gap by",
        "gap_reliance": f"Removing {feature} from the same images takes away of the gap",
        "gap_vs_reference": "Against a matched model that never saw the association, the gap is larger by",
    }[reliance.number or "interventional_gap"]
    return f"{moved} {number(reliance.value)} {ends}."


def _masked(rule: str) -> str:
    return "No gap is seen between the groups: the case mix masks the reliance. " if "within" in rule else ""


def _passed(
    question: Question, feature: str, disease: str, gap: Answer, reliance: Answer, last: str
) -> tuple[str, ...]:
    holds = f"Performance holds where {feature} and {disease} disagree."
    if question.limits.ask == "gap":
        return holds, f"The gap is {number(gap.value)} ({_interval(question, gap)}), inside {gap.limit:g}.", last
    switched = f"switching {feature} in the same images moves it by {number(reliance.value)}"
    if question.limits.ask == "reliance":
        second = f"In numbers: {switched} ({_interval(question, reliance)}), inside {reliance.limit:g}."
        return f"Switching {feature} in the same images hardly moves the gap.", second, last
    second = (
        f"The gap is {number(gap.value)} ({_interval(question, gap)}), and {switched} "
        f"({_interval(question, reliance)}), both inside {gap.limit:g}."
    )
    return holds, second, last


def _concern(
    question: Question, rule: str, feature: str, disease: str, gap: Answer, reliance: Answer
) -> tuple[str, str]:
    if "within" in rule:
        first = f"No gap is seen where {feature} and {disease} disagree; reliance was not settled."
    elif rule.endswith("excluded"):
        first = f"Films where {feature} and {disease} disagree are harder; switching {feature} changes little."
    else:
        first = f"Performance changes where {feature} and {disease} disagree; the cause is not established."
    change = "lower" if (gap.value or 0) >= 0 else "higher"
    where = "in the reversed test set than in validation" if question.reversed else "there"
    size = number(abs(gap.value or 0))
    second = f"AUROC is {change} by {size} {where} ({_interval(question, gap)}, limit {gap.limit:g}); "
    if reliance.value is None:
        return first, f"{second}whether {feature} is the cause was not tested."
    return first, f"{second}switching {feature} moves it by {number(reliance.value)} ({reliance.reason})."


def _not_asked(question: Question) -> str:
    missing = {"gap": "Reliance", "reliance": "The gap", "both": ""}[question.limits.ask]
    return f"{missing} was not asked. {OTHERS}" if missing else ""


def _insufficient(question: Question, rule: str, skill: Answer, gap: Answer, reliance: Answer) -> tuple[str, ...]:
    last = f"This is not a pass. {_not_asked(question)}".strip()
    if rule == "design:reversed":
        return (
            "We cannot tell: several attributes were reversed jointly in this test set.",
            "Their composite is what can be audited here.", last,
        )  # fmt: skip
    if rule == "design:reversed:no validation":
        return (
            "We cannot tell: the test set is reversed by design and there are no validation films.",
            "Without them the drop from validation to test has no start.", last,
        )  # fmt: skip
    if rule == "images":
        return _too_few_images(question, last)
    if rule == "skill" and reliance.evidence == "yes":
        last = f"The scores do follow the attribute, but a model without skill is not judged. {last}"
    asks_gap = question.limits.ask != "reliance" and gap.evidence == "cannot tell"
    open_ = skill if rule == "skill" else gap if asks_gap else reliance
    second = f"{_SUBJECT[open_.check]}: {number(open_.value)} ({_interval(question, open_)}); {open_.reason}."
    if open_.value is None:
        second = f"{_SUBJECT[open_.check]}: not computed ({open_.reason})."
    return _how_many(question, open_), second, last


_SUBJECT = {"skill": "AUROC", "gap": "Gap", "reliance": "Change of the gap when the attribute is switched"}


def _how_many(question: Question, open_: Answer) -> str:
    # No number of test patients replaces the training rows.
    if question.unlearnt and not question.reversed and question.limits.ask != "reliance":
        rows = f"training rows with and without {question.finding.replace('_', ' ')}"
        suggests = f"what {feature_name(question.attribute, question.context.columns)} suggests"
        return f"We cannot tell: it takes {rows} to learn {suggests}."
    if open_.n_needed is None or open_.cell_needed is None:
        if open_.check == "reliance":
            return f"We cannot tell: it takes the same images with and without {feature_of(question)}."
        return "We cannot tell: there is nothing to compare."
    patients = dict([
        question.smallest_cell, question.scarcer_class(question.test),
        *([question.scarcer_class(~question.test)] if question.reversed and open_.check == "skill" else []),
    ])[open_.cell_needed]  # fmt: skip
    return _cannot_tell(question, patients, open_.cell_needed, open_.n_needed)


def _cannot_tell(question: Question, patients: int, cell: str, needed: int) -> str:
    words = cell.replace(question.attribute, feature_name(question.attribute, question.context.columns))
    place = f"among the {cell}" if cell in {"positives", "negatives"} else f"in the cell {words}"
    return f"We cannot tell: {patients} patient{'s' * (patients != 1)} {place}; about {needed} would decide."


def _too_few_images(question: Question, last: str) -> tuple[str, ...]:
    needed = question.limits.min_pass_images
    by_class = question.reversed or question.limits.ask == "reliance"
    cell, patients = question.scarcer_class(question.test) if by_class else question.smallest_cell
    first = _cannot_tell(question, patients, cell, needed)
    return first, f"A pass needs {needed} images in every {'class' if by_class else 'cell'}.", last
