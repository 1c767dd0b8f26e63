"""Charts as inline SVG: intervals by group, and the gap as a stacked bar.

Every chart has ``role="img"``, a title and a description in words; the section that shows it puts the
numbers in a table below. Series differ by shape and pattern, not by colour alone. Lengths are units of
the view box, which the page scales.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from markupsafe import Markup

from shortcut_audit.report.markup import join, tag
from shortcut_audit.report.numbers import MINUS, number, signed

Marker = Literal["dot", "square", "diamond"]
Place = Callable[[float], float]

WIDTH = 400
SIDE = 14
LONGEST_LABEL = 38
"""Characters that fit beside a value."""
LONGEST_LINE = 58
"""Characters that fit on a line of their own."""
ROW, LINE = 35, 15


@dataclass(frozen=True, kw_only=True)
class Point:
    """One row of a forest plot; a value of None is shown as not computed."""

    label: str
    value: float | None
    low: float | None
    high: float | None
    marker: Marker = "dot"


@dataclass(frozen=True, kw_only=True)
class Split:
    """One row of the stacked bar: ``gap = reliance + case_mix``, with the interval of the gap."""

    label: str
    gap: float | None
    low: float | None
    high: float | None
    reliance: float | None
    case_mix: float | None


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A horizontal axis from ``low`` to ``high``, both whole steps."""

    low: float
    high: float
    step: float

    def place(self, value: float) -> float:
        """Return how far from the left a value stands."""
        return SIDE + (value - self.low) / (self.high - self.low) * (WIDTH - 2 * SIDE)


def forest(
    points: Sequence[Point], *, name: str, title: str, description: str, reference: float, margin: float | None = None
) -> Markup:
    """Draw values with their intervals, one row each, on a common axis.

    Args:
        points: the rows, from top to bottom.
        name: id of the chart.
        title: what the chart shows.
        description: what can be seen, in words.
        reference: value of "nothing to see", drawn as a dashed line.
        margin: half-width of the band drawn around the reference.
    """
    top = 4
    *starts, bottom = accumulate((_height(point) for point in points), initial=top)
    axis = make_axis([reference, *_finite(side for p in points for side in (p.value, p.low, p.high))], margin)
    place = axis.place
    marks = [_point(point, place, start) for point, start in zip(points, starts, strict=True)]
    parts = [_band(place, reference, margin, top, bottom), _grid(axis, top, bottom)]
    return draw_chart(
        name, title, description, bottom + 24, [*parts, _reference(place, reference, top, bottom), *marks]
    )


def stacked_gaps(splits: Sequence[Split], *, name: str, title: str, description: str, margin: float | None) -> Markup:
    """Draw each gap as reliance plus case mix; parts of opposite sign go to opposite sides of zero.

    The diamond and the line through it are the gap and its interval. Arguments as in :func:`forest`.
    """
    row, top = 54, 4
    bottom = top + row * len(splits)
    axis = make_axis([0.0, *_finite(side for s in splits for side in _extent(s))], margin)
    place = axis.place
    hatch = f"{name}.hatch"
    marks = [_split(split, place, top + row * index, hatch) for index, split in enumerate(splits)]
    parts = [_hatch(hatch), _band(place, 0.0, margin, top, bottom), _grid(axis, top, bottom)]
    return draw_chart(name, title, description, bottom + 24, [*parts, _reference(place, 0.0, top, bottom), *marks])


def shorten(text: str, longest: int = LONGEST_LABEL) -> str:
    """Return a text cut with an ellipsis where it would run into the chart."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def draw_chart(name: str, title: str, description: str, height: float, parts: Iterable[Markup]) -> Markup:
    """Return parts of a chart as one image of that height, with its title and description."""
    heading = tag("title", title, id=f"{name}.title") + tag("desc", description, id=f"{name}.desc")
    svg = tag(
        "svg", heading, *parts, id=name, viewBox=f"0 0 {WIDTH} {height:g}", role="img", class_="chart",
        aria_labelledby=f"{name}.title", aria_describedby=f"{name}.desc",
    )  # fmt: skip
    return tag("div", svg, class_="scroll chart-box", tabindex="0", role="region", aria_label=title)


def _height(point: Point) -> int:
    """Return the height of a row; a label that does not fit beside its value has a line of its own."""
    return ROW + LINE * (len(point.label) > LONGEST_LABEL)


def _point(point: Point, place: Place, y: float) -> Markup:
    label = write_text(shorten(point.label, LONGEST_LINE), SIDE, y + 14)
    y += _height(point) - ROW
    if point.value is None:
        return label + _value("not computed", y + 14, class_="value absent")
    limits = "" if point.low is None or point.high is None else f" ({number(point.low)} to {number(point.high)})"
    line = _whisker(place, point.low, point.high, point.value, y + 25)
    marker = draw_marker(point.marker, place(point.value), y + 25)
    return label + _value(number(point.value) + limits, y + 14) + line + marker


def _split(split: Split, place: Place, y: float, hatch: str) -> Markup:
    label = write_text(shorten(split.label), SIDE, y + 15, class_="row-label")
    if split.gap is None:
        return label + _value("gap not computed", y + 15, class_="value absent")
    total = _value(signed(split.gap), y + 15, class_="value row-label")
    bars = _bars(split.reliance, split.case_mix, place, y + 24, hatch)
    if not bars:
        bars = _rectangle(place, 0.0, split.gap, y + 24, class_="undivided")
    line = _whisker(place, split.low, split.high, split.gap, y + 33)
    return label + total + bars + line + draw_marker("diamond", place(split.gap), y + 33)


def _bars(reliance: float | None, case_mix: float | None, place: Place, y: float, hatch: str) -> Markup:
    if reliance is None or case_mix is None:
        return Markup("")
    start = reliance if reliance * case_mix > 0 else 0.0
    mixed = _rectangle(place, start, start + case_mix, y, class_="case-mix")
    lines = _rectangle(place, start, start + case_mix, y, fill=f"url(#{hatch})")
    return _rectangle(place, 0.0, reliance, y, class_="reliance") + mixed + lines


def _extent(split: Split) -> tuple[float | None, ...]:
    parts = (split.reliance, split.case_mix)
    return (split.gap, split.low, split.high, *parts)


def _rectangle(place: Place, start: float, end: float, y: float, **attributes: str) -> Markup:
    near, far = sorted((place(start), place(end)))
    return tag("rect", x=at(near), y=at(y), width=at(far - near), height=18, **attributes)


def _whisker(place: Place, low: float | None, high: float | None, value: float, y: float) -> Markup:
    start, end = place(value if low is None else low), place(value if high is None else high)
    ends = "".join(f"M{at(x)} {at(y - 4)}V{at(y + 4)}" for x in (start, end))
    return tag("path", d=f"M{at(start)} {at(y)}H{at(end)}{ends}", class_="whisker")


def draw_marker(marker: Marker, x: float, y: float) -> Markup:
    """Return a marker around a point."""
    if marker == "dot":
        return tag("circle", cx=at(x), cy=at(y), r=4.5, class_="marker")
    size = 4.5 if marker == "square" else 6.5
    corners = "M{0} {1}H{2}V{3}H{0}Z" if marker == "square" else "M{4} {1}L{2} {5}L{4} {3}L{0} {5}Z"
    path = corners.format(at(x - size), at(y - size), at(x + size), at(y + size), at(x), at(y))
    return tag("path", d=path, class_="marker")


def _grid(axis: Axis, top: float, bottom: float) -> Markup:
    digits = max(0, -math.floor(math.log10(axis.step)))
    ticks = [axis.low + index * axis.step for index in range(round((axis.high - axis.low) / axis.step) + 1)]
    lines = "".join(f"M{at(axis.place(tick))} {at(top)}V{at(bottom)}" for tick in ticks)
    texts = (f"{round(tick, digits) + 0.0:.{digits}f}".replace("-", MINUS) for tick in ticks)
    labels = [write_text(text, axis.place(tick), bottom + 16, "tick") for tick, text in zip(ticks, texts, strict=True)]
    return tag("path", d=lines, class_="grid") + join(labels)


def _reference(place: Place, value: float, top: float, bottom: float) -> Markup:
    return tag("path", d=f"M{at(place(value))} {at(top)}V{at(bottom)}", class_="reference")


def _band(place: Place, middle: float, margin: float | None, top: float, bottom: float) -> Markup:
    if margin is None:
        return Markup("")
    start, end = place(middle - margin), place(middle + margin)
    return tag("rect", x=at(start), y=at(top), width=at(end - start), height=at(bottom - top), class_="band")


def _hatch(name: str) -> Markup:
    line = tag("path", d="M0 6L6 0", class_="hatch")
    return tag("pattern", line, id=name, width=6, height=6, patternUnits="userSpaceOnUse")


def write_text(text: str, x: float, y: float, class_: str = "label") -> Markup:
    """Return a text that stands on the height ``y``."""
    return tag("text", text, x=at(x), y=at(y), class_=class_)


def _value(text: str, y: float, class_: str = "value") -> Markup:
    return write_text(text, WIDTH - SIDE, y, class_)


def _finite(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def make_axis(values: Sequence[float], margin: float | None) -> Axis:
    """Return an axis of whole steps that holds all values and the band around the first.

    The step is the smallest of 1, 2 or 5 times a power of ten that cuts the values into at most seven parts.
    """
    around = [values[0] - (margin or 0), values[0] + (margin or 0), *values]
    low, high = min(around), max(around)
    if high - low < 0.1:
        low, high = low - 0.05, high + 0.05
    whole = 10.0 ** math.ceil(math.log10((high - low) / 7))
    step = next(whole * part for part in (0.2, 0.5, 1.0) if (high - low) / (whole * part) <= 7)
    return Axis(low=math.floor(low / step + 1e-9) * step, high=math.ceil(high / step - 1e-9) * step, step=step)


def at(length: float) -> str:
    """Return a length as it is written in the chart."""
    return f"{length:.1f}".removesuffix(".0")
