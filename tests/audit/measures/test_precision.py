"""AUPRC at one prevalence: scikit-learn at the rows' own, hand-made and brute-force numbers at another."""

import numpy as np
import pytest
from audit_worlds import cells, question, sampling, world
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from shortcut_audit.audit.checks import CHECKS
from shortcut_audit.audit.measures.precision import average_precision
from shortcut_audit.audit.statistics.estimate import part_limits


def drawn(seed, rows, decimals=9):
    rng = np.random.default_rng(seed)
    label = rng.random(rows) < 0.4
    label[:2] = [True, False]
    return label, np.round(rng.normal(size=rows) + label, decimals), rng.random(rows) + 0.1


def estimate(label, score, prevalence, weights=None, clusters=None):
    rows = sampling(np.arange(len(label)) if clusters is None else clusters, weights)
    return average_precision(np.flatnonzero(label), np.flatnonzero(~label), rows, score, prevalence)


def asked(frame, **limits):
    return {metric.group: metric for metric in CHECKS.get("auprc")(question(frame, **limits)).metrics}


@given(seed=st.integers(0, 10**6), rows=st.integers(4, 80), decimals=st.sampled_from([0, 1, 9]))
@settings(max_examples=40, deadline=None)
def test_at_their_own_prevalence_it_is_average_precision(seed, rows, decimals):
    label, score, weights = drawn(seed, rows, decimals)
    found = estimate(label, score, weights[label].sum() / weights.sum(), weights)

    assert found.value == pytest.approx(average_precision_score(label, score, sample_weight=weights), abs=1e-12)


@given(seed=st.integers(0, 10**6), prevalence=st.floats(0.01, 0.99))
@settings(max_examples=25, deadline=None)
def test_at_another_prevalence_it_is_that_of_negatives_weighed_to_it(seed, prevalence):
    label, score, _ = drawn(seed, 50, 1)
    heavy = np.where(label, prevalence / label.sum(), (1 - prevalence) / (~label).sum())

    expected = average_precision_score(label, score, sample_weight=heavy)
    assert estimate(label, score, prevalence).value == pytest.approx(expected, abs=1e-12)


def test_by_hand():
    """Scores 4 (+), 3 (-), 2 (+), 1 (-) at a prevalence of .2: precision 1, then .2 / (.2 + .8 / 2)."""
    found = estimate(np.array([True, False, True, False]), np.array([4.0, 3, 2, 1]), 0.2)

    assert found.value == pytest.approx((1 + 0.2 / 0.6) / 2, abs=1e-12)


def test_the_influence_is_what_the_value_moves_by_when_a_patient_counts_more():
    label, score, weights = drawn(5, 60, 1)
    clusters = np.arange(60) // 2
    found, step = estimate(label, score, 0.3, weights, clusters), 1e-6
    for patient in range(30):
        moved = estimate(label, score, 0.3, weights * np.where(clusters == patient, 1 + step, 1), clusters)
        slope = (moved.value - found.value) / step
        # Each side is scaled by the root of g / (g - 1), which is small.
        assert found.influence[patient] == pytest.approx(slope, rel=0.05, abs=1e-4)


def test_the_standard_error_is_the_spread_over_samples():
    samples = [estimate(*drawn(seed, 400)[:2], 0.2) for seed in range(300)]

    assert np.mean([np.sqrt(one.variance) for one in samples]) == pytest.approx(
        np.std([one.value for one in samples]), rel=0.1
    )


def test_the_interval_covers_the_truth():
    label, score, _ = drawn(0, 10**6)
    truth = estimate(label, score, 0.2).value
    limits = [part_limits(estimate(*drawn(seed, 150)[:2], 0.2), 0.95) for seed in range(300)]

    assert 0.92 < np.mean([low <= truth <= high for low, high in limits]) < 0.98


def test_copies_of_an_image_change_nothing():
    label, score, _ = drawn(6, 80)
    once = estimate(label, score, 0.3)
    thrice = estimate(*(np.repeat(column, 3) for column in (label, score)), 0.3, clusters=np.repeat(np.arange(80), 3))

    assert (thrice.value, thrice.variance) == pytest.approx((once.value, once.variance), abs=1e-12)


def test_groups_are_brought_to_the_prevalence_of_the_test_set():
    frame = world(1, n=3000)
    prevalence = frame["label"].mean()
    found = asked(frame)
    inside = frame.filter(frame["attribute.tube"] == 1)
    label, score = inside["label"].to_numpy() == 1, inside["score"].to_numpy()

    assert found["all"].value == pytest.approx(average_precision_score(frame["label"], frame["score"]), abs=1e-12)
    assert found["within:1"].value == pytest.approx(estimate(label, score, prevalence).value, abs=1e-12)
    assert found["within:1"].value < average_precision_score(label, score) - 0.02
    assert found["within:1"].method.endswith(f"at a prevalence of {prevalence:.4g}")


def test_the_prevalence_of_the_place_of_use_can_be_named():
    found = asked(world(1, n=3000), prevalence=0.1)

    assert found["all"].method.endswith("at a prevalence of 0.1")
    assert found["all"].value < asked(world(1, n=3000))["all"].value


@pytest.mark.parametrize(("counts", "options", "reason"), [
    ({(1, 1): 9, (0, 0): 90}, {}, "9 patients in the positives, under 10"),
    ({(1, 1): 90, (0, 0): 9}, {}, "9 patients in the negatives, under 10"),
    ({(1, 1): 90, (0, 0): 90}, {"prevalence": 0.1}, ""),
    ({(1, 1): 90, (0, 0): 89}, {"prevalence": 0.1}, "89 patients in the negatives; a prevalence of 0.1 needs 90"),
])  # fmt: skip
def test_too_few_to_see_rare_false_alarms_is_undefined(counts, options, reason):
    found = asked(cells(counts), **options)["all"]

    assert (found.reason or "") == reason
    assert (found.value is None) == bool(reason)


def test_without_test_rows_there_is_none_and_no_warning():
    frame = world(0, n=60, split="val")
    found = CHECKS.get("auprc")(question(frame)).metrics

    assert {metric.group: metric.reason for metric in found} == dict.fromkeys(
        ("all", "within:1", "within:0"), "there are no test rows"
    )
