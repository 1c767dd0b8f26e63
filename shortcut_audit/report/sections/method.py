"""Method and limits: definitions, intervals, margins, and what can fail."""

from __future__ import annotations

from markupsafe import Markup

from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.blocks import bullets, definitions, nothing, paragraph, table
from shortcut_audit.report.markup import join, tag
from shortcut_audit.report.numbers import number
from shortcut_audit.report.sections import section
from shortcut_audit.report.vocabulary import METRICS

LIMIT_HEAD = ("Limit", "Value", "Where it comes from", "What it does")
VERDICT_RULE = (
    "FAIL: reliance is SHOWN, whatever the gap. PASS: the gap is WITHIN the margin and reliance is EXCLUDED. "
    "CONCERN: the gap is BEYOND, or something else calls for a look, and reliance is not SHOWN. "
    "INSUFFICIENT: everything else. Where one question alone was asked, it alone decides. "
    "A gap alone never fails a model, and no gap alone never clears one. A limit of the plan is a verdict of its "
    "own: FAIL where the whole interval misses it, PASS where it holds it, else INSUFFICIENT."
)
CAN_FAIL = (
    "A gap can come from which patients carry the attribute. Only the same image with and without it tells.",
    "Switching the attribute can leave traces: edits can show reliance, and exclude it only where known to work.",
    "Wrong labels of the attribute make a model that reads it look robust.",
    "Wrong labels of the finding, such as small findings missed beside a device, look like a gap.",
    "Saliency maps and masks are measurements with errors of their own; no verdict rests on them.",
    "Attributes nobody named were not tested, and a result holds for images like these only.",
)


@section("method", title="Method and limits", order=130)
def method(result: AuditResult) -> Markup:
    """How every number is defined, how intervals are made, which limits hold, what can fail."""
    return join([
        tag("h3", "How a verdict is made"),
        paragraph(VERDICT_RULE),
        tag("h3", "Limits, all of them, with their origin"),
        _limits(result),
        tag("h3", "Definitions"),
        _definitions(result),
        tag("h3", "Intervals"),
        _intervals(result),
        tag("h3", "What can fail"),
        bullets(CAN_FAIL),
    ])  # fmt: skip


def _limits(result: AuditResult) -> Markup:
    if not result.limits:
        return nothing("No limit was set.")
    rows = ([one.name, number(one.value), one.origin, one.meaning] for one in result.limits)
    return table("Limits", LIMIT_HEAD, rows)


def _definitions(result: AuditResult) -> Markup:
    used = dict.fromkeys(found.name for found in result.metrics)
    known = [(METRICS[name].label, METRICS[name].definition) for name in used if name in METRICS]
    return definitions(known) if known else nothing("The audit computed no number that needs a definition.")


def _intervals(result: AuditResult) -> Markup:
    methods = sorted({one.method for one in result.metrics} | {one.method for one in result.comparisons})
    words = (
        "Printed intervals stand alone: they are not adjusted for the number of questions. Decisions are: over all "
        "rows asked for, by Holm's procedure. A PASS needs no correction, for every answer must hold."
    )
    return join([paragraph(words), bullets(methods) if methods else nothing("No interval was computed.")])
