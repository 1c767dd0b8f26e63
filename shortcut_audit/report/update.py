"""The page of two versions of a model, and the same as Markdown: what ``audit compare`` leaves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from shortcut_audit.audit.result.judgement import Status
from shortcut_audit.audit.versions.update_result import (
    Difference,
    Films,
    Judgement,
    NotWorse,
    Reading,
    UpdateResult,
    VerdictChange,
)
from shortcut_audit.provenance import sha256_file, write_atomic
from shortcut_audit.report.blocks import bullets, chip, nothing, paragraph, table
from shortcut_audit.report.figures import Point, forest
from shortcut_audit.report.markup import anchor, join, tag
from shortcut_audit.report.numbers import MINUS, count, in_words, missing, number
from shortcut_audit.report.render import Part, render_page
from shortcut_audit.report.sections.reproduce import origin_of
from shortcut_audit.report.tables import markdown_table, plain_text
from shortcut_audit.report.vocabulary import STATUS_WORDS, group_label, metric_label, plain

DIFFERENCES = ("Models", "Number", "A", "B", f"B {MINUS} A", "Images", "Patients", "Method")
FILMS = ("Models", "Images in common", "Patients", "Only in A", "Only in B")
NOT_ASKED = "No margin was given (--not-worse), so whether B may take the place of A was not judged."
ALIKE = (
    "Both versions scored the same images; what only one of them scored is left out. Every interval uses the joint "
    "covariance over patients."
)


def write_update_report(result: UpdateResult, source: Path) -> list[Path]:
    """Write ``compare.md`` and ``compare.html`` beside ``compare.json``."""
    texts = {".md": update_markdown(result), ".html": update_page(result, source_sha256=sha256_file(source))}
    for suffix, text in texts.items():
        write_atomic(source.with_suffix(suffix), text)
    return [source.with_suffix(suffix) for suffix in texts]


def update_page(result: UpdateResult, *, source_sha256: str) -> str:
    """Return the comparison as one HTML page."""
    parts = [
        Part("verdict", "Verdict", _verdict(result)),
        Part("differences", "Differences", _differences(result.differences)),
        Part("films", "Images in common", _films(result)),
        Part("reproduce", "How to reproduce", origin_of(result.provenance)),
    ]
    about = [f"A: {result.a.name}", f"B: {result.b.name}"]
    return render_page(result, parts, about=about, source="compare.json", source_sha256=source_sha256)


def update_markdown(result: UpdateResult) -> str:
    """Return the comparison as Markdown."""
    lines = [
        f"# {plain_text(result.title)}",
        "",
        f"A: {plain_text(result.a.name)}  ",
        f"B: {plain_text(result.b.name)}",
        "",
    ]
    if result.status:
        lines += [f"**{' '.join(STATUS_WORDS[result.status])}**", ""]
        lines += markdown_table(
            ("Status", "Models", "Number", "Sentence"),
            ([_words(one.status), _models(one), _name(one), one.sentence] for one in result.not_worse),
        )
    else:
        lines.append(NOT_ASKED)
    if result.verdicts:
        lines += ["", "## Verdicts of the two audits", ""]
        lines += markdown_table(("Models", "A", "B"), ([_models(one), *_judged(one)] for one in result.verdicts))
    lines += ["", "## Differences", ""]
    lines += markdown_table(DIFFERENCES, (_row(one) for one in result.differences))
    lines += ["", "## Images in common", "", *markdown_table(FILMS, (_film(one) for one in result.films)), ""]
    return "\n".join([*lines, *(f"- {plain_text(note)}" for note in result.notes), "",
                      "Research tool, not a medical device.", ""])  # fmt: skip


def _verdict(result: UpdateResult) -> Markup:
    parts = [_judgements(result.not_worse, result.status)]
    if result.verdicts:
        rows = ([_models(one), *_judged(one)] for one in result.verdicts)
        parts += [
            tag("h3", "Verdicts of the two audits"),
            paragraph("Each is about all images of its own audit."),
            table("Verdicts of the two audits", ("Models", "A", "B"), rows),
        ]
    return join([*parts, bullets(result.notes) if result.notes else ""])


def _judgements(found: Sequence[NotWorse], status: Status | None) -> Markup:
    if status is None:
        return nothing(NOT_ASKED)
    rows = ([_models(one), chip(one.status), _name(one), one.sentence] for one in found)
    words = (
        "Is B worse than A by more than the margin? FAIL: the whole interval says so. PASS: the whole interval lies "
        "under the margin, in every row. INSUFFICIENT: neither."
    )
    return join([
        tag("div", chip(status), paragraph(words), class_="summary"),
        table("Is B worse than A?", ("Models", "Status", "Number", "In words"), rows),
    ])  # fmt: skip


def _differences(found: Sequence[Difference]) -> Markup:
    groups = dict.fromkeys((one.name, one.group) for one in found)
    charts = [_chart([one for one in found if (one.name, one.group) == key]) for key in groups]
    rows = (_row(one) for one in found)
    return join([paragraph(ALIKE), tag("div", *charts, class_="panels"), table("Differences", DIFFERENCES, rows)])


def _chart(found: Sequence[Difference]) -> Markup:
    name = _name(found[0])
    chart = forest(
        [Point(label=_models(one), value=one.value, low=one.low, high=one.high) for one in found],
        name=anchor("difference", found[0].name, found[0].group),
        title=f"{name}: B minus A",
        description="; ".join(f"{_models(one)}: {in_words(one)}" for one in found) + ".",
        reference=0.0,
    )
    return tag("figure", tag("figcaption", tag("b", name)), chart)


def _films(result: UpdateResult) -> Markup:
    return table("Images in common", FILMS, (_film(one) for one in result.films))


def _row(one: Difference) -> list[str]:
    sides = [_reading(side) for side in (one.a, one.b)]
    return [_models(one), _name(one), *sides, in_words(one), count(one.n), count(one.n_patients), one.method]


def _film(one: Films) -> list[str]:
    counts = (one.images, one.patients, one.only_a, one.only_b)
    return [f"{_pair(one)}, {plain(one.finding)}", *(count(value) for value in counts)]


def _reading(one: Reading) -> str:
    if one.value is None or one.low is None or one.high is None:
        return missing(one.reason)
    return f"{number(one.value)} ({number(one.low)} to {number(one.high)})"


def _pair(one: Difference | NotWorse | VerdictChange | Films) -> str:
    return one.model if one.model == one.other else f"{one.model} (B), {one.other} (A)"


def _models(one: Difference | NotWorse | VerdictChange) -> str:
    return ", ".join([_pair(one), plain(one.finding), plain(one.attribute)])


def _name(one: Difference | NotWorse) -> str:
    label = metric_label(one.name)
    return f"{label}, {group_label(one.group)}" if one.name == "score_shift" else label


def _words(status: Status) -> str:
    return " ".join(STATUS_WORDS[status])


def _judged(one: VerdictChange) -> tuple[str, str]:
    return _judgement(one.a), _judgement(one.b)


def _judgement(one: Judgement) -> str:
    return f"{_words(one.status)} by {one.rule}"
