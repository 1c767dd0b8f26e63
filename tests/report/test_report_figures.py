"""Charts are true to scale."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from read_page import Page

from shortcut_audit.report.figures import WIDTH, Point, Split, forest, shorten, stacked_gaps

values = st.floats(-1, 1, allow_subnormal=False)


def draw_forest(*points: Point, reference: float = 0.5) -> Page:
    return Page(forest(points, name="f", title="Title", description="In words", reference=reference))


def draw_splits(*splits: Split, margin: float | None = 0.05) -> Page:
    return Page(stacked_gaps(splits, name="s", title="Title", description="In words", margin=margin))


def split(gap: float | None, reliance: float | None, case_mix: float | None) -> Split:
    low, high = (None, None) if gap is None else (gap - 0.02, gap + 0.02)
    return Split(label="m", gap=gap, low=low, high=high, reliance=reliance, case_mix=case_mix)


def ends(page: Page, class_: str) -> tuple[float, float]:
    """Left and right end of a bar."""
    (bar,) = page.all("rect", class_=class_)
    return float(bar["x"]), float(bar["x"]) + float(bar["width"])


def middle_of_the_diamond(page: Page) -> float:
    (mark,) = page.all("path", class_="marker")
    return float(re.match(r"M([-\d.]+) ", mark["d"])[1])


def test_a_chart_is_an_image_with_a_title_and_a_description():
    page = draw_forest(Point(label="all", value=0.8, low=0.7, high=0.9))

    (chart,) = page.all("svg")
    assert (chart["role"], chart["aria-labelledby"], chart["aria-describedby"]) == ("img", "f.title", "f.desc")
    assert "Title" in page.text
    assert "In words" in page.text


@given(values, values)
def test_parts_of_one_sign_end_at_the_diamond(reliance, case_mix):
    if reliance * case_mix < 0:
        case_mix = -case_mix
    page = draw_splits(split(reliance + case_mix, reliance, case_mix))

    left, right = zip(ends(page, "reliance"), ends(page, "case-mix"), strict=True)
    outer = max(right) if reliance + case_mix >= 0 else min(left)
    assert outer == pytest.approx(middle_of_the_diamond(page), abs=0.21)


def test_parts_of_opposite_sign_go_to_opposite_sides_of_zero():
    page = draw_splits(split(0.1, 0.3, -0.2))

    assert ends(page, "case-mix")[1] == pytest.approx(ends(page, "reliance")[0], abs=0.11)
    reliance, case_mix = ends(page, "reliance"), ends(page, "case-mix")
    assert (reliance[1] - reliance[0]) / (case_mix[1] - case_mix[0]) == pytest.approx(1.5, rel=0.01)


def test_a_gap_that_could_not_be_split_is_drawn_as_one_open_bar():
    page = draw_splits(split(0.2, None, None))

    assert page.all("rect", class_="undivided")
    assert not page.all("rect", class_="reliance")


def test_an_undefined_gap_has_a_row_and_no_mark():
    page = draw_splits(split(None, None, None))

    assert "gap not computed" in page.text
    assert not page.all("path", class_="marker")


def test_the_margin_is_a_band_around_zero_and_left_out_if_unknown():
    page = draw_splits(split(0.2, 0.1, 0.1))

    left, right = ends(page, "band")
    assert (left + right) / 2 == pytest.approx(ends(page, "reliance")[0], abs=0.11)
    assert not draw_splits(split(0.2, 0.1, 0.1), margin=None).all("rect", class_="band")


@given(st.lists(st.tuples(values, st.floats(0, 0.5)), min_size=1, max_size=5), st.floats(-1, 1))
def test_nothing_is_drawn_outside_the_chart(found, reference):
    points = [Point(label="p", value=v, low=v - half, high=v + half) for v, half in found]
    page = draw_forest(*points, reference=reference)

    lines = " ".join(a["d"] for a in page.all("path"))
    across = [float(x) for x in re.findall(r"[MH]([-\d.]+)", lines)] + [float(a["cx"]) for a in page.all("circle")]
    assert min(across) >= 0
    assert max(across) <= WIDTH


def test_equal_steps_of_value_are_equal_steps_on_the_axis():
    page = draw_forest(*(Point(label="p", value=v, low=None, high=None) for v in (0.5, 0.6, 0.8)))

    first, second, third = (float(a["cx"]) for a in page.all("circle"))
    assert third - second == pytest.approx(2 * (second - first), abs=0.21)


def test_marks_differ_by_shape():
    page = draw_forest(
        Point(label="a", value=0.5, low=None, high=None, marker="dot"),
        Point(label="b", value=0.5, low=None, high=None, marker="square"),
        Point(label="c", value=0.5, low=None, high=None, marker="diamond"),
    )

    square, diamond = (re.sub(r"[^A-Z]", "", a["d"]) for a in page.all("path", class_="marker"))
    assert (len(page.all("circle")), square, diamond) == (1, "MHVHZ", "MLLLZ")


def test_an_undefined_point_says_so_and_the_axis_still_stands():
    page = draw_forest(Point(label="within", value=None, low=None, high=None))

    assert "not computed" in page.text
    assert "0.50" in page.text


def test_a_label_too_long_to_stand_beside_its_value_has_a_line_of_its_own_and_is_not_cut():
    long = "robust, labels corrected (0.92-0.95 / 0.97-0.99)"
    points = [Point(label=label, value=0.6, low=0.5, high=0.7) for label in ("short", long, "last")]
    page = Page(forest(points, name="f", title="Title", description="In words", reference=0.5))
    labels, values = ([float(one["y"]) for one in page.all("text", class_=name)] for name in ("label", "value"))

    assert long in page.text
    assert [below - above for above, below in itertools.pairwise(labels)] == [35, 50]
    assert [value - label for value, label in zip(values, labels, strict=True)] == [0, 15, 0]
    assert float(page.all("svg")[0]["viewbox"].split()[3]) == 4 + 35 + 50 + 35 + 24


def test_a_long_label_is_cut_with_an_ellipsis():
    assert shorten("a" * 50, 10) == "aaaaaaaaa…"
    assert shorten("short", 10) == "short"
