"""The verdict, with the two answers it rests on, before anything else."""

from __future__ import annotations

from collections import Counter

from markupsafe import Markup

from shortcut_audit.audit.result.judgement import SEVERITY, Verdict
from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.blocks import chip, definitions, folded, nothing, paragraph
from shortcut_audit.report.lookup import headlines, limit, subject, worst_first
from shortcut_audit.report.markup import anchors, join, tag
from shortcut_audit.report.numbers import count, counted, interval, missing, number, sample_size
from shortcut_audit.report.sections import section
from shortcut_audit.report.vocabulary import (
    GAP_MEANINGS,
    METRICS,
    RELIANCE_MEANINGS,
    STATUS_MEANINGS,
    STATUS_WORDS,
    feature,
    plain,
)

SHOWN_AT_ONCE = 6
QUESTIONS = {
    "gap": "whether performance holds where the association breaks",
    "reliance": "whether the score follows the attribute itself",
}


@section("verdict", title="Verdict", order=10)
def verdict(result: AuditResult) -> Markup:
    """The verdict on each model, with both answers and the four numbers behind them."""
    if not result.verdicts:
        return nothing("No verdict: the audit asked about no model, finding and attribute together.")
    ordered = worst_first(result.verdicts)
    ids = anchors(("verdict", *subject(one)) for one in ordered)
    cards = [_card(result, one, name) for one, name in zip(ordered, ids, strict=True)]
    rest = cards[SHOWN_AT_ONCE:]
    return join([
        _summary(result),
        *cards[:SHOWN_AT_ONCE],
        folded(f"{counted(len(rest), 'more verdict')}, none of them worse", *rest) if rest else "",
        _how_to_read(),
    ])  # fmt: skip


def _summary(result: AuditResult) -> Markup:
    tally = Counter(one.status for one in result.verdicts)
    parts = [f"{count(tally[status])} {STATUS_WORDS[status][1]}" for status in reversed(SEVERITY) if tally[status]]
    about = f"{counted(len(result.verdicts), 'verdict')}: {', '.join(parts)}. The run takes the worst."
    return tag("div", chip(result.status), paragraph(about), _asked(result), _planned(result), class_="summary")


def _planned(result: AuditResult) -> Markup:
    """Say by which plan the audit was made and whether it kept to it; nothing where there was none."""
    if result.plan is None:
        return join(())
    said = f"{counted(len(result.plan.deviations), 'deviation')} (reason given: {result.plan.reason})"
    kept = said if result.plan.deviations else "nothing was changed"
    return paragraph("Made by the plan ", tag("a", result.plan.file, href="#plan"), f": {kept}.", class_="asked")


def _asked(result: AuditResult) -> Markup:
    """Say which questions were put, and that everything else was not."""
    attributes = ", ".join(dict.fromkeys(plain(one.attribute) for one in result.verdicts))
    tabled = [one for one in result.verdicts if one.limit is None]
    asked = [name for name in QUESTIONS if any(_asks(result, one, name) for one in tabled)]
    skipped = [f"{name} ({QUESTIONS[name]})" for name in QUESTIONS if name not in asked]
    not_asked = "; ".join([*skipped, "any other attribute"])
    return paragraph(f"Asked: {' and '.join(asked)}, for {attributes}. Not asked: {not_asked}.", class_="asked")


def _asks(result: AuditResult, one: Verdict, question: str) -> bool:
    """Return whether a question was put: a verdict names its answers, the configuration what was asked."""
    settings = result.provenance.config.get("evaluate")
    ask = settings.get("ask", "both") if isinstance(settings, dict) else "both"
    named = set(QUESTIONS) & set(one.answers)
    return ask in {question, "both"} and (question in named or not named)


def _card(result: AuditResult, one: Verdict, name: str) -> Markup:
    first, *others = one.sentences or ("This verdict came without words.",)
    about = " · ".join([plain(one.finding), plain(one.attribute), *([one.limit] if one.limit else [])])
    heading = tag("h3", tag("span", one.model, class_="name"), tag("span", about, class_="about"))
    return tag(
        "article",
        tag("header", chip(one.status), heading),
        paragraph(first, class_="first"),
        _answers(result, one),
        *(paragraph(sentence) for sentence in others),
        _tiles(result, one) if one.limit is None else "",
        paragraph("Rule that decided: ", tag("code", one.rule), class_="rule"),
        class_=f"verdict {one.status}",
        id=name,
    )


def _tiles(result: AuditResult, one: Verdict) -> Markup:
    return tag("dl", *(_tile(label, found) for label, found in headlines(result, subject(one))), class_="tiles")


def _answers(result: AuditResult, one: Verdict) -> Markup:
    """Return both answers; nothing for a limit of the plan, which has none."""
    if one.gap is None or one.reliance is None:
        return join(())
    finding, attribute = plain(one.finding), feature(one.attribute, result.counts.composites)
    margin = limit(result, "margin")
    width = f" of {number(margin)}" if margin is not None else ""
    gap = f"Does performance hold where {attribute} and {finding} disagree?"
    reliance = f"Does the score follow {attribute} itself?"
    return tag(
        "dl",
        _answer("Gap", gap, one.gap if _asks(result, one, "gap") else None, GAP_MEANINGS[one.gap] + width),
        _answer("Reliance", reliance, one.reliance if _asks(result, one, "reliance") else None,
                RELIANCE_MEANINGS[one.reliance] + width),
        class_="answers",
    )  # fmt: skip


def _answer(name: str, question: str, word: str | None, meaning: str) -> Markup:
    said = join([tag("b", word.upper()), " ", meaning]) if word else tag("b", "NOT ASKED")
    return tag("div", tag("dt", tag("b", name), " ", question), tag("dd", said))


def _tile(label: str, found: Metric | None) -> Markup:
    if found is None or found.value is None:
        content = tag("dd", missing(found.reason if found else None), class_="missing")
        behind = tag("dd", sample_size(found), class_="n") if found else ""
        return tag("div", tag("dt", label), content, behind)
    return tag(
        "div",
        tag("dt", label),
        tag("dd", number(found.value), class_="big"),
        tag("dd", interval(found), class_="ci"),
        tag("dd", sample_size(found), class_="n"),
    )


def _how_to_read() -> Markup:
    words = [(chip(status), STATUS_MEANINGS[status]) for status in reversed(SEVERITY)]
    terms = [(METRICS[name].label, METRICS[name].definition) for name in ("auroc", "robust_auroc")]
    gaps = [(METRICS[name].label, METRICS[name].definition) for name in ("auroc_gap", "interventional_gap")]
    intervals = "CI is the confidence interval: the range of values that the data are compatible with."
    return folded("How to read this page", definitions([*words, *terms, *gaps]), paragraph(intervals))
