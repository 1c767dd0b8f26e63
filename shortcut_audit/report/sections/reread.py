"""Cases to read again: how few wrong labels would undo a FAIL."""

from __future__ import annotations

from markupsafe import Markup

from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.blocks import names, nothing, paragraph, table
from shortcut_audit.report.lookup import metric, subject, worst_first
from shortcut_audit.report.markup import join, tag
from shortcut_audit.report.numbers import count, missing, sample_size
from shortcut_audit.report.sections import section
from shortcut_audit.report.vocabulary import feature

HEAD = ("About", "Fragility index", "n", "Cases to read again")


@section("reread", title="Cases to read again", order=75)
def reread(result: AuditResult) -> Markup:
    """How many labels of negatives would have to be wrong to lose a FAIL, and the numbers of those cases."""
    failed = [verdict for verdict in worst_first(result.verdicts) if verdict.status == "fail"]
    found = [(subject(one), metric(result, subject(one), "fragility_index")) for one in failed]
    if not any(index for _, index in found):
        return nothing("No verdict is a FAIL by gap and reliance, so there is no label on which one could hang.")
    listed = {(one.model, one.finding, one.attribute): one.cases for one in result.rereads}
    rows = [
        [
            names(*about), _index(index), sample_size(index), ", ".join(listed.get(about, ())) or "none",
        ]
        for about, index in found if index
    ]  # fmt: skip
    attributes = ", ".join(dict.fromkeys(feature(about.attribute, result.counts.composites) for about, _ in found))
    return join([
        paragraph(
            f"Negatives with {attributes} can hide the finding. The index counts how many of the highest-scored ones "
            "must be taken as positives until the verdict is no FAIL. If it is small, read these cases again before "
            "anything else; their ids are in cases.csv, which stays with you."
        ),
        table("Labels on which a FAIL hangs", HEAD, rows),
    ])  # fmt: skip


def _index(found: Metric) -> Markup | str:
    if found.value is None:
        return tag("span", missing(found.reason), class_="missing")
    return count(int(found.value))
