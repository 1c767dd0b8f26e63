"""Means over images, with an interval that respects patients."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from shortcut_audit.audit.statistics.means import mean_metric

ABOUT = {"model": "m", "finding": "f", "attribute": "a", "group": "footprint:a", "name": "saliency_share"}


def mean_of(values, patients=None, labels=None, **changes):
    patients = patients or [f"p{n}" for n in range(len(values))]
    return mean_metric(values, patients, labels or [1] * len(values), **(ABOUT | changes))


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_with_one_image_a_patient_it_is_students_interval(confidence):
    values = np.random.default_rng(0).normal(size=23)
    found = mean_of(values.tolist(), confidence=confidence)
    expected = stats.t.interval(confidence, df=22, loc=values.mean(), scale=stats.sem(values))
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx(expected)
    assert (found.n, found.n_patients, found.confidence) == (23, 23, confidence)


def brute_force(values, patients):
    """Mean and standard error, a loop over patients: each image's deviation, summed within its patient."""
    mean = sum(values) / len(values)
    sums = [sum(v - mean for v, p in zip(values, patients, strict=True) if p == q) for q in set(patients)]
    groups = len(sums)
    return mean, (groups / (groups - 1) * sum(s**2 for s in sums)) ** 0.5 / len(values)


@given(
    rows=st.lists(st.tuples(st.floats(-5, 5), st.integers(0, 4)), min_size=2, max_size=30).filter(
        lambda rows: len({patient for _, patient in rows}) > 1
    )
)
def test_with_several_images_a_patient_it_is_the_clustered_interval(rows):
    values, patients = [v for v, _ in rows], [str(p) for _, p in rows]
    found = mean_of(values, patients)
    mean, error = brute_force(values, patients)
    half = stats.t.ppf(0.975, len(set(patients)) - 1) * error
    assert found.value == pytest.approx(mean, abs=1e-9)
    assert (found.low, found.high) == pytest.approx((mean - half, mean + half), abs=1e-9)
    assert found.n_patients == len(set(patients))


def test_the_same_image_ten_times_does_not_make_a_mean_more_certain():
    once = mean_of([0.1, 0.4, 0.3], list("abc"))
    often = mean_of([0.1, 0.4, 0.3] * 10, list("abc") * 10)
    assert (often.value, often.low, often.high) == pytest.approx((once.value, once.low, once.high))


def test_an_image_without_the_number_is_left_out_and_not_counted():
    found = mean_of([0.2, None, 0.4, None], list("abcd"), labels=[1, 1, 0, 0])
    assert found.value == pytest.approx(0.3)
    assert (found.n, found.n_pos, found.n_neg, found.n_patients) == (2, 1, 1, 2)


@pytest.mark.parametrize(
    ("values", "patients", "count"), [([], [], 0), ([None], ["a"], 0), ([0.1, 0.2], ["a", "a"], 1)]
)
def test_fewer_than_two_patients_give_no_number_but_a_reason(values, patients, count):
    found = mean_of(values, patients)
    assert (found.value, found.low, found.high) == (None, None, None)
    assert found.reason == f"{count} patients have such a value; two are needed"


def test_an_interval_ends_where_the_number_does():
    free, share = mean_of([0.0, 0.0, 0.4]), mean_of([0.0, 0.0, 0.4], bounds=(0.0, 1.0))
    assert free.low < 0 == share.low
    assert (share.value, share.high) == (free.value, free.high)
    assert mean_of([1.0, 1.0, 0.2], bounds=(0.0, 1.0)).high == 1
    assert mean_of([3.0, 0.1, 0.2], bounds=(0.0, math.inf)).high > 3


@pytest.mark.parametrize(("value", "low", "high"), [(1.0, 0.6915, 1.0), (0.0, 0.0, 0.3085)])
def test_a_share_that_all_images_have_alike_is_no_sure_thing(value, low, high):
    found = mean_of([value] * 10, bounds=(0.0, 1.0))
    assert (found.value, found.low, found.high) == pytest.approx((value, low, high), abs=1e-4)
    assert found.method == "all images alike: Clopper-Pearson over patients"


def test_the_metric_says_what_it_is_about():
    found = mean_of([0.1, 0.2], role="control")
    assert {key: getattr(found, key) for key in ABOUT} == ABOUT
    assert (found.role, found.method) == ("control", "clustered mean, t")
