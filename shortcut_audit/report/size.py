"""Is a ranking carried by size? Each model beside its area alone, its twin on permuted labels, and the drawn area."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from markupsafe import Markup

from shortcut_audit.audit.result.numbers import Comparison, Metric
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.blocks import bullets, paragraph, table
from shortcut_audit.report.markup import join, tag
from shortcut_audit.report.numbers import estimate, in_words, sample_size
from shortcut_audit.report.vocabulary import group_label, plain

AREA = ":predicted_area"
"""How the name of an area-only control ends; the model that it belongs to stands before it."""
TWIN = "permuted"
"""What the name of a twin trained on permuted labels holds; the models that it is a twin of begin as it does."""
HEAD = ("Model", "Finding", "What ranks", "AUROC")
MEANING = (
    "A score that grows with the area of what is found, as the mean probability does, is carried by size if area "
    "alone ranks the finding. A model's ranking is evidence of robustness only if it is better than that of its "
    "area-only control and of its twin trained on permuted labels."
)
REVERSED = (
    "In this test set associations were reversed by design. Size need not be among them: a model that goes by size "
    "can keep its AUROC here whatever else it learnt."
)
NOT_MEASURED = (
    "This audit cannot tell: no model has an area-only control, a twin trained on permuted labels or an area of "
    "drawn masks."
)
Standing = Literal["behind", "open", "ahead"]


class Rival(NamedTuple):
    """A ranking without the model's own reading, and what it is called."""

    words: str
    found: Metric


def size_alone(result: AuditResult) -> Markup | None:
    """Return what size alone ranks beside each model, in words and numbers; None where nothing raises the question.

    It is raised by a test set reversed by design, an area-only control, a twin, or a known area of drawn masks.
    """
    is_reversed = result.dataset.get("test_design") == "reversed"
    if not is_reversed and not any(_measures_size(one) for one in result.metrics):
        return None
    judged = [(one, list(_rivals(result, one))) for one in _judged(result)]
    beside = [(one, rivals) for one, rivals in judged if rivals]
    words = [paragraph(text) for text in (MEANING, REVERSED if is_reversed else "") if text]
    if not beside:
        return join([*words, paragraph(NOT_MEASURED)])
    rows = (row for one, rivals in beside for row in _rows(result, one, rivals))
    said = [text for one, rivals in beside for rival in rivals if (text := _sentence(result, one, rival))]
    return join([*words, bullets(said) if said else "", table("Models beside size alone", HEAD, rows)])


def _measures_size(found: Metric) -> bool:
    is_control = found.role == "control" and (found.model.endswith(AREA) or TWIN in found.model)
    return is_control or found.name == "target_area_auroc"


def _judged(result: AuditResult) -> list[Metric]:
    """Return one AUROC for each model and finding: it is the same for every attribute."""
    found = [one for one in result.find("auroc", group="all") if one.role == "model"]
    return list({(one.model, one.finding): one for one in reversed(found)}.values())[::-1]


def _rivals(result: AuditResult, judged: Metric) -> Iterator[Rival]:
    about = {"finding": judged.finding, "attribute": judged.attribute}
    for one in result.find("auroc", group="all", **about):
        if one.role == "control" and one.model == judged.model + AREA:
            yield Rival("its predicted area alone", one)
        elif one.role == "control" and _is_twin(one.model, judged.model):
            yield Rival("its twin trained on permuted labels", one)
    for one in result.find("target_area_auroc", model=judged.model, **about):
        yield Rival(f"the drawn area alone ({_covariate(one)})", one)


def _is_twin(control: str, model: str) -> bool:
    start, found, _ = control.partition(TWIN)
    return bool(found) and ":" not in control and model.startswith(start)


def _covariate(found: Metric) -> str:
    return plain(found.group.removeprefix("strata:"))


def _rows(result: AuditResult, judged: Metric, rivals: list[Rival]) -> Iterator[tuple[object, ...]]:
    yield _row(judged, "its score", judged)
    areas = {rival.found.group for rival in rivals if rival.found.name == "target_area_auroc"}
    about = {"model": judged.model, "finding": judged.finding, "attribute": judged.attribute}
    for one in result.find("auroc_within_strata", **about):
        if one.group in areas:
            yield _row(judged, f"its score, {group_label(one.group)}: images of like size", one)
    for rival in rivals:
        yield _row(judged, rival.words, rival.found)


def _row(judged: Metric, words: str, found: Metric) -> tuple[object, ...]:
    cell = join([estimate(found), tag("span", sample_size(found), class_="about")])
    return judged.model, plain(judged.finding), words, cell


def _sentence(result: AuditResult, judged: Metric, rival: Rival) -> str | None:
    """Say whether a model ranks better than size does; None where one of the two has no value."""
    if judged.value is None or rival.found.value is None:
        return None
    paired = _paired(result, judged, rival.found)
    who, finding = judged.model, plain(judged.finding)
    numbers = f"{in_words(judged)} against {in_words(rival.found)}"
    numbers += f", difference {in_words(paired)}" if paired else ""
    standing = _standing(judged, rival.found, paired)
    if standing == "behind":
        return (
            f"For {who}, {rival.words} ranks {finding} as well as or better than the model: {numbers}. "
            "Its AUROC is no evidence of robustness."
        )
    if standing == "open":
        return (
            f"{who} ranks {finding} above {rival.words}, but the data do not tell them apart: {numbers}. "
            "This is no evidence of robustness."
        )
    return f"{who} ranks {finding} better than {rival.words}: {numbers}."


def _paired(result: AuditResult, judged: Metric, rival: Metric) -> Comparison | None:
    """Return the difference of the two on the same images, None where none was computed."""
    wanted = (judged.model, rival.model, judged.finding, judged.attribute, "auroc")
    return next(
        (c for c in result.comparisons
         if (c.model, c.other, c.finding, c.attribute, c.name) == wanted and c.value is not None), None
    )  # fmt: skip


def _standing(judged: Metric, rival: Metric, paired: Comparison | None) -> Standing:
    """Without a paired difference the two intervals must lie apart, which asks for more than is needed."""
    if judged.value is None or rival.value is None or judged.value <= rival.value:
        return "behind"
    if paired is not None:
        return "ahead" if paired.low is not None and paired.low > 0 else "open"
    apart = judged.low is not None and rival.high is not None and judged.low > rival.high
    return "ahead" if apart else "open"
