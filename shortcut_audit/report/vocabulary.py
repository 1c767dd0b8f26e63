"""The words of the report: what a status, an answer, a metric and a group are called.

Fixed phrases only. A metric or a check that is not listed here is shown under its own name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from shortcut_audit.audit.result.judgement import Evidence, GapAnswer, RelianceAnswer, Status
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.terms import BOOTSTRAP, PROPORTION, WORST, Term

STATUS_WORDS: dict[Status, tuple[str, str]] = {
    "fail": ("✖", "FAIL"),
    "concern": ("!", "CONCERN"),
    "insufficient": ("?", "INSUFFICIENT"),
    "pass": ("✔", "PASS"),
}
"""Symbol and word; a status is never shown in colour alone."""

STATUS_MEANINGS: dict[Status, str] = {
    "fail": "The scores of the same images move with the attribute, by more than the margin; "
    "or a limit of the plan is missed.",
    "concern": "Something is there that a person should look at; whether it is the attribute is not established.",
    "insufficient": "There are not enough cases, or not the right ones, to tell. This is not a PASS.",
    "pass": "What was asked lies inside the margin. Other shortcuts were not tested.",
}

GAP_MEANINGS: dict[GapAnswer, str] = {
    "beyond": "the whole interval of the gap lies outside the margin",
    "within": "the whole interval of the gap lies inside the margin",
    "open": "the interval does not settle it against the margin",
}
RELIANCE_MEANINGS: dict[RelianceAnswer, str] = {
    "shown": "there is evidence of it beyond the margin",
    "excluded": "the same images rule it out beyond the margin",
    "open": "not tested, or not settled against the margin",
}

EVIDENCE_WORDS: dict[str, dict[Evidence, str]] = {
    "gap": {"yes": "BEYOND", "no": "WITHIN", "cannot tell": "OPEN"},
    "reliance": {"yes": "SHOWN", "no": "EXCLUDED", "cannot tell": "OPEN"},
    "case_mix": {"yes": "BEYOND", "no": "WITHIN", "cannot tell": "OPEN"},
    "limit": {"yes": "HELD", "no": "MISSED", "cannot tell": "OPEN"},
}


def evidence_word(check: str, evidence: Evidence) -> str:
    """Return how a check's answer is printed."""
    return EVIDENCE_WORDS.get(check, {}).get(evidence, evidence.upper())


METRICS: dict[str, Term] = {
    **PROPORTION,
    **WORST,
    **BOOTSTRAP,
    "auroc": Term(
        "AUROC",
        "Chance that an image with the finding scores above one without it, ties counted half; 0.5 is guessing.",
    ),
    "robust_auroc": Term(
        "Robust AUROC",
        "AUROC over the images where the training association breaks: with the usual sign, positives without "
        "the attribute against negatives with it. Below 0.5 is possible and is not folded.",
    ),
    "aligned_auroc": Term(
        "Aligned AUROC",
        "AUROC over the images where the training association holds: positives with the attribute against "
        "negatives without it.",
    ),
    "auroc_pair": Term(
        "AUROC of a pair of cells",
        "Aij: positives whose attribute is i against negatives whose attribute is j (1 present, 0 absent).",
    ),
    "auroc_within": Term("AUROC within a value", "AUROC over the images that share one value of the attribute."),
    "auroc_within_strata": Term(
        "AUROC within strata", "AUROC over pairs of images from the same stratum of a covariate, pooled."
    ),
    "auroc_gap": Term("Gap", "Aligned minus robust AUROC: reliance plus case mix."),
    "designed_shift": Term(
        "Designed shift",
        "AUROC of the validation images minus AUROC of the test images, whose association was reversed by design; "
        "the validation images may also have chosen the checkpoint.",
    ),
    "auroc_validation": Term("AUROC, validation", "AUROC of the validation images, where the association holds."),
    "gap_positive_side": Term(
        "Gap, side of the positives", "1/2 [(A10 − A00) + (A11 − A01)]; severity of the finding moves only this."
    ),
    "gap_negative_side": Term(
        "Gap, side of the negatives", "1/2 [(A00 − A01) + (A10 − A11)]; harder negatives move only this."
    ),
    "interventional_gap": Term(
        "Interventional gap",
        "AUROC of positives with against negatives without the attribute, minus the reverse, with every image "
        "used in both states: the same images, only the attribute switched.",
    ),
    "gap_reliance": Term("Gap by reliance", "The gap minus what is left of it when the attribute is removed."),
    "gap_case_mix": Term("Gap by case mix", "What is left of the gap when the attribute is removed."),
    "gap_control_edit": Term(
        "Gap by the control edit", "What the same edit on a place without the attribute changes the gap by."
    ),
    "gap_vs_reference": Term(
        "Gap against a reference model", "The gap minus that of a matched model trained without the association."
    ),
    "score_shift": Term(
        "Score shift", "AUROC of the score for the attribute among images of one label; 0.5 is no shift."
    ),
    "robust_auroc_standardised": Term(
        "Robust AUROC, standardised",
        "Robust AUROC after positives with and without the attribute are weighted to one severity, and both classes "
        "to the same covariates.",
    ),
    "aligned_auroc_standardised": Term("Aligned AUROC, standardised", "Aligned AUROC after the same weighting."),
    "auroc_gap_standardised": Term(
        "Gap, standardised", "Aligned minus robust AUROC after the weighting: reliance plus the case mix not measured."
    ),
    "gap_positive_side_standardised": Term(
        "Gap, side of the positives, standardised", "The positive side of the gap after the weighting."
    ),
    "gap_negative_side_standardised": Term(
        "Gap, side of the negatives, standardised", "The negative side of the gap after the weighting."
    ),
    "smd_before": Term(
        "Difference in a column",
        "Mean with the attribute minus mean without it, in SD of the column, among images of one label.",
    ),
    "smd_after": Term("Difference in a column, weighted", "The same after the weighting; under 0.1 counts as alike."),
    "effective_patients": Term(
        "Effective patients", "How many equally weighted patients would carry as much information after the weighting."
    ),
    "severity_to_explain": Term(
        "Severity that would explain the gap",
        "How many SD more severe positives with the attribute would have to be, for a score that ignores it.",
    ),
    "suspicion_to_explain": Term(
        "Suspicion that would explain the gap",
        "How many SD more suspicious negatives with the attribute would have to be, for a score that ignores it.",
    ),
    "within_patient_auroc": Term(
        "AUROC within patients",
        "Chance that an image with the attribute scores above one of the same patient and label without it; 0.5 is no "
        "difference.",
    ),
    "within_patient_move": Term(
        "Move within patients",
        "Rank of the score, from 0 to 1 among images of the label, with the attribute minus without it in the same "
        "patient.",
    ),
    "robust_auroc_noise_corrected": Term(
        "Robust AUROC, corrected for attribute labels",
        "Robust AUROC as it would be without errors in the attribute's labels, if these have the sensitivity and "
        "specificity named, whatever the score. Where errors go with the score it corrects too much or too little.",
    ),
    "aligned_auroc_noise_corrected": Term(
        "Aligned AUROC, corrected for attribute labels", "Aligned AUROC, corrected in the same way."
    ),
    "auroc_gap_noise_corrected": Term(
        "Gap, corrected for attribute labels", "The gap as it would be without errors in the attribute's labels."
    ),
    "fragility_index": Term(
        "Fragility index", "How many of the highest-scored conflicting negatives must be relabelled to lose a FAIL."
    ),
    "sensitivity": Term("Sensitivity", "Share of the positives that are flagged: scored at or above the threshold."),
    "specificity": Term("Specificity", "Share of the negatives that are not flagged: scored below the threshold."),
    "ppv": Term(
        "PPV", "Share of the flagged images that are positives; it holds for the share of positives in these images."
    ),
    "flagged_share": Term(
        "Share flagged",
        "Share of a cell at or above the threshold: sensitivity among positives, false-alarm rate among negatives.",
    ),
    "sensitivity_change": Term(
        "Change of sensitivity", "Sensitivity of positives with the attribute minus that of positives without it."
    ),
    "false_alarm_change": Term(
        "Change of false-alarm rate",
        "Share flagged of negatives with the attribute minus that of negatives without it.",
    ),
    "missed_per_1000": Term(
        "Missed per 1,000 patients",
        "Patients with the finding who are not flagged, of 1,000 patients of the place of use, one image each.",
    ),
    "false_alarms_per_1000": Term(
        "False alarms per 1,000 patients",
        "Patients without the finding who are flagged, of 1,000 patients of the place of use, one image each.",
    ),
    "target_area_auroc": Term("AUROC of the finding's size", "AUROC of the drawn size of the finding alone."),
    "auprc": Term(
        "AUPRC",
        "Average precision, the area under the precision-recall curve, with every group brought to the same "
        "prevalence; guessing gives that prevalence.",
    ),
    "brier": Term("Brier score", "Mean of (score − label)², where the score is a probability; 0 is best."),
    "ece": Term(
        "Calibration error (ECE)",
        "Root mean square distance of the share of positives from the mean score, over bins of equal mass, less what "
        "chance alone adds.",
    ),
    "dice": Term("Dice", "Overlap of predicted and drawn mask: 2 |A and B| / (|A| + |B|), mean over images."),
    "saliency_share": Term("Share of saliency", "Share of the absolute attribution that falls inside a region."),
    "saliency_enrichment": Term(
        "Saliency per area",
        "Share of saliency divided by the region's share of the image. Read it beside a device of no importance and "
        "randomised weights: these alone reach 1.1 to 2.1 on thin bright devices.",
    ),
    "mask_share": Term("Share of mask", "Share of a predicted mask, or of a pseudo-mask, that falls inside a region."),
    "mask_enrichment": Term(
        "Mask per area",
        "Share of mask divided by the region's share of the image; read it beside a device of no importance.",
    ),
    "mask_touching": Term("Masks that touch", "Share of pseudo-masks with a pixel inside a region."),
    "mask_area_auroc": Term(
        "AUROC of mask area",
        "AUROC of a pseudo-mask's area for the attribute: 0.5 where it is as large with it as without.",
    ),
}


def metric_label(name: str) -> str:
    """Return a metric's name for people."""
    return METRICS[name].label if name in METRICS else plain(name)


_UNITS = {"image": ("image", "images"), "study": ("study", "studies"), "patient": ("patient", "patients")}


def unit(result: AuditResult, size: int) -> str:
    """Return what one row of the audit stands for, in the singular or plural that ``size`` takes."""
    return _UNITS[result.counts.per][size != 1]


def plain(name: str) -> str:
    """Return a name of a finding, attribute or check as words."""
    return name.replace("_", " ")


_WITH = {"1": "with", "0": "without"}


def feature(attribute: str, composites: Collection[str] = ()) -> str:
    """Return an attribute as it stands in a sentence; one among ``composites`` as what it suggests."""
    parts = [part for part in attribute.split("+") if part]
    if len(parts) > 1 and attribute in composites:
        return f"the composite of {len(parts)} attributes"
    name = plain(attribute).replace("=", " ")
    return f"what {name} suggests" if attribute in composites else name


GROUPS = {
    "all": "all images",
    "robust": "association breaks (robust)",
    "aligned": "association holds (aligned)",
    "within:1": "attribute present",
    "within:0": "attribute absent",
    "within:unknown": "attribute not known (in no cell)",
    "label:1": "images with the finding",
    "label:0": "images without the finding",
    "groups:searched": "lowest over the groups searched",
}
SIDES = {
    "within:1": "attribute speaks for the finding",
    "within:0": "attribute speaks against the finding",
    "within:unknown": "attribute not known, or says nothing (in no cell)",
}
_STARTS = {
    "groups": "lowest over the values of ",
    "footprint": "on ",
    "finding": "on the finding ",
    "strata": "within ",
    "other": "by ",
    "reader": "reader ",
}


def group_label(group: str, *, composite: bool = False) -> str:
    """Return a group of images in words; of a ``composite`` 1 and 0 are for and against the finding."""
    fixed = {**GROUPS, **SIDES} if composite else GROUPS
    if group in fixed:
        return fixed[group]
    kind, _, rest = group.partition(":")
    if kind in _MADE:
        return _MADE[kind](*rest.partition(":")[::2])
    return _STARTS[kind] + plain(rest) if kind in _STARTS else group


def _labels(sensitivity: str, specificity: str) -> str:
    return f"attribute labels with sensitivity {sensitivity} and specificity {specificity}"


def _within(value: str, rest: str) -> str:
    whole = plain(f"{value}:{rest}" if rest else value)
    return whole.replace("=", " = ", 1) if "=" in whole else f"attribute = {whole}"


def _covariate(label: str, name: str) -> str:
    return f"{plain(name)}, {GROUPS[f'label:{label}']}"


def _cell(label: str, value: str) -> str:
    return f"{'finding' if label == '1' else 'no finding'}, {_WITH.get(value, value)} attribute"


def _subgroup(names: str, rest: str) -> str:
    whole = plain(f"{names}:{rest}" if rest else names)
    return whole.replace("=", " = ").replace(",", ", ")


def _pair(positives: str, negatives: str) -> str:
    name = f"A{positives}{negatives}: " if {positives, negatives} <= _WITH.keys() else ""
    words = [_WITH.get(value, plain(value)) for value in (positives, negatives)]
    if positives == negatives:
        return f"{name}positives and negatives {words[0]}"
    return f"{name}positives {words[0]}, negatives {words[1]}"


_MADE: dict[str, Callable[[str, str], str]] = {
    "pair": _pair, "labels": _labels, "within": _within, "covariate": _covariate, "cell": _cell,
    "subgroup": _subgroup,
}  # fmt: skip
