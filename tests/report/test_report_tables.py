"""Every record of an audit is a row of a table, as CSV and as Markdown."""

from __future__ import annotations

import csv
import io

from fake_audit import empty_result, full_data, full_result

from shortcut_audit.audit.result.judgement import Answer, Verdict
from shortcut_audit.audit.result.numbers import Comparison, Metric, SeedMean
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.audit.result.setting import OperatingPoint
from shortcut_audit.report.machine import markdown
from shortcut_audit.report.numbers import number
from shortcut_audit.report.tables import csv_tables, markdown_table, plain_text

CURVES = [
    {"model": "classifier", "finding": "pneumothorax", "attribute": "chest_tube", "name": "gap_by_rate",
     "x_name": "share with a tube", "n": 900, "n_patients": 850, "method": "logit, t",
     "points": [{"x": x, "value": x / 2, "low": x / 2 - 0.1, "high": x / 2 + 0.1} for x in (0.1, 0.3)]},
    {"model": "classifier", "finding": "pneumothorax", "attribute": "chest_tube", "name": "band", "x_name": "rate",
     "n": 0, "n_patients": 0, "method": "none", "points": [], "reason": "no image has a known rate"},
]  # fmt: skip


def with_curves():
    return AuditResult.model_validate({**full_data(), "curves": CURVES})


def rows(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_every_record_is_a_row_with_all_its_fields():
    result = full_result()
    kinds = {"metrics": Metric, "comparisons": Comparison, "seeds": SeedMean, "answers": Answer, "verdicts": Verdict,
             "operating_points": OperatingPoint}  # fmt: skip
    tables = csv_tables(result)

    for name, kind in kinds.items():
        records, found = getattr(result, name), rows(tables[f"{name}.csv"])
        assert len(found) == len(records) > 0, name
        assert list(found[0]) == list(kind.model_fields)
        assert [row["model"] for row in found] == [record.model for record in records]


def test_a_curve_has_a_row_for_each_point_and_one_where_it_has_none():
    first, second, none = rows(csv_tables(with_curves())["curves.csv"])

    assert (first["name"], first["x_name"], first["x"], first["value"], first["low"]) == (
        "gap_by_rate", "share with a tube", "0.1", "0.05", "-0.05",
    )  # fmt: skip
    assert second["x"] == "0.3"
    assert (none["x"], none["value"], none["reason"]) == ("", "", "no image has a known rate")


def test_several_values_share_a_cell():
    found = rows(csv_tables(full_result())["seeds.csv"])[0]
    verdict = rows(csv_tables(full_result())["verdicts.csv"])[0]

    assert [float(value) for value in found["values"].split()] == list(full_result().seeds[0].values)
    assert verdict["sentences"] == " ".join(full_result().verdicts[0].sentences)


def test_an_audit_with_nothing_leaves_headers():
    for name, text in csv_tables(empty_result()).items():
        assert len(text.splitlines()) == 1, name


def test_every_number_of_the_audit_stands_in_the_markdown():
    result = with_curves()
    text = markdown(result)
    records = [*result.metrics, *result.comparisons, *result.seeds, *result.answers]
    lines = text.splitlines()

    for record in records:
        if record.value is not None:
            assert number(record.value) in text
        else:
            assert plain_text(record.reason) in text
    numbers = lines[lines.index("## Numbers") + 4 :]
    assert sum(line.startswith("| ") for line in numbers[: len(result.metrics)]) == len(result.metrics)
    for verdict in result.verdicts:
        assert all(plain_text(sentence) in text for sentence in verdict.sentences)
    assert "share with a tube" in text
    assert "no image has a known rate" in text
    assert result.agreements[0].sentence in text


def test_a_kind_without_records_has_no_heading_in_the_markdown():
    assert "##" not in markdown(empty_result())


def test_a_cell_cannot_leave_its_column():
    assert markdown_table(("a", "b"), [("x|y", "two\nlines")]) == [
        "| a | b |",
        "| --- | --- |",
        r"| x\|y | two lines |",
    ]
