"""The audit result as CSV, Markdown and JUnit XML, each guarded against what names can do there."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from xml.etree import ElementTree as ET

from shortcut_audit.audit.result import AuditResult, Metric, Verdict
from shortcut_audit.report.lookup import headlines, subject, worst_first
from shortcut_audit.report.numbers import in_words, sample_size
from shortcut_audit.report.vocabulary import STATUS_WORDS, plain

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~&])")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def metrics_csv(result: AuditResult) -> str:
    """Return every metric as one row; text that a spreadsheet would run gets an apostrophe before it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)  # bare \r is quoted too
    writer.writerow(Metric.model_fields)
    for found in result.metrics:
        writer.writerow([_cell(value) for value in found.model_dump().values()])
    return text.getvalue()


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value


def markdown(result: AuditResult) -> str:
    """Return the verdicts with their numbers and sentences as Markdown."""
    symbol, word = STATUS_WORDS[result.status]
    lines = [f"# {_plain_text(result.title)}", "", f"**{symbol} {word}**", ""]
    lines += [f"> {_plain_text(banner)}" + "\n" for banner in result.banners]
    lines += _table(
        ("Status", "Model", "Finding", "Attribute", "Gap", "Reliance"),
        (
            [" ".join(STATUS_WORDS[one.status]), one.model, plain(one.finding), plain(one.attribute),
             one.gap.upper(), one.reliance.upper()]
            for one in worst_first(result.verdicts)
        ),
    )  # fmt: skip
    for one in worst_first(result.verdicts):
        lines += _verdict(result, one)
    return "\n".join([*lines, "", "Research tool, not a medical device.", ""])


def _verdict(result: AuditResult, one: Verdict) -> list[str]:
    heading = f"{one.model}, {plain(one.finding)}, {plain(one.attribute)}"
    numbers = [
        f"- {_plain_text(label)}: {_plain_text(in_words(found))}" + (f"; {sample_size(found)}" if found else "")
        for label, found in headlines(result, subject(one))
    ]
    sentences = " ".join(_plain_text(sentence) for sentence in one.sentences)
    return ["", f"## {_plain_text(heading)}", "", sentences, "", *numbers]


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    names = list(head)
    lines = [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]
    return lines + [f"| {' | '.join(_plain_text(cell) for cell in row)} |" for row in rows]


def _plain_text(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def junit(result: AuditResult) -> str:
    """Return one test case for each verdict: FAIL fails, INSUFFICIENT is skipped, CONCERN passes with words."""
    failed = sum(one.status == "fail" for one in result.verdicts)
    skipped = sum(one.status == "insufficient" for one in result.verdicts)
    sizes = {"tests": str(len(result.verdicts)), "failures": str(failed), "skipped": str(skipped), "errors": "0"}
    suite = ET.Element("testsuite", {"name": _xml(result.title), **sizes})
    for one in result.verdicts:
        _testcase(suite, one)
    root = ET.Element("testsuites", sizes)
    root.append(suite)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _testcase(suite: ET.Element, one: Verdict) -> None:
    name = f"{one.model}, {one.finding}, {one.attribute}"
    case = ET.SubElement(suite, "testcase", {"classname": "shortcut_audit", "name": _xml(name)})
    words = _xml(f"{STATUS_WORDS[one.status][1]} by {one.rule}. {' '.join(one.sentences)}")
    match one.status:
        case "fail":
            ET.SubElement(case, "failure", {"type": "fail", "message": words})
        case "insufficient":
            ET.SubElement(case, "skipped", {"message": words})
        case _:
            ET.SubElement(case, "system-out").text = words


def _xml(text: str) -> str:
    """Return a text without the characters that XML cannot carry."""
    return _NOT_XML.sub("\ufffd", text)
