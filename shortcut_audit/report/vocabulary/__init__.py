"""The words of the report: what a status, an answer, a metric and a group are called.

Fixed phrases only. A metric or a check that is not listed here is shown under its own name.
"""

from shortcut_audit.report.vocabulary.answers import (
    EVIDENCE_WORDS,
    GAP_MEANINGS,
    RELIANCE_MEANINGS,
    STATUS_MEANINGS,
    STATUS_WORDS,
    evidence_word,
)
from shortcut_audit.report.vocabulary.groups import group_label
from shortcut_audit.report.vocabulary.metrics import METRICS, metric_label
from shortcut_audit.report.vocabulary.names import feature, plain, unit

__all__ = [
    "EVIDENCE_WORDS",
    "GAP_MEANINGS",
    "METRICS",
    "RELIANCE_MEANINGS",
    "STATUS_MEANINGS",
    "STATUS_WORDS",
    "evidence_word",
    "feature",
    "group_label",
    "metric_label",
    "plain",
    "unit",
]
