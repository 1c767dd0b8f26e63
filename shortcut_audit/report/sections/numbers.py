"""Every number of the audit in one table."""

from __future__ import annotations

from markupsafe import Markup

from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.blocks import folded, nothing, paragraph, table
from shortcut_audit.report.markup import join
from shortcut_audit.report.numbers import count, counted, estimate
from shortcut_audit.report.sections import section

MOST_ROWS = 2000
CHECKED = "Those that end in _by_bootstrap check the analytic interval of the same number; they decide nothing."
HEAD = ("Model", "Finding", "Attribute", "Group", "Metric", "Value", "n", "n +", "n −", "Patients", "Method")


@section("numbers", title="All numbers", order=120)
def numbers(result: AuditResult) -> Markup:
    """Every metric with interval, counts and method, under the names of audit.json."""
    if not result.metrics:
        return nothing("The audit computed no number.")
    shown = result.metrics[:MOST_ROWS]
    rest = len(result.metrics) - len(shown)
    words = f"{counted(len(result.metrics), 'number')}, under the names they have in audit.json."
    more = f" {count(rest)} of them are in audit.json only, to keep this page small." if rest else ""
    twice = any(found.name.endswith("_by_bootstrap") for found in shown)
    checked = f" {CHECKED}" if twice else ""
    rows = (_row(found) for found in shown)
    return join(
        [
            paragraph(words, checked, more),
            folded("Show the table", table("All numbers", HEAD, rows, class_="dense")),
        ]
    )


def _row(found: Metric) -> list[object]:
    name = f"{found.name}, q = {found.q}" if found.q else found.name
    counts = [count(size) for size in (found.n, found.n_pos, found.n_neg, found.n_patients)]
    about = [found.model, found.finding, found.attribute, found.group, name]
    return [*about, estimate(found), *counts, found.method]
