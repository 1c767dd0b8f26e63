"""Words for the numbers that say what an AUROC is made of, and what it is worth beside others."""

from __future__ import annotations

from typing import NamedTuple


class Term(NamedTuple):
    """A metric's name for people and its definition in one sentence."""

    label: str
    definition: str


PROPORTION: dict[str, Term] = {
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

WORST: dict[str, Term] = {
    "worst_group_auroc": Term(
        "Worst-group AUROC",
        "The lowest AUROC over groups. A minimum is biased low; its interval holds for all of these groups at once.",
    ),
    "worst_group_sensitivity": Term(
        "Worst-group sensitivity (recall)", "The lowest share of positives flagged over groups, with such an interval."
    ),
    "worst_group_specificity": Term(
        "Worst-group specificity", "The lowest share of negatives not flagged over groups, with such an interval."
    ),
    "worst_group_accuracy": Term(
        "Worst-group accuracy",
        "The lowest share of right decisions over the positives and the negatives of every group, with such an "
        "interval.",
    ),
    "subgroup_auroc": Term(
        "AUROC of a subgroup", "AUROC within one group; the intervals hold for all groups of a search at once."
    ),
    "subgroup_sensitivity": Term(
        "Sensitivity (recall) of a subgroup", "Share of a group's positives that are flagged, with such intervals."
    ),
    "subgroup_specificity": Term("Specificity of a subgroup", "Share of a group's negatives that are not flagged."),
}
"""Numbers of groups, and the lowest of them."""

BOOTSTRAP: dict[str, Term] = {
    "auroc_by_bootstrap": Term("AUROC, bootstrap", "AUROC with the interval of a stratified bootstrap of patients."),
    "robust_auroc_by_bootstrap": Term("Robust AUROC, bootstrap", "Robust AUROC with such an interval."),
    "aligned_auroc_by_bootstrap": Term("Aligned AUROC, bootstrap", "Aligned AUROC with such an interval."),
    "auroc_gap_by_bootstrap": Term("Gap, bootstrap", "The gap with such an interval; it decides nothing."),
    "sensitivity_by_bootstrap": Term("Sensitivity, bootstrap", "Sensitivity with such an interval."),
    "specificity_by_bootstrap": Term("Specificity, bootstrap", "Specificity with such an interval."),
    "ppv_by_bootstrap": Term("PPV, bootstrap", "PPV with such an interval."),
    "sensitivity_change_by_bootstrap": Term("Change of sensitivity, bootstrap", "The change with such an interval."),
    "false_alarm_change_by_bootstrap": Term(
        "Change of false-alarm rate, bootstrap", "The change with such an interval."
    ),
    "worst_group_auroc_by_bootstrap": Term(
        "Worst-group AUROC, bootstrap", "The lowest AUROC with such an interval, for all of these groups at once."
    ),
    "worst_group_sensitivity_by_bootstrap": Term(
        "Worst-group sensitivity, bootstrap", "The lowest sensitivity with such an interval."
    ),
    "worst_group_specificity_by_bootstrap": Term(
        "Worst-group specificity, bootstrap", "The lowest specificity with such an interval."
    ),
    "worst_group_accuracy_by_bootstrap": Term(
        "Worst-group accuracy, bootstrap", "The lowest accuracy of a cell with such an interval."
    ),
}
"""Numbers whose analytic interval is checked by another."""
