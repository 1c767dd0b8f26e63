"""Several series over a share of the labels, as inline SVG: points with their intervals, joined, on a log axis.

Series differ by marker, dashes and colour; they stand a little apart so that intervals do not cover each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from shortcut_audit.report.figures import SIDE, WIDTH, Marker, at, draw_chart, draw_marker, write_text
from shortcut_audit.report.markup import join, tag

TOP = 10
HEIGHT = 200
LEFT = SIDE + 30
APART = 6.0
LOOKS: tuple[tuple[Marker, str | None], ...] = (
    ("dot", None), ("square", "6 3"), ("diamond", "2 3"), ("dot", "8 3 2 3"), ("square", "1 3"), ("diamond", None),
)  # fmt: skip
"""Marker and dashes of each series; from the seventh on they come again."""


@dataclass(frozen=True, kw_only=True)
class SeriesPoint:
    """A value with its interval at a share of the labels."""

    share: float
    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Series:
    """One arm: a name, and its points from left to right."""

    name: str
    points: tuple[SeriesPoint, ...]


def learning_chart(series: Sequence[Series], *, name: str, title: str, description: str) -> Markup:
    """Draw values from 0 to 1 over shares of the labels.

    Args:
        series: at least one with a point.
        name: id of the chart.
        title: what the chart shows.
        description: what can be seen, in words.
    """
    shares = sorted({point.share for one in series for point in one.points})
    room = APART * (len(series) - 1) / 2 + 8
    first, last = LEFT + room, WIDTH - SIDE - room

    def across(share: float) -> float:
        if len(shares) == 1:
            return (first + last) / 2
        way = math.log(share / shares[0]) / math.log(shares[-1] / shares[0])
        return first + way * (last - first)

    parts = [_grid(), *(write_text(f"{100 * share:g} %", across(share), TOP + HEIGHT + 16, "tick") for share in shares)]
    for place, one in enumerate(series):
        shift = (place - (len(series) - 1) / 2) * APART
        parts.append(_series(one, place, [across(point.share) + shift for point in one.points]))
    parts.append(write_text("share of the patients with drawn masks", (first + last) / 2, TOP + HEIGHT + 34, "tick"))
    parts += [_legend(one.name, place) for place, one in enumerate(series)]
    height = TOP + HEIGHT + 48 + 17 * math.ceil(len(series) / 2)
    return draw_chart(name, title, description, height, [join([part]) for part in parts])


def _height(value: float) -> float:
    return TOP + (1 - value) * HEIGHT


def _grid() -> Markup:
    values = [step / 5 for step in range(6)]
    lines = "".join(f"M{LEFT} {at(_height(value))}H{WIDTH - SIDE}" for value in values)
    return tag("path", d=lines, class_="grid") + join(write_text(f"{v:.1f}", SIDE, _height(v) + 4) for v in values)


def _series(one: Series, place: int, across: Sequence[float]) -> Markup:
    marker, dashes = LOOKS[place % len(LOOKS)]
    line = "L".join(f"{at(x)} {at(_height(point.value))}" for x, point in zip(across, one.points, strict=True))
    whiskers = "".join(
        f"M{at(x)} {at(_height(p.low))}V{at(_height(p.high))}" for x, p in zip(across, one.points, strict=True)
    )
    marks = [draw_marker(marker, x, _height(point.value)) for x, point in zip(across, one.points, strict=True)]
    joined = tag("path", d=f"M{line}", class_="whisker", stroke_dasharray=dashes) if len(one.points) > 1 else ""
    return tag(
        "g", joined, tag("path", d=whiskers, class_="whisker") if whiskers else "", *marks, class_=f"series-{place}"
    )


def _legend(name: str, place: int) -> Markup:
    marker, dashes = LOOKS[place % len(LOOKS)]
    x = LEFT + (place % 2) * (WIDTH - LEFT - SIDE) / 2
    y = TOP + HEIGHT + 56 + 17 * (place // 2)
    line = tag("path", d=f"M{at(x)} {at(y - 4)}H{at(x + 26)}", class_="whisker", stroke_dasharray=dashes)
    drawn = tag("g", line, draw_marker(marker, x + 13, y - 4), class_=f"series-{place}")
    return drawn + write_text(name, x + 34, y)
