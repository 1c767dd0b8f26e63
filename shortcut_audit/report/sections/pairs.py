"""The same image with and without the attribute, with the scores of every model."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from markupsafe import Markup

from shortcut_audit.audit.result.examples import Example, Shift
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.blocks import nothing, paragraph, table
from shortcut_audit.report.markup import join, tag
from shortcut_audit.report.numbers import counted, number, signed
from shortcut_audit.report.pictures import MIB, Kind, about, layer, left_out, picture, within_budget
from shortcut_audit.report.sections import section
from shortcut_audit.report.vocabulary import feature

BUDGET = 3 * MIB // 2
STATES: tuple[Kind, ...] = ("image", "image_with", "image_without")
HEAD = ("Model", "With", "Without", "Change", "Decision")


@section("pairs", title="The same image with and without", order=60)
def pairs(result: AuditResult) -> Markup:
    """Images in both states, those first where most decisions flip."""
    paired = sorted((example for example in result.examples if _is_pair(example)), key=_flips_first)
    if not paired:
        return nothing(
            "No case is shown in both states: the audit kept none with its counterpart. What switching the attribute "
            "did to the scores of all images, where that was measured, stands under Checks and All numbers."
        )
    shown = within_budget(paired, STATES, BUDGET)
    flipped = sum(any(shift.flips for shift in example.shifts) for example in paired)
    intro = (
        f"{counted(len(paired), 'case')}, chosen and not a random sample; at least one decision flips in {flipped}. "
        f"Only the attribute differs between the two states.{left_out(paired, shown)}"
    )
    cases = (_case(example, result.counts.composites) for example in shown)
    return join([paragraph(intro), tag("div", *cases, class_="pairs")])


def _is_pair(example: Example) -> bool:
    return bool(example.shifts)


def _flips_first(example: Example) -> tuple[int, float]:
    largest = max((abs(shift.score_with - shift.score_without) for shift in example.shifts), default=0.0)
    return -sum(shift.flips for shift in example.shifts), -largest


def _case(example: Example, composites: Collection[str]) -> Markup:
    case = about(example, composites)
    title = f"Case {example.case}, {case}"
    rows = (_row(shift) for shift in example.shifts)
    heading = tag("h3", tag("span", example.case, class_="name"), tag("span", case, class_="about"))
    scores = table(f"{title}: scores in both states", HEAD, rows)
    return tag("article", heading, tag("div", *_pictures(example, composites), class_="pair"), scores, class_="case")


def _pictures(example: Example, composites: Collection[str]) -> Sequence[Markup]:
    """The image with the attribute and the image without it; the case itself is one of the two."""
    own, attribute = layer(example, "image"), feature(example.attribute, composites)
    present, absent = layer(example, "image_with"), layer(example, "image_without")
    if example.value == "0":
        absent = absent or own
    else:
        present = present or own
    if present is None or absent is None:
        return [paragraph("This audit kept no pictures of the two states.", class_="missing")]
    found = [(present, f"with {attribute}"), (absent, f"without {attribute}")]
    return [
        tag("figure", picture(one, f"{example.case} {words}"), tag("figcaption", words), class_="film")
        for one, words in found
    ]


def _row(shift: Shift) -> list[object]:
    change = signed(shift.score_with - shift.score_without)
    return [shift.model, number(shift.score_with), number(shift.score_without), change, _decision(shift)]


def _decision(shift: Shift) -> Markup | str:
    if shift.threshold is None:
        return tag("span", "no threshold", class_="missing")
    if shift.flips:
        return tag("b", f"⇄ flips at {number(shift.threshold)}")
    side = "above" if shift.score_with >= shift.threshold else "below"
    return f"stays {side} {number(shift.threshold)}"
