"""The words of the report: what a status, an answer, a metric and a group are called.

Fixed phrases only. A metric or a check that is not listed here is shown under its own name.
"""

from __future__ import annotations

from typing import NamedTuple

from shortcut_audit.audit.result import Evidence, GapAnswer, RelianceAnswer, Status

STATUS_WORDS: dict[Status, tuple[str, str]] = {
    "fail": ("✖", "FAIL"),
    "concern": ("!", "CONCERN"),
    "insufficient": ("?", "INSUFFICIENT"),
    "pass": ("✔", "PASS"),
}
"""Symbol and word; a status is never shown in colour alone."""

STATUS_MEANINGS: dict[Status, str] = {
    "fail": "The scores of the same images move with the attribute, by more than the margin.",
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
}


def evidence_word(check: str, evidence: Evidence) -> str:
    """Return how a check's answer is printed."""
    return EVIDENCE_WORDS.get(check, {}).get(evidence, evidence.upper())


class Term(NamedTuple):
    """A metric's name for people and its definition in one sentence."""

    label: str
    definition: str


METRICS: dict[str, Term] = {
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
        "Robust AUROC, standardised", "Robust AUROC after the groups are matched on the case-mix columns."
    ),
    "robust_auroc_noise_corrected": Term(
        "Robust AUROC, corrected for attribute labels", "Robust AUROC if the attribute's labels have known error rates."
    ),
    "fragility_index": Term(
        "Fragility index", "How many of the highest-scored conflicting negatives must be relabelled to lose a FAIL."
    ),
    "target_area_auroc": Term("AUROC of the finding's size", "AUROC of the drawn size of the finding alone."),
    "auprc": Term("AUPRC", "Area under the precision-recall curve; guessing gives the share of positives."),
    "worst_group_auroc": Term("Worst-group AUROC", "The lowest AUROC over groups; a minimum is biased low."),
    "worst_group_accuracy": Term("Worst-group accuracy", "The lowest accuracy over the four cells."),
    "association_inflation": Term(
        "Inflation by the association", "AUROC minus the AUROC expected had the attribute the same rate in both labels."
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
}


def metric_label(name: str) -> str:
    """Return a metric's name for people."""
    return METRICS[name].label if name in METRICS else plain(name)


def plain(name: str) -> str:
    """Return a name of a finding, attribute or check as words."""
    return name.replace("_", " ")


_WITH = {"1": "with", "0": "without"}


def feature(attribute: str) -> str:
    """Return an attribute as it stands in a sentence; a composite by the number of its parts."""
    parts = attribute.split("+")
    return plain(attribute).replace("=", " ") if len(parts) == 1 else f"the composite of {len(parts)} attributes"


GROUPS = {
    "all": "all images",
    "robust": "association breaks (robust)",
    "aligned": "association holds (aligned)",
    "within:1": "attribute present",
    "within:0": "attribute absent",
    "label:1": "images with the finding",
    "label:0": "images without the finding",
}
_STARTS = {"within": "attribute = ", "footprint": "on ", "finding": "on the finding ", "strata": "within "}


def group_label(group: str) -> str:
    """Return a group of images in words."""
    kind, _, rest = group.partition(":")
    first, _, second = rest.partition(":")
    if group in GROUPS:
        return GROUPS[group]
    if kind == "pair":
        return _pair(first, second)
    if kind == "cell":
        return f"{'finding' if first == '1' else 'no finding'}, {_WITH.get(second, second)} attribute"
    return _STARTS[kind] + plain(rest) if kind in _STARTS else group


def _pair(positives: str, negatives: str) -> str:
    name = f"A{positives}{negatives}: " if {positives, negatives} <= _WITH.keys() else ""
    words = [_WITH.get(value, plain(value)) for value in (positives, negatives)]
    if positives == negatives:
        return f"{name}positives and negatives {words[0]}"
    return f"{name}positives {words[0]}, negatives {words[1]}"
