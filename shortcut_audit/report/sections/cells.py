"""The counts of the cells label x attribute, which make the robust AUROC believable."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from shortcut_audit.audit.result import AuditResult, CellCount
from shortcut_audit.report.blocks import nothing, paragraph, table
from shortcut_audit.report.lookup import limit
from shortcut_audit.report.markup import join, tag
from shortcut_audit.report.numbers import counted
from shortcut_audit.report.sections import section
from shortcut_audit.report.vocabulary import plain


@section("cells", title="How many cases are behind it", order=50)
def cells(result: AuditResult) -> Markup:
    """Images and patients in every cell of finding and attribute."""
    if not result.counts.cells:
        return nothing("No cell was counted: the audit knew no attribute of the test images.")
    about = dict.fromkeys((cell.finding, cell.attribute) for cell in result.counts.cells)
    smallest = limit(result, "min_cell_patients")
    tables = [
        _table(finding, attribute, [c for c in result.counts.cells if (c.finding, c.attribute) == (finding, attribute)],
               smallest)
        for finding, attribute in about
    ]  # fmt: skip
    return join([paragraph("Test images in each cell; a gap is only as good as its smallest cell."), *tables])


def _table(finding: str, attribute: str, found: Sequence[CellCount], smallest: float | None) -> Markup:
    values = sorted({cell.value for cell in found}, reverse=True)
    head = (plain(finding), *(_value(attribute, value) for value in values))
    rows = [
        ["present" if label else "absent", *(_cell(found, label, value, smallest) for value in values)]
        for label in (1, 0)
    ]
    return table(f"{plain(finding)} by {plain(attribute)}", head, rows, class_="cells")


def _value(attribute: str, value: str) -> str:
    return f"{plain(attribute)}: {({'1': 'present', '0': 'absent'}).get(value, value)}"


def _cell(found: Sequence[CellCount], label: int, value: str, smallest: float | None) -> Markup:
    cell = next((one for one in found if one.label == label and one.value == value), None)
    if cell is None:
        return tag("span", "not counted", class_="missing")
    few = smallest is not None and cell.patients < smallest
    return join([
        tag("span", counted(cell.images, "image"), class_="value"),
        tag("span", counted(cell.patients, "patient"), class_="about"),
        tag("span", "! too few to decide", class_="badge") if few else "",
    ])  # fmt: skip
