"""What a metric is called: the terms of all subjects together."""

from __future__ import annotations

from shortcut_audit.report.vocabulary.names import plain
from shortcut_audit.report.vocabulary.terms import (
    Term,
    attribute_labels,
    bootstrap,
    case_mix,
    decisions,
    gap,
    images,
    probability,
    proportion,
    ranking,
    worst,
)

SUBJECTS = (proportion, worst, bootstrap, ranking, gap, case_mix, attribute_labels, decisions, probability, images)
METRICS: dict[str, Term] = {name: term for subject in SUBJECTS for name, term in subject.TERMS.items()}


def metric_label(name: str) -> str:
    """Return a metric's name for people; one without words of its own under its own name."""
    return METRICS[name].label if name in METRICS else plain(name)
