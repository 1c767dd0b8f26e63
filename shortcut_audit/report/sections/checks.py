"""Every check with what it measured, its limit, and where the limit comes from."""

from __future__ import annotations

from markupsafe import Markup

from shortcut_audit.audit.result.judgement import SEVERITY, Answer
from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.blocks import about, bullets, names, nothing, paragraph, table
from shortcut_audit.report.lookup import Subject, subject
from shortcut_audit.report.markup import anchors, join, tag
from shortcut_audit.report.numbers import count, estimate, missing, number
from shortcut_audit.report.sections import section
from shortcut_audit.report.vocabulary import evidence_word, metric_label, plain

_RANK = {"yes": 0, "cannot tell": 1, "no": 2}
GOOD_NEWS = {"skill", "limit"}
"""Checks whose "yes" is what one hopes for."""
HEAD = ("Check", "About", "Answer", "Measured", "Limit", "n + / n − / patients", "In words")


@section("checks", title="Checks", order=20)
def checks(result: AuditResult) -> Markup:
    """What was asked of every model, with limits and where they come from, worst first."""
    if not result.answers:
        return nothing("No check was run.")
    ran = [answer for answer in result.answers if answer.value is not None]
    skipped = [answer for answer in result.answers if answer.value is None]
    ordered = _worst_first(result, ran)
    ids = anchors(("check", answer.check, *subject(answer)) for answer in ordered)
    rows = [_row(result, answer) for answer in ordered]
    found = table("Checks, worst first", HEAD, rows, ids=ids, class_="checks") if rows else None
    return join([
        paragraph("A check finds evidence; the verdict is made from the answers marked ", tag("b", "decides"), "."),
        found or nothing("No check could be computed."),
        tag("h3", "Not computed, and why"),
        _skipped(skipped),
    ])  # fmt: skip


def _worst_first(result: AuditResult, answers: list[Answer]) -> list[Answer]:
    severity: dict[Subject, int] = {}
    for verdict in result.verdicts:
        key = subject(verdict)
        severity[key] = max(severity.get(key, -1), SEVERITY.index(verdict.status))
    return sorted(
        answers,
        key=lambda answer: (-severity.get(subject(answer), -1), not answer.decides, _rank(answer)),
    )


def _rank(answer: Answer) -> int:
    rank = _RANK[answer.evidence]
    return 2 - rank if answer.check in GOOD_NEWS else rank


def _row(result: AuditResult, answer: Answer) -> list[object]:
    behind = _behind(result, answer)
    return [
        _check(answer),
        names(*subject(answer)),
        tag("b", evidence_word(answer.check, answer.evidence)),
        _measured(answer, behind),
        _limit(answer),
        _counts(behind),
        _words(answer),
    ]


def _behind(result: AuditResult, answer: Answer) -> Metric | None:
    """Return the metric an answer rests on: the one of that name, in whichever group, that has its value."""
    found = result.find(answer.number or "", model=answer.model, finding=answer.finding, attribute=answer.attribute)
    return next((one for one in found if one.value == answer.value), None)


def _check(answer: Answer) -> Markup:
    name = tag("span", plain(answer.check), class_="name")
    decides = tag("span", "decides", class_="badge") if answer.decides else ""
    return join([name, decides, tag("span", answer.question, class_="about")])


def _measured(answer: Answer, behind: Metric | None) -> Markup:
    assert answer.value is not None
    label = tag("span", metric_label(answer.number), class_="about") if answer.number else ""
    if behind is not None:
        return join([estimate(behind), label])
    value = tag("span", number(answer.value), class_="value")
    if answer.low is None or answer.high is None:
        return join([value, label])
    return join([value, tag("span", f"interval {number(answer.low)} to {number(answer.high)}", class_="ci"), label])


def _limit(answer: Answer) -> Markup:
    if answer.limit is None:
        return tag("span", "no limit", class_="missing")
    return join([tag("span", number(answer.limit), class_="value"),
                 tag("span", answer.limit_origin or "origin not recorded", class_="about")])  # fmt: skip


def _counts(behind: Metric | None) -> str:
    if behind is None:
        return "not recorded"
    return " / ".join(count(size) for size in (behind.n_pos, behind.n_neg, behind.n_patients))


def _words(answer: Answer) -> str:
    if answer.n_needed is None:
        return answer.reason
    cell = f" ({answer.cell_needed})" if answer.cell_needed else ""
    return f"{answer.reason.rstrip('.')}; about {count(answer.n_needed)} patients{cell} would decide."


def _skipped(answers: list[Answer]) -> Markup:
    if not answers:
        return paragraph("Every check that was asked for could be computed.")
    reasons: dict[tuple[str, str], list[str]] = {}
    for answer in answers:
        who = f"{answer.model} ({about(answer.finding, answer.attribute)})"
        reasons.setdefault((answer.check, _words(answer)), []).append(who)
    return bullets(
        join([tag("b", plain(check)), f": {missing(why)}. ", tag("span", ", ".join(who), class_="about")])
        for (check, why), who in reasons.items()
    )
