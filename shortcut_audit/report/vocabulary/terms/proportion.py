"""Words for what an AUROC is made of, and what it is worth beside others."""

from __future__ import annotations

from shortcut_audit.report.vocabulary.terms import Term

TERMS: dict[str, Term] = {
    "auroc_known": Term(
        "AUROC, attribute known", "AUROC of the images whose attribute is known: what the parts add up to."
    ),
    "attribute_rate": Term("Rate of the attribute", "Share of the images of one label that have the attribute."),
    "pair_weight": Term(
        "Share of pairs", "Share of all pairs of a positive and a negative in which they have these attribute values."
    ),
    "pair_contribution": Term(
        "Part of the AUROC", "Share of pairs times their AUROC; the four parts add up to the AUROC."
    ),
    "association_inflation": Term(
        "Inflation by the association",
        "AUROC minus the AUROC of the same images reweighted to one rate of the attribute in both labels. At the rate "
        "of the negatives, severity of the finding moves it; at that of the positives, harder negatives do.",
    ),
    "auroc_at_training_rates": Term(
        "AUROC at the training rates", "AUROC of the test images reweighted to the rates of the attribute in training."
    ),
    "shortcut_inflation": Term(
        "Inflation by the attribute", "AUROC minus the AUROC with the attribute removed from every image."
    ),
    "prevalence": Term("Prevalence", "Share of the test images that have the finding."),
    "attributes_alone_auroc": Term(
        "AUROC of the attributes alone",
        "AUROC of what the attributes asked about suggest (naive Bayes on the training rows), without any image. In a "
        "test set reversed by design it is an oracle of the reversal.",
    ),
    "gap_permuted": Term(
        "Gap, attribute exchanged",
        "Gap where patients of like labels exchange the attribute at random: median, and the range of chance.",
    ),
    "gap_permuted_p": Term(
        "P of the gap by exchange", "How often such an exchange makes a gap as large, in either direction."
    ),
    "other_gap": Term("Gap of another attribute", "A10 − A01 by another attribute that was not asked about."),
    "other_shift_positives": Term(
        "Score shift of another attribute, positives", "AUROC of the score for another attribute among positives."
    ),
    "other_shift_negatives": Term(
        "Score shift of another attribute, negatives", "AUROC of the score for another attribute among negatives."
    ),
    "reader_auroc": Term("AUROC of a reader", "AUROC of a reader on the images that this reader read."),
    "reader_robust_auroc": Term("Robust AUROC of a reader", "Robust AUROC of a reader on the images read."),
    "reader_auroc_gap": Term("Gap of a reader", "Aligned minus robust AUROC of a reader on the images read."),
    "auroc_less_reader": Term("AUROC less a reader's", "AUROC of the model minus that of the reader, same images."),
    "robust_auroc_less_reader": Term(
        "Robust AUROC less a reader's", "Robust AUROC of the model minus that of the reader, same images."
    ),
    "auroc_gap_less_reader": Term(
        "Gap less a reader's", "Gap of the model minus that of the reader, same images; it decides nothing."
    ),
}
