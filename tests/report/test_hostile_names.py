"""No name, label or note of a user becomes an element, an attribute or a formula."""

from __future__ import annotations

import csv
import io
import re
from functools import cache
from itertools import groupby
from xml.etree import ElementTree as ET

import pytest
from fake_audit import hostile_result
from read_page import Page

from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.report.machine import junit, markdown
from shortcut_audit.report.render import render_html
from shortcut_audit.report.tables import csv_tables

PAYLOADS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><style>*{display:none}</style>",
    "</title><h1>x</h1>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)',
    "`onload=alert(1)`",
    "<svg onload=alert(1)>",
    "</svg></table></section><p>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<link rel=stylesheet href=http://evil.example/x.css>",
    "<a href=javascript:alert(1)>x</a>",
    "<details open ontoggle=alert(1)>",
    "<!-- ",
    "]]><![CDATA[",
    "{{ 7 * 7 }}{% raw %}",
    "{0}{name}{0.__class__}",
    "&lt;script&gt;&#x3c;script&#x3e;",
    "\u202e\u2066<b>\ufeff",
    "\u2028</script>\u2029<script>",
    "=cmd|' /C calc'!A0",
    "<" * 400,
    "%s%n%00${7*7}#{7*7}",
]
NAMES_KEPT = frozenset({"name", "group", "number", "check", "value", "rule", "uri"})


@cache
def show(text: str, keep: frozenset[str]) -> Page:
    return Page(render_html(hostile_result(text, keep), source_sha256="0" * 64))


@pytest.mark.parametrize("keep", [frozenset(), NAMES_KEPT], ids=["every field", "names of metrics kept"])
@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_hostile_text_gives_the_same_elements_and_attributes_as_a_harmless_one(payload, keep):
    harmless, hostile = show("harmless ", keep), show(payload, keep)

    assert hostile.skeleton == harmless.skeleton
    assert len(set(hostile.ids)) == len(hostile.ids)
    assert hostile.raw == harmless.raw
    assert payload in "".join(hostile.texts)


def test_a_picture_from_elsewhere_is_left_out_and_said():
    html = render_html(hostile_result("https://evil.example/x.png?", NAMES_KEPT - {"uri"}), source_sha256="0" * 64)

    assert not Page(html).all("img")
    assert "picture left out: not an embedded PNG, WebP or JPEG" in html


LEADS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "\0x"]


@pytest.mark.parametrize("lead", LEADS)
def test_a_spreadsheet_runs_no_text_of_ours(lead):
    result = hostile_result(lead)
    rows = list(csv.DictReader(io.StringIO(csv_tables(result)["metrics.csv"], newline="")))

    assert len(rows) == len(result.metrics)
    for row, metric in zip(rows, result.metrics, strict=True):
        for column in ("model", "finding", "attribute", "group", "name", "method"):
            assert row[column] == "'" + getattr(metric, column)


def test_numbers_in_the_csv_stay_numbers_also_below_zero():
    result = hostile_result("")
    rows = list(csv.DictReader(io.StringIO(csv_tables(result)["metrics.csv"])))

    lows = [float(row["low"]) for row in rows if row["low"]]
    assert lows == [metric.low for metric in result.metrics if metric.low is not None]
    assert min(lows) < 0
    assert [row["value"] == "" for row in rows] == [metric.value is None for metric in result.metrics]


def test_the_csv_has_every_field_of_a_metric():
    header = next(csv.reader(io.StringIO(csv_tables(hostile_result(""))["metrics.csv"])))

    assert header == list(Metric.model_fields)


@pytest.mark.parametrize("payload", [*PAYLOADS, "\x00\x08\ufffe"])
def test_junit_is_xml_whatever_the_names_are(payload):
    result = hostile_result(payload)
    suite = ET.fromstring(junit(result)).find("testsuite")

    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("4", "1", "1")
    cases = suite.findall("testcase")
    kinds = {child.tag for case in cases for child in case}
    assert len(cases) == len(result.verdicts)
    assert kinds == {"failure", "skipped", "system-out"}


def test_junit_fails_on_fail_only_and_skips_what_cannot_be_told():
    cases = ET.fromstring(junit(hostile_result(""))).iter("testcase")
    kinds = {case.get("name").split(", pneumo")[0]: case[0].tag for case in cases}

    assert kinds == {
        "classifier": "failure",
        "segmenter, pseudo-masks": "system-out",
        "segmenter, drawn masks": "skipped",
        "segmenter, tube-free": "system-out",
    }


@pytest.mark.parametrize("payload", [*PAYLOADS, "| a | b |\n# x", "[x](javascript:alert(1))", "![x](//evil.example)"])
def test_markdown_keeps_its_table_and_shows_no_markup_of_a_name(payload):
    lines = markdown(hostile_result(payload)).splitlines()

    columns = [len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0 for line in lines]
    tables = [list(rows) for width, rows in groupby(columns) if width]
    harmless = markdown(hostile_result("")).splitlines()
    assert tables[0] == [7] * (2 + 4)
    assert sum(map(len, tables)) == sum(line.startswith("|") for line in harmless)
    assert len(tables) == sum(line.startswith("| ---") for line in harmless), "a row of another width is another table"
    assert not any(re.search(r"(?<!\\)[<\[`]", line) for line in lines)
    headings = [line for line in harmless if line.startswith("#")]
    assert len([line for line in lines if line.startswith("#")]) == len(headings) > 1 + 4


def test_markdown_has_status_both_answers_and_numbers_with_their_n():
    text = markdown(hostile_result("")).replace("\\", "").replace("\u00a0", " ")

    assert "**✖ FAIL**" in text
    assert "| ✖ FAIL | classifier | pneumothorax | chest tube | BEYOND | SHOWN |" in text
    assert "- Interventional gap: 0.452 (95 % CI 0.402 to 0.502); n 3,902 · 1,712 patients" in text
    assert "Research tool, not a medical device." in text
