"""The stratified patient bootstrap: the draws are multinomial, and its AUROCs are those of the drawn samples."""

import numpy as np
import pytest
from audit_worlds import sampling
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, chisquare
from sklearn.metrics import roc_auc_score

from shortcut_audit.audit.statistics.bootstrap import (
    Resampling,
    auroc_statistic,
    percentile_limits,
    replicate,
    replicate_sums,
    resample,
)
from shortcut_audit.audit.statistics.metrics import auroc


def drawn(resampling):
    return np.concatenate(list(resampling.blocks()))


def plan(size, replicates):
    return Resampling(columns=np.arange(size), sizes=(size,), replicates=replicates)


def small(seed, *, levels=6, rows=60, patients=25):
    rng = np.random.default_rng(seed)
    label = rng.random(rows) < 0.4
    label[:2] = [True, False]
    score = rng.integers(0, levels, rows) + label
    return label, score.astype(float), sampling(np.append(rng.integers(0, patients, rows - 1), patients - 1))


# Sizes drawn patient by patient (20), nearly so (60) and almost wholly as Poisson counts (5,000).
@pytest.mark.parametrize(("size", "replicates"), [(20, 20_000), (60, 10_000), (5000, 300)])
def test_how_often_a_patient_is_drawn_is_binomial(size, replicates):
    counts = drawn(plan(size, replicates))
    seen = np.bincount(counts.ravel(), minlength=7)
    expected = binom.pmf(np.arange(6), size, 1 / size) * counts.size
    observed = np.append(seen[:6], seen[6:].sum())

    assert (counts.sum(axis=1) == size).all()
    assert chisquare(observed, np.append(expected, counts.size - expected.sum())).pvalue > 1e-4
    assert abs(counts[:, 0].mean() - 1) < 5 / np.sqrt(replicates)


def test_two_patients_crowd_each_other_out_as_in_a_multinomial():
    counts = drawn(plan(40, 40_000)).astype(float)

    assert np.cov(counts[:, 0], counts[:, 39])[0, 1] == pytest.approx(-1 / 40, abs=4 / np.sqrt(40_000))


def test_a_total_above_the_patients_is_drawn_anew(monkeypatch):
    monkeypatch.setattr("shortcut_audit.audit.statistics.bootstrap.MARGIN", 0.0)
    counts = drawn(plan(500, 400))

    assert (counts.sum(axis=1) == 500).all()
    assert counts.var() == pytest.approx(1 - 1 / 500, rel=0.02)


def test_patients_are_drawn_within_the_classes_they_hold():
    # Patients 0-4 hold positives, 5-11 negatives, 12-14 both; 15 holds no row that is used.
    clusters = np.array([*range(15), 12, 13, 14, 15])
    codes = np.array([1] * 5 + [0] * 7 + [1] * 3 + [0] * 3 + [-1])
    found = resample(sampling(clusters), codes, replicates=50)
    counts = drawn(found)

    assert sorted(found.sizes) == [3, 5, 7]
    assert found.columns[15] == -1
    for patients, size in ((range(5), 5), (range(5, 12), 7), (range(12, 15), 3)):
        assert (counts[:, found.columns[list(patients)]].sum(axis=1) == size).all()


def test_a_patient_alone_in_its_stratum_joins_the_largest():
    found = resample(sampling(np.arange(11)), np.array([1] + [0] * 10), replicates=200)

    assert found.sizes == (11,)
    assert len(set(drawn(found)[:, found.columns[0]].tolist())) > 1


@given(seed=st.integers(0, 10**6), weighted=st.booleans(), levels=st.sampled_from([2, 6, 10**6]))
@settings(max_examples=20, deadline=None)
def test_each_replicate_is_the_auroc_of_the_patients_drawn(seed, weighted, levels):
    label, score, drawn_by = small(seed, levels=levels)
    weights = np.random.default_rng(seed).random(len(label)) + 0.5 if weighted else np.ones(len(label))
    rows = sampling(drawn_by.clusters, weights)
    found = resample(rows, label.astype(int), replicates=5)
    positives, negatives = np.flatnonzero(label), np.flatnonzero(~label)
    areas = replicate(found, [auroc_statistic(positives, negatives, rows, score, found)])[:, 0]

    for counts, area in zip(drawn(found), areas, strict=True):
        times = counts[found.columns[rows.clusters]] * weights
        kept = times > 0
        assert area == pytest.approx(roc_auc_score(label[kept], score[kept], sample_weight=times[kept]), abs=1e-12)


def test_a_class_of_which_nobody_was_drawn_has_no_auroc():
    label = np.array([True] + [False] * 30)
    rows = sampling(np.arange(31))
    found = resample(rows, np.zeros(31, dtype=int), replicates=60)
    areas = replicate(found, [auroc_statistic(np.flatnonzero(label), np.flatnonzero(~label), rows, label * 1.0, found)])

    lost = drawn(found)[:, found.columns[0]] == 0
    assert lost.any()
    assert np.array_equal(np.isnan(areas[:, 0]), lost)


def test_statistics_of_one_plan_see_the_same_patients_however_many_there_are():
    label, score, rows = small(3)
    found = resample(rows, label.astype(int), replicates=40)
    one = auroc_statistic(np.flatnonzero(label), np.flatnonzero(~label), rows, score, found)
    turned = auroc_statistic(np.flatnonzero(~label), np.flatnonzero(label), rows, score, found)
    both = replicate(found, [one, turned])

    assert both.sum(axis=1) == pytest.approx(np.ones(40), abs=1e-12)
    assert np.array_equal(both[:, :1], replicate(found, [one]))


def test_sums_over_patients_are_those_of_the_patients_drawn():
    _, score, rows = small(4)
    found = resample(rows, np.where(score > 2, 0, -1), replicates=6)
    sums = np.bincount(rows.clusters, score * (score > 2), minlength=rows.n_clusters)[:, None]

    for counts, total in zip(drawn(found), replicate_sums(found, sums), strict=True):
        taken = found.columns >= 0
        assert total[0] == pytest.approx(counts[found.columns[taken]] @ sums[taken, 0], abs=1e-9)


def test_another_seed_draws_others_and_the_same_seed_the_same():
    first, again = drawn(plan(300, 10)), drawn(plan(300, 10))
    other = drawn(Resampling(columns=np.arange(300), sizes=(300,), replicates=10, seed=1))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("images", [1, 3])
def test_the_bootstrap_confirms_the_analytic_intervals_of_auroc_and_gap(images):
    rng = np.random.default_rng(images)
    patients = 700
    clusters = np.repeat(np.arange(patients), images)
    label = np.repeat(rng.random(patients) < 0.4, images)
    tube = rng.random(len(label)) < np.where(label, 0.6, 0.3)
    score = 1.2 * label + 0.5 * tube + np.repeat(rng.normal(size=patients), images) + rng.normal(size=len(label))
    rows = sampling(clusters)
    cells = [(label & tube, ~label & ~tube), (label & ~tube, ~label & tube)]
    sides = [tuple(np.flatnonzero(side) for side in cell) for cell in cells]
    found = resample(rows, 2 * label + tube, replicates=2000)
    areas = replicate(found, [auroc_statistic(*side, rows, score, found) for side in sides])
    aligned, robust = (auroc(*side, rows, score) for side in sides)
    gap = aligned.influence - robust.influence

    assert areas[:, 0].std() == pytest.approx(np.sqrt(aligned.variance), rel=0.1)
    assert (areas[:, 0] - areas[:, 1]).std() == pytest.approx(np.sqrt(gap @ gap), rel=0.1)


def test_the_levels_of_percentiles_expand_for_few_patients():
    replicates = np.random.default_rng(0).normal(size=200_000)
    many, few = (percentile_limits(replicates, 0.95, patients) for patients in (10_000, 10))

    assert many == pytest.approx((-1.96, 1.96), abs=0.03)
    # t quantile with 9 degrees of freedom 2.2622, times sqrt(10 / 9).
    assert few == pytest.approx((-2.3846, 2.3846), abs=0.05)
