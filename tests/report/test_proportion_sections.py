"""What the sections on sites, baselines and cases to read again say."""

from __future__ import annotations

import pytest
from fake_audit import empty_result, full_result
from read_page import Page

from shortcut_audit.report.figures import SIDE, WIDTH
from shortcut_audit.report.sections import SECTIONS


def page_of(name, result=None):
    return Page(SECTIONS.get(name).body(result or full_result()))


def without(metric):
    result = full_result()
    return result.model_copy(update={"metrics": tuple(one for one in result.metrics if one.name != metric)})


def test_the_projection_says_what_it_takes_for_granted_and_which_band_it_is():
    text = page_of("projection").text

    assert "is a projection" in text
    assert "independent of the site given label and attribute" in text
    assert "The band holds for the whole line at once" in text


def test_a_model_without_a_curve_says_why():
    page = page_of("projection")

    assert len(page.all("svg")) == 3
    assert "not computed (the test set has no positives without chest_tube)" in page.text


def test_the_two_rates_of_the_test_set_are_marked_with_a_dot_and_a_square():
    page = page_of("projection")
    dots = page.all("circle", class_="marker")
    expected = SIDE + 0.128 * (WIDTH - 2 * SIDE)

    assert len(dots) == 3
    assert float(dots[0]["cx"]) == pytest.approx(expected, abs=0.06)
    assert len(page.all("path", class_="marker")) == 3


def test_the_reference_of_an_inflation_is_always_named():
    text = page_of("projection").text

    assert "at the rate of the negatives" in text
    assert "at the rate of the positives" in text


def test_baselines_stand_beside_the_gap_and_chance_is_no_confidence_interval():
    text = page_of("baselines").text

    assert "95 % of exchanges −0.023 to 0.025" in text
    assert "reversed by design they rank the wrong way round" in text
    assert "by ecg leads" in text
    assert "reader anna" in text


def test_without_readers_and_other_attributes_the_reason_is_said():
    assert "No reader's scores are in the table" in page_of("baselines", without("reader_auroc")).text
    assert "no further attribute of 0 and 1" in page_of("baselines", without("other_gap")).text


def test_cases_to_read_again_are_numbers_with_their_count():
    text = page_of("reread").text

    assert "re-read 0001, re-read 0002" in text
    assert "their ids are in cases.csv" in text
    assert "segmenter" not in text


def test_without_a_fail_there_is_nothing_to_read_again():
    assert "No verdict is a FAIL" in page_of("reread", empty_result()).text


def test_a_fail_that_hangs_on_no_label_says_so():
    result = full_result()
    kept = [one for one in result.metrics if one.name != "fragility_index"]
    index = next(one for one in result.metrics if one.name == "fragility_index" and one.model == "classifier")
    stays = index.model_copy(update={"value": None, "low": None, "high": None, "reason": "it stays a FAIL"})
    text = page_of("reread", result.model_copy(update={"metrics": (*kept, stays), "rereads": ()})).text

    assert "not computed (it stays a FAIL)" in text
    assert "none" in text
