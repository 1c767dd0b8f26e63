"""Words for like compared with like: weighted groups, and patients compared with themselves."""

from __future__ import annotations

from shortcut_audit.report.vocabulary.terms import Term

TERMS: dict[str, Term] = {
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
}
