"""Calibration: Brier score and calibration error, where the score is a probability."""

from __future__ import annotations

from markupsafe import Markup

from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.blocks import bullets, names, nothing, paragraph, table
from shortcut_audit.report.lookup import Subject, metric, subjects
from shortcut_audit.report.markup import join, tag
from shortcut_audit.report.numbers import estimate, sample_size
from shortcut_audit.report.sections import section
from shortcut_audit.report.vocabulary import METRICS, group_label, metric_label

NAMES = ("brier", "ece")
GROUPS = ("all", "within:1", "within:0")


@section("calibration", title="Calibration", order=48)
def calibration(result: AuditResult) -> Markup:
    """Brier score and calibration error of every model, in all images and by the attribute."""
    found = [one for name in NAMES for one in result.find(name) if one.role == "model"]
    if not found:
        return nothing("No calibration was computed in this audit.")
    about = subjects(one for one in found if one.value is not None)
    if not about:
        reasons = dict.fromkeys(one.reason for one in found)
        return join([nothing("No score of this audit has a calibration:"), bullets(reasons)])
    words = "These numbers are about probabilities and decide nothing: a model can rank well without them."
    head = ("Model", "Number", *(group_label(group) for group in GROUPS))
    rows = [_row(result, one, name) for one in about for name in NAMES]
    definitions = [f"{metric_label(name)}: {METRICS[name].definition}" for name in NAMES]
    return join([paragraph(words), bullets(definitions), table("Calibration", head, rows)])


def _row(result: AuditResult, about: Subject, name: str) -> list[object]:
    return [names(*about), metric_label(name), *(_cell(result, about, name, group) for group in GROUPS)]


def _cell(result: AuditResult, about: Subject, name: str, group: str) -> Markup:
    found = metric(result, about, name, group)
    return join([estimate(found), tag("span", sample_size(found), class_="about") if found else ""])
