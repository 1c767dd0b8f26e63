"""The second question: is it the attribute? Answered by the same film with and without it."""

from __future__ import annotations

from dataclasses import dataclass

from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.measures.margin import against_margin
from shortcut_audit.audit.measures.paired import (
    gap_after_removal,
    gap_control_edit,
    gap_vs_reference,
    interventional_gap,
)
from shortcut_audit.audit.plans.planning import patients_by_scaling
from shortcut_audit.audit.result.judgement import Answer, Evidence
from shortcut_audit.audit.statistics.estimate import Contrast, Estimate, Undefined
from shortcut_audit.audit.table.question import Question

MATCHED = 0.02
"""A reference model counts as matched where its A_00 differs by no more."""


@dataclass(frozen=True, kw_only=True)
class _Source:
    """What one source says: the pairs, or a matched reference."""

    number: str
    contrast: Contrast
    found: Estimate | Undefined
    evidence: Evidence
    reason: str


@CHECKS.register("reliance")
def reliance(question: Question) -> Findings:
    """Does the score depend on the attribute itself?

    The interventional gap is A(positives with, negatives without) - A(positives without, negatives with),
    every film in both states. Shown: its interval lies wholly outside plus or minus the margin (for edited
    pairs only if the control edit moves the gap by less); excluded: wholly inside, with exact pairs. A
    matched reference model can show reliance too: gap - its gap above the margin.
    """
    case_mix = gap_after_removal(question)
    numbers = {
        "interventional_gap": interventional_gap(question),
        "gap_reliance": question.gap() - case_mix,
        "gap_case_mix": case_mix,
        "gap_control_edit": gap_control_edit(question),
        "gap_vs_reference": gap_vs_reference(question),
    }
    pairs, reference = _pairs(question, numbers), _reference(question, numbers["gap_vs_reference"])
    source = reference if pairs.evidence == "cannot tell" and _tells_more(reference, pairs) else pairs
    # Two sources are two chances to show it.
    tried = sum(isinstance(one.found, Estimate) for one in (pairs, reference))
    shown = source.evidence == "yes"
    return Findings(
        answers=(_answer(question, source),),
        metrics=tuple(question.metric(name, contrast) for name, contrast in numbers.items()),
        p=min(1.0, source.contrast.p_beyond(question.limits.margin) * tried) if shown else 1.0,
        sources=max(tried, 1),
    )


def _tells_more(reference: _Source, pairs: _Source) -> bool:
    undefined = isinstance(pairs.found, Undefined)
    return reference.evidence == "yes" or (undefined and isinstance(reference.found, Estimate))


def _pairs(question: Question, numbers: dict[str, Contrast]) -> _Source:
    # Where insertion is impossible, the share of the bar decides in its place.
    insertion = numbers["interventional_gap"].reason is None or numbers["gap_reliance"].reason is not None
    number = "interventional_gap" if insertion else "gap_reliance"
    found = numbers[number].estimate(question.limits.confidence)
    evidence, reason = against_margin(found, question.limits.margin)
    if question.joint:
        evidence, reason = "cannot tell", "several attributes were reversed jointly in this test set"
    elif question.setting.pairs == "edited" and evidence == "no":
        evidence, reason = "cannot tell", f"{reason}, but the pairs are edited: a weak edit would look the same"
    elif question.setting.pairs == "edited" and evidence == "yes":
        doubt = _doubt(question, numbers["gap_control_edit"])
        if doubt:
            evidence, reason = "cannot tell", f"{reason}, but {doubt}"
    return _Source(number=number, contrast=numbers[number], found=found, evidence=evidence, reason=reason)


def _doubt(question: Question, control: Contrast) -> str | None:
    """Return why an edit cannot be trusted to have changed the attribute alone, None if it can."""
    margin = question.limits.margin
    change = control.estimate(question.limits.confidence)
    if isinstance(change, Undefined):
        return f"the pairs are edited and the edit has no control ({change.reason})"
    if change.against(margin) == "within":
        return None
    return f"the same edit on another place was not shown to change the gap by less than {margin:g}"


def _reference(question: Question, contrast: Contrast) -> _Source:
    found = contrast.estimate(question.limits.confidence)
    evidence, reason = against_margin(found, question.limits.margin)
    objection = _objection(question, contrast) if isinstance(found, Estimate) else None
    if objection:
        evidence, reason = "cannot tell", objection
    elif evidence == "no":
        evidence, reason = "cannot tell", f"{reason}; a reference model can show reliance, never exclude it"
    return _Source(number="gap_vs_reference", contrast=contrast, found=found, evidence=evidence, reason=reason)


def _objection(question: Question, contrast: Contrast) -> str | None:
    """Return why the reference model shows nothing, None if it may."""
    assert question.reference is not None
    apart = abs(question.pair(0, 0).value - question.pair(0, 0, question.reference).value)
    name, patients = question.smallest_cell
    if question.joint:
        return "several attributes were reversed jointly in this test set"
    if apart > MATCHED:
        return f"the reference model is not matched: its A_00 differs by {apart:.3f}, more than {MATCHED:g}"
    if patients < question.limits.min_cell_patients:
        return f"the cell {name} has {patients} patients, under {question.limits.min_cell_patients}"
    if question.association.sign is not None and contrast.value < 0:
        return "the gap is smaller than that of the reference model"
    return None


def _answer(question: Question, source: _Source) -> Answer:
    known = source.found if isinstance(source.found, Estimate) else None
    margin = question.limits.margin
    needed = cell = None
    if known and source.evidence == "cannot tell" and known.against(margin) == "across":
        cell, patients = question.scarcer_class(question.test)
        half, distance = (known.high - known.low) / 2, abs(known.value) - margin
        needed = patients_by_scaling(patients, half=half, distance=distance, confidence=known.confidence)
    return Answer(
        check="reliance", kind="causal", model=question.model, finding=question.finding, attribute=question.attribute,
        question="Does the score depend on the attribute itself?", evidence=source.evidence, number=source.number,
        value=known.value if known else None, low=known.low if known else None, high=known.high if known else None,
        null=0.0, limit=margin, limit_origin=question.setting.origin("margin"), reason=source.reason,
        n_needed=needed, cell_needed=cell, decides=True,
    )  # fmt: skip
