"""Every record of an audit as rows of plain tables: CSV for programs, Markdown for people."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from shortcut_audit.audit.result.judgement import Agreement, Answer, Verdict
from shortcut_audit.audit.result.numbers import Comparison, Curve, CurvePoint, Metric, SeedMean
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.audit.result.setting import OperatingPoint
from shortcut_audit.report.numbers import in_words, number
from shortcut_audit.report.vocabulary import evidence_word, group_label, metric_label, plain

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~&])")
Row = Sequence[object]
"""Cells of one row."""


def csv_tables(result: AuditResult) -> dict[str, str]:
    """Return a CSV for each kind of record, by the name of its file; one without rows has its header.

    A curve has one row a point, and one with the reason where it has none.
    """
    points = [row for curve in result.curves for row in _points(curve)]
    return {
        "metrics.csv": _records(Metric, result.metrics),
        "comparisons.csv": _records(Comparison, result.comparisons),
        "operating_points.csv": _records(OperatingPoint, result.operating_points),
        "seeds.csv": _records(SeedMean, result.seeds),
        "curves.csv": csv_text([*_without(Curve, "points"), *CurvePoint.model_fields], points),
        "answers.csv": _records(Answer, result.answers),
        "verdicts.csv": _records(Verdict, result.verdicts),
    }


def csv_text(head: Sequence[str], rows: Iterable[Row]) -> str:
    """Return rows as CSV; text that a spreadsheet would run gets an apostrophe before it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)  # bare \r is quoted too
    writer.writerow(head)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _records(kind: type[BaseModel], records: Iterable[BaseModel]) -> str:
    return csv_text(list(kind.model_fields), (list(record.model_dump().values()) for record in records))


def _without(kind: type[BaseModel], name: str) -> list[str]:
    return [field for field in kind.model_fields if field != name]


def _points(curve: Curve) -> Iterator[Row]:
    head = [getattr(curve, name) for name in _without(Curve, "points")]
    for point in curve.points:
        yield [*head, *point.model_dump().values()]
    if not curve.points:
        yield [*head, *[None] * len(CurvePoint.model_fields)]


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, tuple | list):
        value = " ".join(str(one) for one in value)
    return "'" + value if isinstance(value, str) and value.startswith(_FORMULA) else value


def markdown_tables(result: AuditResult) -> list[str]:
    """Return lines of Markdown with every number, answer and curve; a kind without rows is left out."""
    found: Mapping[str, tuple[Sequence[str], list[Row]]] = {
        "Agreement of seeds": (("Model", "About", "Agreement"), [_agreed(one) for one in result.agreements]),
        "Mean over seeds": (
            ("Model", "About", "Number", "Mean", "SD between seeds", "SE over patients", "n", "Patients"),
            [_seeds(one) for one in result.seeds],
        ),
        "Numbers": (
            ("Model", "About", "Number", "Images", "Value", "n", "Positives", "Negatives", "Patients", "Method"),
            [_metric(one) for one in result.metrics],
        ),
        "Thresholds": (
            ("Model", "Finding", "Threshold", "Rule", "Validation images", "Patients"),
            [_threshold(one) for one in result.operating_points],
        ),
        "Paired differences": (
            ("First − second", "About", "Number", "Difference", "n", "Patients", "Method"),
            [_comparison(one) for one in result.comparisons],
        ),
        "Curves": (
            ("Model", "About", "Curve", "At", "Value", "n", "Patients", "Method"),
            [row for curve in result.curves for row in _curve(curve)],
        ),
        "Answers": (
            ("Model", "About", "Question", "Answer", "Number", "Value", "Limit", "Reason"),
            [_answer(one) for one in result.answers],
        ),
    }
    return [line for title, (head, rows) in found.items() if rows for line in _part(title, head, rows)]


def _part(title: str, head: Sequence[str], rows: Iterable[Row]) -> list[str]:
    return ["", f"## {title}", "", *markdown_table(head, rows)]


def markdown_table(head: Iterable[str], rows: Iterable[Row]) -> list[str]:
    """Return the lines of a Markdown table."""
    names = list(head)
    lines = [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]
    return lines + [f"| {' | '.join(plain_text(str(cell)) for cell in row)} |" for row in rows]


def plain_text(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def _about(one: Any) -> str:
    return ", ".join(plain(name) for name in (one.finding, one.attribute) if name)


def _agreed(one: Agreement) -> Row:
    return one.model, _about(one), one.sentence


def _seeds(one: SeedMean) -> Row:
    sizes = ["not computed" if size is None else number(size) for size in (one.seed_sd, one.data_se)]
    return one.model, _about(one), metric_label(one.name), in_words(one), *sizes, one.n, one.n_patients


def _metric(one: Metric) -> Row:
    counts = one.n, one.n_pos, one.n_neg, one.n_patients
    return one.model, _about(one), metric_label(one.name), group_label(one.group), in_words(one), *counts, one.method


def _threshold(one: OperatingPoint) -> Row:
    value = f"not computed ({one.reason})" if one.threshold is None else number(one.threshold)
    return one.model, plain(one.finding), value, one.rule, one.n, one.n_patients


def _comparison(one: Comparison) -> Row:
    name = metric_label(one.name)
    return f"{one.model} − {one.other}", _about(one), name, in_words(one), one.n, one.n_patients, one.method


def _curve(one: Curve) -> Iterator[Row]:
    name = f"{metric_label(one.name)} by {one.x_name}"
    for point in one.points:
        value = f"{number(point.value)} ({number(point.low)} to {number(point.high)})"
        yield one.model, _about(one), name, number(point.x), value, one.n, one.n_patients, one.method
    if not one.points:
        yield one.model, _about(one), name, "", f"not computed ({one.reason})", one.n, one.n_patients, one.method


def _answer(one: Answer) -> Row:
    value = "not computed" if one.value is None else number(one.value)
    limits = "" if one.low is None or one.high is None else f" ({number(one.low)} to {number(one.high)})"
    limit = "" if one.limit is None else number(one.limit)
    answer = evidence_word(one.check, one.evidence)
    return (
        one.model,
        _about(one),
        one.question,
        answer,
        metric_label(one.number or ""),
        value + limits,
        limit,
        one.reason,
    )
