"""A number as a function of another one, as inline SVG: a line with its band, and points on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from shortcut_audit.audit.result.numbers import CurvePoint
from shortcut_audit.report.figures import SIDE, WIDTH, Axis, Marker, at, draw_chart, draw_marker, make_axis, write_text
from shortcut_audit.report.markup import join, tag

TOP = 12
HEIGHT = 170
Place = Callable[[float], float]


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A point that is marked on the line; its meaning stands in the words around the chart."""

    x: float
    value: float
    marker: Marker


def line_chart(
    points: Sequence[CurvePoint], *, name: str, title: str, description: str, x_label: str, marks: Sequence[Mark] = (),
    reference: float | None = None,
) -> Markup:  # fmt: skip
    """Draw a line with its band, itself from 0 to 1, over a share from 0 to 1.

    Args:
        points: from left to right, at least one.
        name: id of the chart.
        title: what the chart shows.
        description: what can be seen, in words.
        x_label: what runs along the horizontal axis.
        marks: points to be marked.
        reference: height of a dashed line.
    """
    across = Axis(low=0.0, high=1.0, step=0.2)
    given = [side for point in points for side in (point.low, point.high)] + [mark.value for mark in marks]
    upward = make_axis([*given, *([] if reference is None else [reference])], None)
    upward = replace(upward, low=max(upward.low, 0.0), high=min(upward.high, 1.0))

    def height(value: float) -> float:
        return TOP + (upward.high - value) / (upward.high - upward.low) * HEIGHT

    level = None if reference is None else at(height(reference))
    parts = [
        _grid(upward, height), _ticks(across), _band(points, across.place, height), _line(points, across.place, height),
        tag("path", d=f"M{SIDE} {level}H{WIDTH - SIDE}", class_="reference") if level else "",
        *(draw_marker(mark.marker, across.place(mark.x), height(mark.value)) for mark in marks),
        write_text(x_label, WIDTH / 2, TOP + HEIGHT + 34, "tick"),
    ]  # fmt: skip
    return draw_chart(name, title, description, TOP + HEIGHT + 42, [join([part]) for part in parts])


def _grid(axis: Axis, height: Place) -> Markup:
    values = [axis.low + index * axis.step for index in range(round((axis.high - axis.low) / axis.step) + 1)]
    lines = "".join(f"M{SIDE} {at(height(value))}H{WIDTH - SIDE}" for value in values)
    return tag("path", d=lines, class_="grid") + join(
        write_text(f"{value:.2f}", SIDE, height(value) - 3) for value in values
    )


def _ticks(axis: Axis) -> Markup:
    values = [index / 5 for index in range(6)]
    return join(write_text(f"{value:.1f}", axis.place(value), TOP + HEIGHT + 16, "tick") for value in values)


def _band(points: Sequence[CurvePoint], place: Place, height: Place) -> Markup:
    upper = [f"{at(place(point.x))} {at(height(point.high))}" for point in points]
    lower = [f"{at(place(point.x))} {at(height(point.low))}" for point in reversed(points)]
    return tag("path", d=f"M{'L'.join([*upper, *lower])}Z", class_="band")


def _line(points: Sequence[CurvePoint], place: Place, height: Place) -> Markup:
    corners = [f"{at(place(point.x))} {at(height(point.value))}" for point in points]
    return tag("path", d=f"M{'L'.join(corners)}", class_="whisker")
