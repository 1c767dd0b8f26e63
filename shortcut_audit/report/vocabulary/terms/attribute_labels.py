"""Words for numbers as they would be without errors in the attribute's labels."""

from __future__ import annotations

from shortcut_audit.report.vocabulary.terms import Term

TERMS: dict[str, Term] = {
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
}
