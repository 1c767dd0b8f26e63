"""Words for masks and explanations."""

from __future__ import annotations

from shortcut_audit.report.vocabulary.terms import Term

TERMS: dict[str, Term] = {
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
