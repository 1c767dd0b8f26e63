"""The audit result as Markdown and JUnit XML, each guarded against what names can do there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal
from xml.etree import ElementTree as ET

from shortcut_audit.audit.result.judgement import Status, Verdict
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.lookup import headlines, subject, worst_first
from shortcut_audit.report.numbers import in_words, sample_size
from shortcut_audit.report.tables import markdown_table, markdown_tables, plain_text
from shortcut_audit.report.vocabulary import STATUS_WORDS, plain

if TYPE_CHECKING:
    from shortcut_audit.audit.plans.policy import Gate, Ruling  # a report needs no polars

Outcome = Literal["failure", "skipped", "passed"]
"""How a test case of JUnit ends."""
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def markdown(result: AuditResult) -> str:
    """Return the verdicts with their sentences, and every number, as Markdown."""
    symbol, word = STATUS_WORDS[result.status]
    lines = [f"# {plain_text(result.title)}", "", f"**{symbol} {word}**", ""]
    lines += [f"> {plain_text(banner)}" + "\n" for banner in result.banners]
    lines += markdown_table(
        ("Status", "Model", "Finding", "Attribute", "Gap", "Reliance"),
        (
            [" ".join(STATUS_WORDS[one.status]), one.model, plain(one.finding), plain(one.attribute),
             *_answers(one)]
            for one in worst_first(result.verdicts)
        ),
    )  # fmt: skip
    for one in worst_first(result.verdicts):
        lines += _verdict(result, one)
    return "\n".join([*lines, *markdown_tables(result), "", "Research tool, not a medical device.", ""])


def _answers(one: Verdict) -> tuple[str, str]:
    """Return both answers; of a limit of the plan, that it is one and which."""
    if one.gap is None or one.reliance is None:
        return "limit of the plan", one.limit or one.rule
    return one.gap.upper(), one.reliance.upper()


def _verdict(result: AuditResult, one: Verdict) -> list[str]:
    heading = ", ".join([one.model, plain(one.finding), plain(one.attribute), *([one.limit] if one.limit else [])])
    numbers = [
        f"- {plain_text(label)}: {plain_text(in_words(found))}" + (f"; {sample_size(found)}" if found else "")
        for label, found in (headlines(result, subject(one)) if one.limit is None else ())
    ]
    sentences = " ".join(plain_text(sentence) for sentence in one.sentences)
    return ["", f"## {plain_text(heading)}", "", sentences, "", *numbers]


def junit(result: AuditResult) -> str:
    """Return one test case for each verdict: FAIL fails, INSUFFICIENT is skipped, CONCERN passes with words."""
    return junit_xml(result.title, [(one, _OUTCOMES[one.status], "") for one in result.verdicts])


_OUTCOMES: dict[Status, Outcome] = {
    "fail": "failure", "insufficient": "skipped", "concern": "passed", "pass": "passed"
}  # fmt: skip


def junit_of_gate(result: AuditResult, gate: Gate) -> str:
    """Return one test case for each verdict: what is refused fails, and INSUFFICIENT is skipped at best."""
    cases = [(one.verdict, _outcome(one), f"{one.ruled.capitalize()}: {one.why}. ") for one in gate.rulings]
    return junit_xml(result.title, cases, properties={"policy": gate.file, "policy_sha256": gate.sha256})


def _outcome(ruling: Ruling) -> Outcome:
    if ruling.ruled == "refused":
        return "failure"
    return "skipped" if ruling.inconclusive else "passed"


def junit_xml(
    title: str, cases: Sequence[tuple[Verdict, Outcome, str]], *, properties: Mapping[str, str] | None = None
) -> str:
    """Return JUnit XML with one test case for each verdict.

    Args:
        title: name of the suite.
        cases: verdict, how its case ends, and words before those of the verdict.
        properties: of the suite.
    """
    ends = Counter(outcome for _, outcome, _ in cases)
    sizes = {"tests": len(cases), "failures": ends["failure"], "skipped": ends["skipped"], "errors": 0}
    written = {name: str(size) for name, size in sizes.items()}
    suite = ET.Element("testsuite", {"name": _xml(title), **written})
    if properties:
        listed = ET.SubElement(suite, "properties")
        for name, value in properties.items():
            ET.SubElement(listed, "property", {"name": name, "value": _xml(value)})
    for one, outcome, before in cases:
        _testcase(suite, one, outcome, before)
    root = ET.Element("testsuites", written)
    root.append(suite)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _testcase(suite: ET.Element, one: Verdict, outcome: Outcome, before: str) -> None:
    name = ", ".join([one.model, one.finding, one.attribute, *([one.limit] if one.limit else [])])
    case = ET.SubElement(suite, "testcase", {"classname": "shortcut_audit", "name": _xml(name)})
    words = _xml(f"{before}{STATUS_WORDS[one.status][1]} by {one.rule}. {' '.join(one.sentences)}")
    match outcome:
        case "failure":
            ET.SubElement(case, "failure", {"type": one.status, "message": words})
        case "skipped":
            ET.SubElement(case, "skipped", {"message": words})
        case "passed":
            ET.SubElement(case, "system-out").text = words


def _xml(text: str) -> str:
    """Return a text without the characters that XML cannot carry."""
    return _NOT_XML.sub("\ufffd", text)
