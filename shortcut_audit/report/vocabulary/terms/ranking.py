"""Words for how well a model ranks: AUROC in all images and in parts of them."""

from __future__ import annotations

from shortcut_audit.report.vocabulary.terms import Term

TERMS: dict[str, Term] = {
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
    "auroc_validation": Term("AUROC, validation", "AUROC of the validation images, where the association holds."),
    "score_shift": Term(
        "Score shift", "AUROC of the score for the attribute among images of one label; 0.5 is no shift."
    ),
    "target_area_auroc": Term("AUROC of the finding's size", "AUROC of the drawn size of the finding alone."),
    "auprc": Term(
        "AUPRC",
        "Average precision, the area under the precision-recall curve, with every group brought to the same "
        "prevalence; guessing gives that prevalence.",
    ),
}
