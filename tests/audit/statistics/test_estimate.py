"""Intervals: never of zero width, never outside what a number can be, and covering what they should."""

from dataclasses import replace

import numpy as np
import pytest
from audit_worlds import sampling
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, t

from shortcut_audit.audit.statistics.estimate import Contrast, Estimate, Undefined, clopper_pearson, fields, part_limits
from shortcut_audit.audit.statistics.metrics import auroc


def contrast(label, scores, *, clusters=None, positives=None, negatives=None, negative_scores=None):
    label = np.asarray(label, bool)
    clusters = np.arange(len(label)) if clusters is None else clusters
    rows = (label if positives is None else positives, ~label if negatives is None else negatives)
    drawn = sampling(clusters)
    part = auroc(np.flatnonzero(rows[0]), np.flatnonzero(rows[1]), drawn, np.asarray(scores, float), negative_scores)
    return Contrast(sampling=drawn, parts=((1.0, part),), rows=rows)


def pair_of_scores(rng, positives, negatives, *, skill, correlation):
    label = np.r_[np.ones(positives), np.zeros(negatives)].astype(bool)
    shared = np.sqrt(correlation) * rng.normal(size=len(label)) + skill * label
    drawn = sampling(np.arange(len(label)))
    found = []
    for _ in range(2):
        scores = shared + np.sqrt(1 - correlation) * rng.normal(size=len(label))
        part = auroc(np.flatnonzero(label), np.flatnonzero(~label), drawn, scores)
        found.append(Contrast(sampling=drawn, parts=((1.0, part),), rows=(label, ~label)))
    return found


def gap_of_cells(rng, counts, *, skill):
    label = np.r_[np.ones(counts[0] + counts[1]), np.zeros(counts[2] + counts[3])].astype(bool)
    tube = np.repeat([True, False, True, False], counts)
    scores = rng.normal(size=len(label)) + skill * label
    drawn = sampling(np.arange(len(label)))

    def pair(i, j):
        sides = label & (tube == i), ~label & (tube == j)
        part = auroc(np.flatnonzero(sides[0]), np.flatnonzero(sides[1]), drawn, scores)
        return Contrast(sampling=drawn, parts=((1.0, part),), rows=sides)

    return pair(1, 0) - pair(0, 1)


def test_one_auroc_has_a_logit_interval_with_t_and_half_a_patient_who_scores_like_the_other_class():
    """Half a patient more among 80 positives, by hand: its placements are even from 0 to 1."""
    rng = np.random.default_rng(0)
    label = np.arange(200) < 80
    found = contrast(label, rng.normal(size=200) + label)
    part = found.parts[0][1]
    placed = (np.arange(10**6) + 0.5) / 10**6

    estimate = found.estimate(0.95)

    variance = (80**2 * part.variance + 0.5 * np.mean((placed - part.value) ** 2)) / 80.5**2
    middle = (80 * part.value + 0.5 * placed.mean()) / 80.5
    half = t.ppf(0.975, part.df) * np.sqrt(variance) / (middle * (1 - middle))
    centre = np.log(middle / (1 - middle))
    assert [estimate.low, estimate.high] == pytest.approx([1 / (1 + np.exp(-centre + s * half)) for s in (1, -1)])
    assert estimate.method == "clustered by patient, logit, t"


def test_a_draw_without_the_rare_positives_that_score_low_still_holds_the_truth():
    """AUROC .97, 150 positives, 1.6 of them expected in the lowest of 5 levels; one draw in five has none there.

    Without the half patient the interval of such a draw begins above the truth.
    """
    positives, negatives = (0, 4, 12, 24, 110), (1044, 257, 134, 49, 16)
    label = np.arange(1650) < 150
    found = contrast(label, np.concatenate([np.repeat(range(5), counts) for counts in (positives, negatives)]))
    part = found.parts[0][1]

    bare = part_limits(replace(part, unseen=0.0), 0.95)

    assert bare[0] > 0.97
    assert found.limits(0.95)[0] < 0.97


@given(seed=st.integers(0, 10**6), skill=st.floats(-2, 4), confidence=st.sampled_from([0.8, 0.95, 0.999]))
@settings(max_examples=50, deadline=None)
def test_an_interval_holds_its_value_and_is_mirrored_by_a_label_swap(seed, skill, confidence):
    rng = np.random.default_rng(seed)
    label = np.arange(60) < rng.integers(2, 59)
    scores = np.round(rng.normal(size=60) + skill * label, 1)
    found = contrast(label, scores)

    low, high = found.limits(confidence)

    assert low <= found.value <= high
    assert contrast(~label, scores).limits(confidence) == pytest.approx((1 - high, 1 - low), abs=1e-9)


def test_copying_each_row_inside_its_patient_changes_no_limit():
    label, clusters = np.arange(90) < 30, np.arange(90) // 2
    scores = np.random.default_rng(0).normal(size=90) + label
    copied = contrast(np.tile(label, 4), np.tile(scores, 4), clusters=np.tile(clusters, 4))

    assert copied.limits(0.95) == pytest.approx(contrast(label, scores, clusters=clusters).limits(0.95), abs=1e-12)


def test_satterthwaite_lies_between_the_smaller_class_and_all_rows():
    label = np.arange(210) < 10
    part = contrast(label, np.random.default_rng(0).normal(size=210) + label).parts[0][1]

    assert 9 <= part.df <= 208


@given(n=st.integers(1, 200), share=st.floats(0, 1), confidence=st.sampled_from([0.9, 0.95, 0.99]))
@settings(max_examples=50, deadline=None)
def test_clopper_pearson_equals_scipy_for_whole_numbers(n, share, confidence):
    k = round(n * share)

    expected = binomtest(k, n).proportion_ci(confidence)

    assert clopper_pearson(k, n, confidence) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_a_perfect_ranking_has_an_exact_interval_on_the_patients_of_the_smaller_class():
    label = np.arange(60) < 20
    estimate = contrast(label, label * 1.0).estimate(0.95)

    assert (estimate.value, estimate.high) == (1.0, 1.0)
    assert estimate.low == pytest.approx(0.025 ** (1 / 20))
    assert estimate.method.endswith("logit, t, Clopper-Pearson where wider")


def test_scarce_errors_take_the_wider_of_both_intervals():
    label = np.arange(40) < 20
    scores = np.r_[np.arange(20) + 20, np.arange(20)].astype(float)
    scores[0] = 18.5
    part = contrast(label, scores).parts[0][1]

    low, high = part_limits(part, 0.95)

    exact = clopper_pearson(part.value * 20, 20, 0.95)
    assert part.smaller * part.value * (1 - part.value) < 2
    assert low <= exact[0]
    assert high >= exact[1]


def test_constant_scores_have_an_interval():
    low, high = contrast(np.arange(100) < 50, np.zeros(100)).limits(0.95)

    assert low < 0.4
    assert high > 0.6


def test_one_patient_on_a_side_has_an_exact_interval():
    low, high = contrast([1, 0, 0, 0], [3.0, 1.0, 2.0, 4.0]).limits(0.95)

    assert 0 < low < 0.1
    assert high > 0.99


def test_a_model_that_never_moves_has_the_interval_of_zero_in_n_patients():
    """A difference of exactly 0 in 50 patients is not a difference of 0 with certainty."""
    label = np.arange(250) < 50
    scores = np.random.default_rng(0).normal(size=250) + label
    one, two = contrast(label, scores), contrast(label, scores)

    estimate = (one - two).estimate(0.95)

    assert estimate.value == 0
    assert estimate.high == -estimate.low == pytest.approx(1 - 0.025 ** (1 / 50))


def test_copying_each_patient_narrows_by_the_root_of_two():
    label = np.arange(600) < 200
    scores = np.random.default_rng(0).normal(size=600) + label
    once = contrast(label, scores).estimate(0.95)
    twice = contrast(np.tile(label, 2), np.tile(scores, 2)).estimate(0.95)

    assert (once.high - once.low) / (twice.high - twice.low) == pytest.approx(np.sqrt(2), rel=0.01)


def test_independent_parts_come_close_to_mover_by_zou_and_donner():
    difference = gap_of_cells(np.random.default_rng(3), (100, 60, 60, 300), skill=1.2)
    (_, one), (_, two) = difference.parts
    (l1, u1), (l2, u2) = (part_limits(part, 0.95) for part in (one, two))
    mover = (
        difference.value - np.hypot(one.value - l1, u2 - two.value),
        difference.value + np.hypot(u1 - one.value, two.value - l2),
    )

    assert difference.limits(0.95) == pytest.approx(mover, abs=0.01)


def test_strongly_correlated_parts_have_the_width_of_their_difference():
    one, two = pair_of_scores(np.random.default_rng(0), 60, 600, skill=1.8, correlation=0.999)
    difference = one - two
    low, high = difference.limits(0.95)

    (_, part), _ = difference.parts
    half = t.ppf(0.975, part.df) * difference.standard_error * np.sqrt(part.spread / part.variance)
    assert high - low == pytest.approx(2 * half, rel=0.05)


def test_an_interval_stays_inside_what_the_number_can_be():
    label = np.arange(8) < 4
    low, high = (contrast(label, label * 1.0) - contrast(label, -1.0 * label)).limits(0.99)

    assert (low > -1, high) == (True, 1.0)


def test_sums_merge_equal_parts_and_drop_those_that_cancel():
    label = np.arange(40) < 20
    one, two = (contrast(label, np.random.default_rng(seed).normal(size=40)) for seed in (0, 1))

    total = 0.5 * (one - two) + 0.5 * (one + two)

    assert [coefficient for coefficient, _ in total.parts] == [1.0]
    assert total.value == pytest.approx(one.value)


def test_films_and_patients_of_a_sum_are_counted_once():
    label = np.arange(40) < 10
    one = contrast(label, np.arange(40.0), clusters=np.arange(40) // 2)
    tally = (one - contrast(label, -np.arange(40.0), clusters=np.arange(40) // 2)).tally

    assert (tally.n, tally.n_pos, tally.n_neg, tally.n_patients) == (40, 10, 30, 20)


def test_what_rests_on_an_undefined_part_is_undefined_for_its_reason():
    label = np.arange(10) < 5
    known = contrast(label, np.arange(10.0))
    missing = Contrast(sampling=known.sampling, reason="no tube", rows=(label, ~label))

    for broken in (known - missing, missing - known, 0.5 * missing):
        assert broken.estimate(0.95) == Undefined(reason="no tube", tally=known.tally)
    assert fields((known - missing).estimate(0.95)) == {
        "value": None, "low": None, "high": None, "method": "none", "reason": "no tube", "n": 10, "n_patients": 10
    }  # fmt: skip


@pytest.mark.parametrize(("low", "high", "place"), [
    (0.06, 0.2, "beyond"), (-0.2, -0.06, "beyond"), (-0.04, 0.04, "within"), (-0.05, 0.04, "across"),
    (0.05, 0.2, "across"), (-0.2, 0.2, "across"),
])  # fmt: skip
def test_an_interval_lies_beyond_within_or_across_a_margin(low, high, place):
    tally = contrast([1, 0], [1.0, 0.0]).tally
    estimate = Estimate(value=(low + high) / 2, low=low, high=high, confidence=0.95, tally=tally, method="")

    assert estimate.against(0.05) == place


@pytest.mark.parametrize("seed", range(5))
def test_p_is_the_level_at_which_the_interval_touches_the_margin(seed):
    rng = np.random.default_rng(seed)
    label = np.arange(300) < 100
    difference = contrast(label, rng.normal(size=300) + label) - contrast(label, rng.normal(size=300))

    p = difference.p_beyond(0.05)

    assert difference.limits(1 - 2 * p)[0] == pytest.approx(0.05, abs=1e-6)
    assert (p <= 0.025) == (difference.estimate(0.95).against(0.05) == "beyond")


def test_p_is_one_where_the_value_lies_within_or_is_undefined():
    label = np.arange(20) < 10
    one = contrast(label, np.arange(20.0))

    assert (one - one).p_beyond(0.05) == 1.0
    assert Contrast(sampling=one.sampling, reason="no", rows=one.rows).p_beyond(0.05) == 1.0


def test_p_has_a_floor_for_overwhelming_evidence():
    rng = np.random.default_rng(0)
    label = np.arange(40_000) < 20_000
    difference = contrast(label, rng.normal(size=40_000) + label) - contrast(label, rng.normal(size=40_000))

    assert difference.p_beyond(0.05) == 1e-12


def coverage_of_gap(counts, skill, replicates):
    rng = np.random.default_rng(1)
    limits = [gap_of_cells(rng, counts, skill=skill).limits(0.95) for _ in range(replicates)]
    return np.mean([low <= 0 <= high for low, high in limits])


def coverage_of_pair(positives, negatives, skill, correlation, replicates):
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(replicates):
        one, two = pair_of_scores(rng, positives, negatives, skill=skill, correlation=correlation)
        low, high = (one - two).limits(0.95)
        covered += low <= 0 <= high
    return covered / replicates


def test_the_gap_covers_in_a_small_simulation():
    assert coverage_of_gap((100, 40, 40, 300), 1.2, 200) >= 0.90


def test_a_paired_difference_covers_in_a_small_simulation():
    assert coverage_of_pair(60, 200, 1.2, 0.8, 200) >= 0.90


@pytest.mark.slow
@pytest.mark.parametrize("counts", [(333, 120, 192, 1306), (100, 30, 30, 300)])
@pytest.mark.parametrize("skill", [0.75, 1.2])
def test_the_gap_covers_93_to_97_percent(counts, skill):
    assert 0.93 <= coverage_of_gap(counts, skill, 2000) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("correlation", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("counts", [(60, 60), (60, 600), (300, 1000)])
def test_a_paired_difference_covers_93_to_97_percent(counts, correlation):
    assert 0.93 <= coverage_of_pair(*counts, 1.2, correlation, 2000) <= 0.97
