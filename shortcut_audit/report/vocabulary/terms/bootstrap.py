"""Words for numbers whose analytic interval is checked by another."""

from __future__ import annotations

from shortcut_audit.report.vocabulary.terms import Term

TERMS: dict[str, Term] = {
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
