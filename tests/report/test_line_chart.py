"""A line with its band is true to scale."""

from __future__ import annotations

import re

import pytest
from read_page import Page

from shortcut_audit.audit.result.numbers import CurvePoint
from shortcut_audit.report.figures import SIDE, WIDTH
from shortcut_audit.report.line_chart import HEIGHT, TOP, Mark, line_chart

POINTS = [CurvePoint(x=x, value=0.6 + 0.2 * x, low=0.5, high=0.9) for x in (0.0, 0.5, 1.0)]


def draw(points=POINTS, **options):
    return Page(line_chart(points, name="c", title="Title", description="In words", x_label="share", **options))


def corners(page, class_):
    (path,) = page.all("path", class_=class_)
    return [tuple(float(part) for part in pair.split()) for pair in re.split("[MLZ]", path["d"]) if pair]


def test_a_line_chart_is_an_image_with_title_description_and_what_runs_along_it():
    page = draw()

    (chart,) = page.all("svg")
    assert (chart["role"], chart["aria-labelledby"], chart["aria-describedby"]) == ("img", "c.title", "c.desc")
    assert "In words" in page.text
    assert "share" in page.text


def test_line_and_band_are_to_scale():
    page = draw()
    line, band = corners(page, "whisker"), corners(page, "band")

    assert [x for x, _ in line] == pytest.approx([SIDE, WIDTH / 2, WIDTH - SIDE])
    # From .6 over .7 to .8 in a band from .5 to .9: a quarter, a half, three quarters of the way down.
    top, bottom = min(y for _, y in band), max(y for _, y in band)
    assert [y for _, y in line] == pytest.approx(
        [bottom - share * (bottom - top) for share in (0.25, 0.5, 0.75)], abs=0.1
    )
    assert len(band) == 6


def test_a_mark_lies_on_its_value_and_the_reference_on_its_height():
    page = draw(marks=[Mark(x=0.5, value=0.7, marker="dot")], reference=0.7)
    (mark,) = page.all("circle", class_="marker")
    (reference,) = page.all("path", class_="reference")

    assert (float(mark["cx"]), float(mark["cy"])) == pytest.approx(corners(page, "whisker")[1], abs=0.1)
    assert float(re.match(r"M[\d.]+ ([\d.]+)H", reference["d"])[1]) == float(mark["cy"])


def test_an_area_has_no_axis_above_1():
    page = draw([CurvePoint(x=x, value=0.98, low=0.96, high=0.999) for x in (0.0, 1.0)])

    assert "1.00" in page.text
    assert "1.05" not in page.text
    assert min(y for _, y in corners(page, "band")) >= TOP
    assert max(y for _, y in corners(page, "band")) <= TOP + HEIGHT


def test_without_a_reference_there_is_no_dashed_line():
    assert not draw().all("path", class_="reference")
