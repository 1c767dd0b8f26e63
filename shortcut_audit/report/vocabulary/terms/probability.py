"""Words for scores that are probabilities."""

from __future__ import annotations

from shortcut_audit.report.vocabulary.terms import Term

TERMS: dict[str, Term] = {
    "brier": Term("Brier score", "Mean of (score − label)², where the score is a probability; 0 is best."),
    "ece": Term(
        "Calibration error (ECE)",
        "Root mean square distance of the share of positives from the mean score, over bins of equal mass, less what "
        "chance alone adds.",
    ),
}
