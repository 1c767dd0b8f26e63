"""Words for the gap, its sides, and what of it is reliance."""

from __future__ import annotations

from shortcut_audit.report.vocabulary.terms import Term

TERMS: dict[str, Term] = {
    "auroc_gap": Term("Gap", "Aligned minus robust AUROC: reliance plus case mix."),
    "designed_shift": Term(
        "Designed shift",
        "AUROC of the validation images minus AUROC of the test images, whose association was reversed by design; "
        "the validation images may also have chosen the checkpoint.",
    ),
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
    "fragility_index": Term(
        "Fragility index", "How many of the highest-scored conflicting negatives must be relabelled to lose a FAIL."
    ),
}
