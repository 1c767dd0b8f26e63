"""The counts of the cells label x attribute, which make the robust AUROC believable."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.audit.result.setting import CellCount
from shortcut_audit.report.blocks import nothing, paragraph, table
from shortcut_audit.report.lookup import limit
from shortcut_audit.report.markup import join, tag
from shortcut_audit.report.numbers import count, counted
from shortcut_audit.report.sections import section
from shortcut_audit.report.vocabulary import plain, unit

UNKNOWN = "unknown"


@section("cells", title="How many cases are behind it", order=50)
def cells(result: AuditResult) -> Markup:
    """Images and patients in every cell of finding and attribute."""
    if not result.counts.cells:
        return nothing("No cell was counted: the audit knew no attribute of the test images.")
    about = dict.fromkeys((cell.finding, cell.attribute) for cell in result.counts.cells)
    smallest = limit(result, "min_cell_patients")
    tables = [
        _table(result, finding, attribute,
               [c for c in result.counts.cells if (c.finding, c.attribute) == (finding, attribute)], smallest)
        for finding, attribute in about
    ]  # fmt: skip
    words = f"Test {unit(result, 2)} in each cell; a gap is only as good as its smallest cell."
    return join([paragraph(words), *tables])


def _table(
    result: AuditResult, finding: str, attribute: str, found: Sequence[CellCount], smallest: float | None
) -> Markup:
    # Unknown ones stand last: they are in no cell.
    values = sorted({cell.value for cell in found}, key=lambda value: (value != UNKNOWN, value), reverse=True)
    composite = attribute in result.counts.composites
    head = (plain(finding), *(_value(attribute, value, composite=composite) for value in values))
    rows = [
        ["present" if label else "absent", *(_cell(result, found, label, value, smallest) for value in values)]
        for label in (1, 0)
    ]
    return table(f"{plain(finding)} by {plain(attribute)}", head, rows, class_="cells")


def _value(attribute: str, value: str, *, composite: bool) -> str:
    words = {"1": "speaks for it", "0": "speaks against it"} if composite else {"1": "present", "0": "absent"}
    return f"{plain(attribute)}: {words.get(value, value)}"


def _cell(
    result: AuditResult, found: Sequence[CellCount], label: int, value: str, smallest: float | None
) -> Markup:  # fmt: skip
    cell = next((one for one in found if one.label == label and one.value == value), None)
    if cell is None:
        return tag("span", "not counted", class_="missing")
    few = smallest is not None and cell.patients < smallest and value != UNKNOWN
    return join([
        tag("span", f"{count(cell.images)} {unit(result, cell.images)}", class_="value"),
        tag("span", counted(cell.patients, "patient"), class_="about"),
        tag("span", "! too few to decide", class_="badge") if few else "",
    ])  # fmt: skip
