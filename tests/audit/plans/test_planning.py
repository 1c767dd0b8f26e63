"""How many patients would decide: the published orders of magnitude, and the root-n law."""

import pytest

from shortcut_audit.audit.plans.planning import patients_by_margin, patients_by_scaling


@pytest.mark.parametrize(("auroc", "expected"), [(0.80, 800), (0.90, 400), (0.95, 200)])
def test_a_pass_takes_about_800_400_and_200_patients_a_cell(auroc, expected):
    assert patients_by_margin(auroc, 0.05, 0.95) == pytest.approx(expected, rel=0.15)


def test_an_auroc_below_one_half_takes_as_many_as_its_mirror():
    assert patients_by_margin(0.2, 0.05, 0.95) == patients_by_margin(0.8, 0.05, 0.95)


def test_half_the_distance_takes_four_times_the_patients():
    near, far = (patients_by_scaling(100, half=0.1, distance=d, confidence=0.95) for d in (0.03, 0.06))

    assert near == pytest.approx(4 * far, rel=0.01)


def test_an_estimate_on_its_limit_has_a_finite_plan():
    assert patients_by_scaling(100, half=0.1, distance=0.0, confidence=0.95) < 25_000


def test_an_open_answer_always_needs_more_than_there_are():
    assert patients_by_scaling(100, half=0.01, distance=0.5, confidence=0.95) == 101


def test_no_plan_is_made_with_a_handful_of_patients():
    assert patients_by_scaling(3, half=0.3, distance=0.4, confidence=0.95) == 10


def test_more_rows_asked_at_once_take_more_patients():
    one, ten = (patients_by_scaling(100, half=0.1, distance=0.05, confidence=0.95, rows=rows) for rows in (1, 10))

    assert one < ten < 2 * one
