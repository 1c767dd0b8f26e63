"""Words for what a threshold decides, and for whom."""

from __future__ import annotations

from shortcut_audit.report.vocabulary.terms import Term

TERMS: dict[str, Term] = {
    "sensitivity": Term("Sensitivity", "Share of the positives that are flagged: scored at or above the threshold."),
    "specificity": Term("Specificity", "Share of the negatives that are not flagged: scored below the threshold."),
    "ppv": Term(
        "PPV", "Share of the flagged images that are positives; it holds for the share of positives in these images."
    ),
    "flagged_share": Term(
        "Share flagged",
        "Share of a cell at or above the threshold: sensitivity among positives, false-alarm rate among negatives.",
    ),
    "sensitivity_change": Term(
        "Change of sensitivity", "Sensitivity of positives with the attribute minus that of positives without it."
    ),
    "false_alarm_change": Term(
        "Change of false-alarm rate",
        "Share flagged of negatives with the attribute minus that of negatives without it.",
    ),
    "missed_per_1000": Term(
        "Missed per 1,000 patients",
        "Patients with the finding who are not flagged, of 1,000 patients of the place of use, one image each.",
    ),
    "false_alarms_per_1000": Term(
        "False alarms per 1,000 patients",
        "Patients without the finding who are flagged, of 1,000 patients of the place of use, one image each.",
    ),
}
