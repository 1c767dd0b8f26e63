"""Words for the worst of several groups."""

from __future__ import annotations

from shortcut_audit.report.vocabulary.terms import Term

TERMS: dict[str, Term] = {
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
