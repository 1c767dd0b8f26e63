"""How numbers are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.report.numbers import (
    count,
    counted,
    estimate,
    in_words,
    interval,
    missing,
    number,
    sample_size,
    signed,
)


def metric(value: float | None, low: float | None, high: float | None, **fields) -> Metric:
    counts = {"n": 1400, "n_pos": 1, "n_neg": 2, "n_patients": 1}
    about = {"model": "m", "finding": "f", "attribute": "a", "group": "all", "name": "auroc", "method": "t"}
    reason = None if value is not None else "one class only"
    return Metric(**about, **counts, **{"value": value, "low": low, "high": high, "reason": reason, **fields})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.9123, "0.912"),
        (0.5, "0.500"),
        (-0.0504, "−0.050"),
        (-0.0001, "0.000"),
        (9.9999, "10.000"),
        (12.0, "12"),
        (123.456, "123.5"),
        (1234.5, "1,234"),
        (-1234567.0, "−1,234,567"),
    ],
)
def test_a_number_has_three_decimals_or_four_significant_digits_and_a_real_minus(value, text):
    assert number(value) == text


@given(st.floats(-1e9, 1e9))
def test_no_number_is_written_with_an_exponent_a_hyphen_or_a_negative_zero(value):
    text = number(value)

    assert set(text) <= set("0123456789.,−")
    assert text not in {"−0.000", "−0"}


@given(st.floats(-9.99, 9.99))
def test_a_number_is_read_back_within_half_of_its_last_digit(value):
    assert abs(float(number(value).replace("−", "-")) - value) <= 0.0005 + 1e-9


def test_a_difference_shows_its_sign_and_zero_has_none():
    assert [signed(0.25), signed(-0.25), signed(0.0)] == ["+0.250", "−0.250", "0.000"]


def test_counts_have_commas_and_the_right_number():
    assert count(1400) == "1,400"
    assert [counted(1, "image"), counted(2, "image"), counted(0, "case")] == ["1 image", "2 images", "0 cases"]


def test_an_interval_names_its_level_and_both_limits():
    found = metric(0.71, 0.64, -0.78, confidence=0.9)

    assert interval(found).replace("\u00a0", " ") == "90 % CI 0.640 to −0.780"


def test_an_interval_with_one_side_or_none_says_so():
    assert interval(metric(1.0, 0.97, None)).endswith("CI from 0.970")
    assert interval(metric(0.0, None, 0.03)).endswith("CI up to 0.030")
    assert interval(metric(0.5, None, None)) == "no interval"


def test_an_undefined_number_gives_its_reason():
    assert in_words(metric(None, None, None)) == "not computed (one class only)"
    assert in_words(None) == missing(None) == "not computed (not part of this audit)"
    assert "one class only" in estimate(metric(None, None, None))


def test_a_defined_number_stands_beside_its_interval():
    assert in_words(metric(0.71, 0.64, 0.78)).replace("\u00a0", " ") == "0.710 (95 % CI 0.640 to 0.780)"


def test_the_sample_size_names_images_and_patients():
    assert sample_size(metric(0.5, None, None)).replace("\u00a0", " ") == "n 1,400 · 1 patient"
