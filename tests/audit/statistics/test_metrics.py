"""AUROC and its influence against brute force, scikit-learn and DeLong's formulas."""

import numpy as np
import pytest
from audit_worlds import sampling
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

from shortcut_audit.audit.statistics.metrics import (
    GAPS,
    auroc,
    count_distinct,
    count_patients,
    dense_ranks,
    dot,
    mid_ranks,
    pool,
)


def every_pair(high, low, high_weights, low_weights):
    wins = (high[:, None] > low[None]) + 0.5 * (high[:, None] == low[None])
    weights = high_weights[:, None] * low_weights[None]
    return (wins * weights).sum() / weights.sum()


def tied_table(seed, n=60, levels=5):
    rng = np.random.default_rng(seed)
    label = np.r_[[True, False], rng.random(n - 2) < 0.4]
    return rng, label, rng.integers(0, levels, n) + 0.0


def sides(label):
    return np.flatnonzero(label), np.flatnonzero(~label)


@pytest.mark.parametrize("seed", range(20))
def test_equals_a_count_over_all_pairs_with_ties_and_weights(seed):
    rng, label, scores = tied_table(seed)
    weights = rng.uniform(0.2, 3, len(label))

    found = auroc(*sides(label), sampling(np.arange(len(label)), weights), scores)

    expected = every_pair(scores[label], scores[~label], weights[label], weights[~label])
    assert found.value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_equals_scikit_learn(seed):
    rng, label, scores = tied_table(seed, n=500, levels=40)
    weights = rng.uniform(0.2, 3, len(label))

    found = auroc(*sides(label), sampling(np.arange(500), weights), scores)

    assert found.value == pytest.approx(roc_auc_score(label, scores, sample_weight=weights), abs=1e-12)


def test_one_image_a_patient_gives_delongs_variance_and_covariance():
    rng, label, first = tied_table(3, n=120, levels=9)
    second = first + rng.normal(size=120)
    both = [auroc(*sides(label), sampling(np.arange(120)), scores) for scores in (first, second)]

    covariance = np.zeros((2, 2))
    for side, other in ((label, ~label), (~label, label)):
        placements = np.array(
            [[((x > s[other]) + 0.5 * (x == s[other])).mean() for x in s[side]] for s in (first, second)]
        )
        covariance += np.cov(placements) / side.sum()

    found = np.array([[one.influence @ two.influence for two in both] for one in both])
    assert found == pytest.approx(covariance, rel=1e-12)


def test_clustered_variance_follows_obuchowski_by_hand():
    """Two patients with a positive and a negative each, one with a negative: S10/m^2, S01/n^2 and the cross term."""
    label = np.array([True, False, True, False, False])
    scores = np.array([3.0, 1.0, 2.0, 2.5, 0.0])
    found = auroc(*sides(label), sampling([0, 0, 1, 1, 2]), scores)

    area = 5 / 6
    positives = (np.array([1, 2 / 3, 0]) - area * np.array([1, 1, 0])) / 2 * np.sqrt(2)
    negatives = (np.array([1, 0.5, 1]) - area) / 3 * np.sqrt(3 / 2)
    assert found.value == pytest.approx(area)
    assert found.influence == pytest.approx(positives + negatives)
    assert found.smaller == 2


def test_copying_every_row_inside_its_patient_changes_nothing():
    _, label, scores = tied_table(1)
    clusters = np.arange(60) // 3
    once = auroc(*sides(label), sampling(clusters), scores)
    four = [np.tile(x, 4) for x in (label, scores, clusters)]

    copied = auroc(*sides(four[0]), sampling(four[2]), four[1])

    assert copied.value == pytest.approx(once.value, abs=1e-12)
    assert copied.influence == pytest.approx(once.influence, abs=1e-12)
    assert (copied.df, copied.smaller) == (pytest.approx(once.df), once.smaller)


def test_an_image_level_interval_on_four_copies_is_half_as_wide_which_is_the_error_we_prevent():
    _, label, scores = tied_table(1, n=400)
    once = auroc(*sides(label), sampling(np.arange(400)), scores)
    label4, scores4 = np.tile(label, 4), np.tile(scores, 4)

    wrong = auroc(*sides(label4), sampling(np.arange(1600)), scores4)

    assert np.sqrt(wrong.variance / once.variance) == pytest.approx(0.5, rel=0.01)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_does_not_change_under_a_monotone_transform(seed):
    _, label, scores = tied_table(seed)
    rows = sampling(np.arange(60))

    assert auroc(*sides(label), rows, scores).value == auroc(*sides(label), rows, np.exp(scores / 3)).value


@given(seed=st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_becomes_one_minus_itself_when_the_labels_are_swapped(seed):
    _, label, scores = tied_table(seed)
    rows = sampling(np.arange(60) // 2)
    straight, swapped = auroc(*sides(label), rows, scores), auroc(*sides(~label), rows, scores)

    assert swapped.value == pytest.approx(1 - straight.value, abs=1e-12)
    assert swapped.influence == pytest.approx(-straight.influence, abs=1e-12)


def test_a_value_below_one_half_is_not_folded():
    scores = np.array([0.0, 1.0, 2.0, 3.0])

    assert auroc(np.array([0, 1]), np.array([2, 3]), sampling([0, 1, 2, 3]), scores).value == 0.0


def test_negatives_may_be_scored_in_another_state():
    on, off = np.array([0.9, 0.8, 0.7]), np.array([0.1, 0.2, 0.3])

    assert auroc(np.array([0]), np.array([1, 2]), sampling([0, 1, 2]), off, on).value == 0.0


@given(seed=st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_the_whole_is_the_weighted_sum_of_the_four_pairs(seed):
    """AUROC = p1 p0 A11 + (1-p1)(1-p0) A00 + p1 (1-p0) A10 + (1-p1) p0 A01."""
    rng, label, scores = tied_table(seed)
    present = rng.random(60) < 0.5
    present[:4], label[:4] = [1, 0, 1, 0], [1, 1, 0, 0]
    rows = sampling(np.arange(60))
    a = {
        (i, j): auroc(
            np.flatnonzero(label & (present == i)), np.flatnonzero(~label & (present == j)), rows, scores
        ).value
        for i in (0, 1)
        for j in (0, 1)
    }
    p1, p0 = present[label].mean(), present[~label].mean()

    whole = auroc(*sides(label), rows, scores).value

    rebuilt = p1 * p0 * a[1, 1] + (1 - p1) * (1 - p0) * a[0, 0] + p1 * (1 - p0) * a[1, 0] + (1 - p1) * p0 * a[0, 1]
    assert whole == pytest.approx(rebuilt, abs=1e-12)


def test_one_patient_on_a_side_leaves_no_degrees_of_freedom():
    found = auroc(np.array([0, 1]), np.array([2, 3]), sampling([0, 0, 1, 2]), np.array([3.0, 1.0, 2.0, 0.0]))

    assert (found.df, found.smaller) == (0.0, 1)


def test_pooled_strata_are_the_weighted_mean_with_the_sum_of_their_variances():
    _, label, scores = tied_table(2, n=80)
    rows = sampling(np.arange(80))
    first = auroc(*(side[side < 40] for side in sides(label)), rows, scores)
    second = auroc(*(side[side >= 40] for side in sides(label)), rows, scores)

    pooled = pool([first, second], [0.25, 0.75], rows)

    assert pooled.value == pytest.approx(0.25 * first.value + 0.75 * second.value)
    assert pooled.variance == pytest.approx(first.variance / 16 + second.variance * 9 / 16)
    assert pooled.smaller == min(label.sum(), (~label).sum())


def test_patients_are_counted_once():
    assert count_patients(np.array([0, 1, 3]), sampling([0, 0, 1, 2])) == 2


@pytest.mark.parametrize("seed", range(3))
def test_numbers_are_counted_without_a_sort_as_with_one(seed):
    codes = np.random.default_rng(seed).integers(0, 30, 40)

    assert count_distinct(codes) == len(np.unique(codes))
    assert count_distinct(codes[:0]) == 0


def test_the_inner_product_is_that_of_numpy():
    one, other = np.random.default_rng(0).normal(size=(2, 50))

    assert dot(one, other) == pytest.approx(float(one @ other), rel=1e-12)


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=30))
def test_mid_ranks_are_those_of_scipy(values):
    scores = np.array(values, dtype=float)
    assert mid_ranks(scores).tolist() == rankdata(scores).tolist()


@pytest.mark.parametrize("few", [False, True])
def test_ranks_among_more_rows_give_the_very_numbers_of_the_scores(few):
    rng = np.random.default_rng(1)
    scores = rng.normal(size=2000).round(2 if not few else 12)
    ranks, size = dense_ranks(scores)
    rows = rng.permutation(2000)[: 40 if few else 900]
    positives, negatives = np.split(rows, [len(rows) // 3])
    drawn = sampling(rng.integers(0, 300, 2000), rng.uniform(0.5, 2, 2000))
    by_score, by_rank = (auroc(positives, negatives, drawn, one) for one in (scores, ranks))

    assert (size > GAPS * len(rows)) == few
    assert by_rank.value == by_score.value
    assert np.array_equal(by_rank.influence, by_score.influence)
    assert np.array_equal(mid_ranks(ranks[rows]), mid_ranks(scores[rows]))


def test_whole_numbers_that_are_no_ranks_are_sorted_as_any_others():
    ranks, size = dense_ranks(np.array([-3, 10**12, 10**12, 0]))

    assert ranks.tolist() == [0, 2, 2, 1]
    assert size == 3
    assert dense_ranks(np.zeros(0))[1] == 0
