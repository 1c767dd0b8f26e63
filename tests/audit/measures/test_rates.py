"""Proportions with their influence per patient, against hand, brute force and scipy."""

import numpy as np
import polars as pl
import pytest
from audit_worlds import cells, question, sampling, world
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from shortcut_audit.audit.measures.rates import proportion, share, share_of_cell
from shortcut_audit.audit.statistics.estimate import Contrast, Estimate, Undefined


def contrast(part, rows):
    nobody = np.zeros(len(part.influence), dtype=bool)
    return Contrast(sampling=rows, parts=((1.0, part),), rows=(nobody, nobody))


def of_all(hits, clusters=None, weights=None):
    hits = np.asarray(hits, dtype=bool)
    rows = sampling(np.arange(len(hits)) if clusters is None else clusters, weights)
    part = proportion(np.arange(len(hits)), hits, rows)
    return part, contrast(part, rows)


def test_one_row_a_patient_is_students_interval_on_the_logit_scale_by_hand():
    """12 of 30: variance p (1 - p) / 29, 29 degrees of freedom."""
    part, number = of_all([1] * 12 + [0] * 18)

    assert (part.value, part.df, part.smaller) == (0.4, 29, 30)
    assert part.variance == pytest.approx(0.4 * 0.6 / 29, rel=1e-12)
    half = stats.t.ppf(0.975, 29) * np.sqrt(0.24 / 29) / 0.24
    expected = 1 / (1 + np.exp(-(np.log(0.4 / 0.6) + np.array([-half, half]))))
    assert number.limits(0.95) == pytest.approx(tuple(expected), rel=1e-12)


def by_loop(hits, clusters, weights):
    """Value and variance, a loop over patients: sums of w (hit - p), squared, times g / (g - 1) / W^2."""
    total = sum(weights)
    value = sum(w * h for w, h in zip(weights, hits, strict=True)) / total
    rows = list(zip(hits, clusters, weights, strict=True))
    sums = [sum(w * (h - value) for h, c, w in rows if c == patient) for patient in set(clusters)]
    groups = len(sums)
    return value, groups / max(groups - 1, 1) * sum(s**2 for s in sums) / total**2


@given(rows=st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.floats(0.1, 5)), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_equals_a_loop_over_patients_with_weights(rows):
    hits, clusters, weights = zip(*rows, strict=True)
    part, number = of_all(hits, clusters, weights)
    value, variance = by_loop(hits, clusters, weights)

    assert part.value == pytest.approx(value, abs=1e-12)
    assert part.variance == pytest.approx(variance, abs=1e-12)
    low, high = number.limits(0.95)
    assert 0 <= low <= part.value <= high <= 1
    assert low < high


@pytest.mark.parametrize("n", [1, 2, 5, 40])
@pytest.mark.parametrize("all_hit", [True, False])
def test_all_or_none_have_clopper_pearsons_interval_on_patients(n, all_hit):
    """Three images a patient, all alike: the interval is that of n patients, not of 3 n images."""
    part, number = of_all([all_hit] * 3 * n, np.repeat(np.arange(n), 3))

    exact = stats.binomtest(n * all_hit, n).proportion_ci(0.95, method="exact")
    assert part.value == float(all_hit)
    assert number.limits(0.95) == pytest.approx((exact.low, exact.high), rel=1e-9)


def test_few_hits_have_the_wider_of_both_intervals():
    """1 of 40: n p (1 - p) = .975 is under 2."""
    _, number = of_all([1] + [0] * 39)
    exact = stats.binomtest(1, 40).proportion_ci(0.95, method="exact")

    low, high = number.limits(0.95)
    assert low <= exact.low + 1e-12
    assert high >= exact.high - 1e-12
    assert "Clopper-Pearson" in number.estimate(0.95).method


def test_copying_rows_inside_their_patient_changes_nothing_and_copying_patients_narrows_by_the_root():
    rng = np.random.default_rng(0)
    hits, clusters = rng.random(900) < 0.3, np.arange(900) // 3
    once, _ = of_all(hits, clusters)
    inside, _ = of_all(np.tile(hits, 2), np.tile(clusters, 2))
    patients, _ = of_all(np.tile(hits, 2), np.concatenate([clusters, clusters + 300]))

    assert (inside.value, inside.df) == (pytest.approx(once.value), once.df)
    assert inside.variance == pytest.approx(once.variance, rel=1e-12)
    assert patients.variance / once.variance == pytest.approx(0.5, rel=0.01)


def test_a_difference_of_two_independent_proportions_is_movers():
    """Close to the limits of Zou and Donner 2008 from the two logit limits (estimate.py says why not equal)."""
    hits = np.array([1] * 60 + [0] * 40 + [1] * 30 + [0] * 70, dtype=bool)
    rows = sampling(np.arange(200))
    one, two = (proportion(np.arange(start, start + 100), hits, rows) for start in (0, 100))
    found = (contrast(one, rows) - contrast(two, rows)).estimate(0.95)
    (l1, u1), (l2, u2) = (contrast(part, rows).limits(0.95) for part in (one, two))

    assert found.value == pytest.approx(0.3)
    assert found.low == pytest.approx(0.3 - np.hypot(0.6 - l1, u2 - 0.3), abs=5e-3)
    assert found.high == pytest.approx(0.3 + np.hypot(u1 - 0.6, 0.3 - l2), abs=5e-3)


def test_a_difference_within_the_same_patients_uses_their_covariance():
    """Each patient has a row of both kinds, nearly always alike: the difference is far better known."""
    rng = np.random.default_rng(1)
    same = rng.random(150) < 0.5
    other = np.where(rng.random(150) < 0.05, ~same, same)
    hits = np.concatenate([same, other])
    paired, apart = sampling(np.tile(np.arange(150), 2)), sampling(np.arange(300))
    widths = []
    for rows in (paired, apart):
        one, two = (contrast(proportion(np.arange(s, s + 150), hits, rows), rows) for s in (0, 150))
        low, high = (one - two).limits(0.95)
        widths.append(high - low)

    assert widths[0] < 0.5 * widths[1]


def test_a_difference_between_all_and_none_is_defined_and_has_a_width():
    hits = np.array([True] * 20 + [False] * 20)
    rows = sampling(np.arange(40))
    one, two = (contrast(proportion(np.arange(s, s + 20), hits, rows), rows) for s in (0, 20))
    found = (one - two).estimate(0.95)

    assert found.value == 1
    assert 0.6 < found.low < 0.9
    assert found.high == 1


@pytest.mark.parametrize("factor", [0.03, 40.0, -2.0])
@pytest.mark.parametrize("hits", [[1] * 12 + [0] * 18, [1] * 30])
def test_a_multiple_of_a_proportion_has_the_multiple_of_its_interval(factor, hits):
    _, number = of_all(hits)

    scaled = sorted(factor * limit for limit in number.limits(0.95))
    assert (factor * number).limits(0.95) == pytest.approx(tuple(scaled), rel=1e-12)


def test_a_share_counts_its_own_rows_and_says_why_there_is_none():
    asked = question(world(n=200))
    among, nobody = asked.test & asked.label, np.zeros_like(asked.test)
    found = share(asked, among, asked.score > 0.5, "").estimate(0.95)
    empty = share(asked, nobody, asked.score > 0.5, "there is nobody").estimate(0.95)

    assert isinstance(found, Estimate)
    assert (found.tally.n_pos, found.tally.n_neg) == (asked.label.sum(), 0)
    assert isinstance(empty, Undefined)
    assert (empty.reason, empty.tally.n) == ("there is nobody", 0)


def test_an_empty_cell_is_named():
    asked = question(cells({(1, 1): 5, (0, 1): 5, (0, 0): 5}))

    assert share_of_cell(asked, asked.score > 0, 1, 0).reason == "the test set has no positives without tube"
    assert share_of_cell(asked, asked.score > 0, 0, 1).reason is None


def test_an_empty_cell_of_a_composite_is_named_by_what_it_suggests():
    train = cells({(1, 1): 30, (1, 0): 5, (0, 1): 5, (0, 0): 30}).with_columns(
        pl.lit("train").alias("split"), pl.format("t{}", "sample_id").alias("sample_id")
    )
    test = cells({(1, 1): 5, (0, 1): 5, (0, 0): 5}).with_columns(pl.lit("test").alias("split"))
    site = pl.when(pl.col("attribute.tube") == 1).then(pl.lit("a")).otherwise(pl.lit("b")).alias("attribute.site")
    asked = question(pl.concat([train, test.select(train.columns)]).with_columns(site), "site")

    assert share_of_cell(asked, asked.score > 0, 1, 0).reason == (
        "the test set has no positives where site speaks against the finding"
    )
