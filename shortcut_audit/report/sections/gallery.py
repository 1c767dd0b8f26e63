"""The gallery: every image untouched first, beside it the same image with layers that switch."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from markupsafe import Markup

from shortcut_audit.audit.result.examples import Example
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.blocks import nothing, paragraph
from shortcut_audit.report.markup import anchors, join, tag
from shortcut_audit.report.numbers import counted, number
from shortcut_audit.report.pictures import MIB, Kind, about, layer, left_out, picture, within_budget
from shortcut_audit.report.sections import section


class Switch(NamedTuple):
    """A layer with its button and whether it is on at first."""

    kind: Kind
    label: str
    on: bool


SWITCHES = (
    Switch("heatmap", "Heat map", on=False),
    Switch("predicted", "Predicted mask", on=False),
    Switch("finding", "Outline of the finding", on=True),
    Switch("footprint", "Outline of the attribute", on=True),
)
BUDGET = 2 * MIB
KINDS: tuple[Kind, ...] = ("image", *(switch.kind for switch in SWITCHES))


@section("gallery", title="Gallery", order=70)
def gallery(result: AuditResult) -> Markup:
    """Cases with heat map, outlines and predicted mask as layers over the untouched image."""
    pictured = [example for example in result.examples if layer(example, "image")]
    if not pictured:
        return nothing("No picture: the audit was given scores without images, or the gallery was turned off.")
    shown = within_budget(pictured, KINDS, BUDGET)
    present = {one.kind for example in shown for one in example.layers}
    buttons = [_button(switch) for switch in SWITCHES if switch.kind in present]
    bar = tag("div", *buttons, class_="switches", role="group", aria_label="Layers over the images")
    ids = anchors(("case", example.case.removeprefix("case ")) for example in shown)
    composites = result.counts.composites
    cases = [_case(example, name, composites) for example, name in zip(shown, ids, strict=True)]
    intro = (
        f"{counted(len(shown), 'case')}. Left: the image untouched. Right: the same image with layers. "
        f"Case numbers only; the list that leads back to ids is not part of this file.{left_out(pictured, shown)}"
    )
    return join([paragraph(intro), bar if buttons else "", tag("div", *cases, class_="gallery")])


def _button(switch: Switch) -> Markup:
    key = tag("span", class_=f"key {switch.kind}", aria_hidden="true")
    return tag("button", key, switch.label, type="button", aria_pressed=str(switch.on).lower(), data_layer=switch.kind)


def _case(example: Example, name: str, composites: Collection[str]) -> Markup:
    untouched = layer(example, "image")
    assert untouched is not None
    case = about(example, composites)
    base = picture(untouched, f"{example.case}, untouched: {case}")
    over = [_layer(example, switch) for switch in SWITCHES]
    stack = tag("div", picture(untouched, f"{example.case} with layers"), *over, class_="stack")
    return tag(
        "article",
        tag("div", tag("div", base, class_="stack"), stack, class_="pair"),
        tag("h3", example.case, class_="name"),
        paragraph(case, class_="about"),
        paragraph(example.chosen_because),
        _scores(example),
        class_="case",
        id=name,
    )


def _layer(example: Example, switch: Switch) -> Markup:
    found = layer(example, switch.kind)
    if found is None:
        return Markup("")
    return picture(found, found.label, class_="layer", data_layer=switch.kind, hidden=not switch.on)


def _scores(example: Example) -> Markup:
    state = "with" if example.value == "1" else "without"
    scores = [
        f"{shift.model} {number(shift.score_with if state == 'with' else shift.score_without)}"
        for shift in example.shifts
        if example.value in {"0", "1"}
    ]
    return paragraph("Scores: " + " · ".join(scores), class_="about") if scores else Markup("")
