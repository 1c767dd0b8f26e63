"""Every section keeps its promises: it shows something, always, and the same thing twice."""

from __future__ import annotations

import re

import pytest
from fake_audit import empty_result, full_result
from read_page import Page

from shortcut_audit.report.sections import SECTIONS, ordered_sections

EXPECTED = [
    "verdict", "checks", "decomposition", "casemix", "projection", "groups", "worst", "operating", "patients",
    "calibration", "cells", "pairs", "gallery", "reread", "saliency", "compared", "seeds", "baselines", "controls",
    "data", "numbers", "plan", "method", "reproduce",
]  # fmt: skip


@pytest.fixture(params=SECTIONS.names())
def section(request):
    return SECTIONS.get(request.param)


def test_the_sections_stand_in_the_order_of_the_page():
    assert [section.name for section in ordered_sections()] == EXPECTED


def test_no_two_sections_claim_the_same_place():
    orders = [section.order for section in ordered_sections()]
    assert len(set(orders)) == len(orders)


def test_every_section_is_described_in_one_line():
    for name, line in SECTIONS.describe():
        assert line.endswith("."), f"section {name}"
        assert line != SECTIONS.get.__doc__


def test_a_section_is_named_as_an_id_and_has_a_title(section):
    assert re.fullmatch(r"[a-z]+", section.name)
    assert section.title[0].isupper()


@pytest.mark.parametrize("result", [full_result(), empty_result()], ids=["full", "empty"])
def test_a_section_always_shows_words_in_closed_elements(section, result):
    page = Page(section.body(result))

    assert len(page.text.split()) >= 4
    assert len(set(page.ids)) == len(page.ids)


def test_a_section_gives_the_same_twice(section):
    assert section.body(full_result()) == section.body(full_result())


def test_every_chart_of_a_section_has_its_numbers_in_a_table(section):
    page = Page(section.body(full_result()))

    if page.all("svg"):
        assert page.all("table")
    for chart in page.all("svg"):
        assert chart["role"] == "img"
        assert {chart["aria-labelledby"], chart["aria-describedby"]} <= set(page.ids)
