"""Errors in the attribute's labels: the forward model is undone exactly, and in simulation without bias."""

import re

import numpy as np
import polars as pl
import pytest
from audit_worlds import cells, question
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from shortcut_audit import audit_scores
from shortcut_audit.audit.attribute_labels.label_error import Quality, corrected_pair, unmixing
from shortcut_audit.audit.checks.label_error import label_error
from shortcut_audit.audit.statistics.estimate import Estimate
from shortcut_audit.errors import UsageError

PAIRS = [(0, 0), (0, 1), (1, 0), (1, 1)]
FAIR = Quality(sensitivity=0.9, specificity=0.95)


def true_films(seed, n=200):
    rng = np.random.default_rng(seed)
    label = rng.random(n) < 0.4
    tube = rng.random(n) < np.where(label, 0.6, 0.3)
    return label, tube, np.round(label + tube + rng.normal(size=n), 1)


def brute(positives, negatives):
    return np.mean((positives[:, None] > negatives) + 0.5 * (positives[:, None] == negatives))


def labelled_exactly(label, tube, score, quality):
    """Every film twice, once with each label of its tube, with the weight that this label has: no chance in it."""
    present = np.where(tube, quality.sensitivity, 1 - quality.specificity)
    weight = np.r_[present, 1 - present]
    return pl.DataFrame(
        {
            "sample_id": [f"s{i}" for i in range(2 * len(label))],
            "patient_id": [f"p{i}" for i in range(len(label))] * 2,
            "label": np.tile(label, 2).astype(int),
            "score": np.tile(score, 2),
            "weight": weight,
            "attribute.tube": np.repeat([1.0, 0.0], len(label)),
        }
    ).filter(pl.col("weight") > 0)


@given(seed=st.integers(0, 10**6), se=st.floats(0.7, 1), sp=st.floats(0.7, 1))
@settings(max_examples=40, deadline=None)
def test_the_known_table_comes_back_from_its_mislabelled_one(seed, se, sp):
    label, tube, score = true_films(seed)
    quality = Quality(sensitivity=se, specificity=sp)
    asked = question(labelled_exactly(label, tube, score, quality))

    for i, j in PAIRS:
        found = corrected_pair(asked, i, j, quality)
        truth = brute(score[label & (tube == i)], score[~label & (tube == j)])
        assert found.reason is not None or found.value == pytest.approx(truth, abs=1e-12)


def test_the_known_table_is_not_what_the_labels_show():
    label, tube, score = true_films(0)
    asked = question(labelled_exactly(label, tube, score, FAIR))

    found = corrected_pair(asked, 0, 1, FAIR)
    assert found.reason is None
    assert abs(found.value - asked.pair(0, 1).value) > 0.02


def test_a_matrix_by_hand():
    """Se .9, Sp .8, P(a*=1) .48: P(a=1) = .28 / .7 = .4; P(a=1 | a*=1) = .36 / .48; P(a=1 | a*=0) = .04 / .52."""
    mixing = np.array([[0.48 / 0.52, 0.04 / 0.52], [0.12 / 0.48, 0.36 / 0.48]])
    matrix, _ = unmixing(0.48, Quality(sensitivity=0.9, specificity=0.8))

    assert matrix @ mixing == pytest.approx(np.eye(2), abs=1e-12)


def test_the_derivative_by_the_labelled_rate_is_that_of_differences():
    step = 1e-6
    high, low = (unmixing(0.3 + side * step, FAIR)[0] for side in (1, -1))

    assert unmixing(0.3, FAIR)[1] == pytest.approx((high - low) / (2 * step), rel=1e-6)


@pytest.mark.parametrize(("i", "j"), PAIRS)
def test_labels_without_errors_change_neither_value_nor_interval(i, j):
    asked = question(cells({(0, 0): 80, (0, 1): 30, (1, 0): 25, (1, 1): 60}))
    found = corrected_pair(asked, i, j, Quality(sensitivity=1, specificity=1))

    assert found.value == pytest.approx(asked.pair(i, j).value, abs=1e-12)
    assert found.limits(0.95) == pytest.approx(asked.pair(i, j).limits(0.95), abs=1e-9)


def test_for_a_negative_association_sensitivity_is_that_of_the_presence_still():
    """The same films with the attribute's presence and absence exchanged, and with them Se and Sp."""
    films = cells({(0, 0): 80, (0, 1): 60, (1, 0): 70, (1, 1): 60})
    absent = films.with_columns((1 - pl.col("attribute.tube")).alias("attribute.tube"))
    swapped = question(absent, association="negative")

    value = corrected_pair(question(films), 0, 1, FAIR).value
    assert corrected_pair(swapped, 0, 1, FAIR.swapped).value == pytest.approx(value, abs=1e-12)


def mislabelled(seed, *, n=2000, films_per_patient=3, icc=0.5):
    """A cheat: true A01 is .362, its labels (Se .9, Sp .95) show about .51."""
    rng = np.random.default_rng(seed)
    patient = np.arange(n) // films_per_patient
    label = rng.random(n) < 0.4
    tube = rng.random(n) < np.where(label, 0.7, 0.2)
    noise = np.sqrt(icc) * rng.normal(size=n)[patient] + np.sqrt(1 - icc) * rng.normal(size=n)
    seen = np.where(tube, rng.random(n) < FAIR.sensitivity, rng.random(n) >= FAIR.specificity)
    return pl.DataFrame(
        {
            "sample_id": [f"s{i}" for i in range(n)], "patient_id": [f"p{i}" for i in patient],
            "label": label.astype(int), "score": label + 1.5 * tube + noise, "attribute.tube": seen.astype(float),
        }
    )  # fmt: skip


def simulate(sets, **kwargs):
    truth = {(i, j): norm.cdf((1 + 1.5 * (i - j)) / np.sqrt(2)) for i, j in ((0, 1), (1, 0))}
    truth["gap"] = truth[1, 0] - truth[0, 1]
    errors, covered = {name: [] for name in truth}, dict.fromkeys(truth, 0)
    for seed in range(sets):
        asked = question(mislabelled(seed, **kwargs))
        found = {(i, j): corrected_pair(asked, i, j, FAIR) for i, j in ((0, 1), (1, 0))}
        found["gap"] = found[1, 0] - found[0, 1]
        for name, contrast in found.items():
            estimate = contrast.estimate(0.95)
            assert isinstance(estimate, Estimate)
            errors[name].append(estimate.value - truth[name])
            covered[name] += estimate.low <= truth[name] <= estimate.high
    return {name: (np.mean(errors[name]), covered[name] / sets) for name in truth}


def test_in_500_sets_there_is_no_bias_and_the_intervals_cover():
    for bias, covered in simulate(500).values():
        assert abs(bias) < 0.005
        assert 0.93 <= covered <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("design", [{"films_per_patient": 1}, {"films_per_patient": 3}, {"n": 1000}])
def test_in_3000_sets_of_other_designs_too(design):
    for bias, covered in simulate(3000, **design).values():
        assert abs(bias) < 0.005
        assert 0.93 <= covered <= 0.975


@pytest.mark.parametrize(("quality", "message"), [
    (Quality(sensitivity=0.5, specificity=0.5), "sensitivity 0.5 and specificity 0.5 sum to 1 or less"),
    (Quality(sensitivity=0.9, specificity=0.7),
     "among negatives the attribute's label 1 has a share of 0.250, not clearly between 0.3 and 0.9"),
    (Quality(sensitivity=0.7, specificity=0.95),
     "among positives the attribute's label 1 has a share of 0.700, not clearly between 0.05 and 0.7"),
])  # fmt: skip
def test_error_rates_that_do_not_fit_give_no_number_and_say_why(quality, message):
    found = corrected_pair(question(cells({(0, 0): 90, (0, 1): 30, (1, 0): 30, (1, 1): 70})), 0, 1, quality)

    assert found.reason.startswith(message)


def test_an_empty_cell_gives_no_number_and_is_named():
    found = corrected_pair(question(cells({(0, 0): 90, (0, 1): 30, (1, 1): 70})), 1, 1, FAIR)

    assert found.reason == "the test set has no positives without tube"


def by_group(metrics, name):
    return {metric.group: metric for metric in metrics if metric.name == name}


def test_where_nothing_is_known_of_the_labels_two_qualities_are_tried():
    films = mislabelled(0)
    found = by_group(label_error(question(films)).metrics, "robust_auroc_noise_corrected")

    assert list(found) == ["labels:0.95:0.99", "labels:0.9:0.95"]
    raw = question(films).pair(0, 1).value
    assert found["labels:0.9:0.95"].value < found["labels:0.95:0.99"].value < raw


def test_what_is_known_of_the_labels_stands_in_their_place():
    quality = {"tube": {"sensitivity": 0.9, "specificity": 0.95}}
    found = by_group(
        label_error(question(mislabelled(0), attribute_quality=quality)).metrics, "robust_auroc_noise_corrected"
    )

    assert list(found) == ["labels:0.9:0.95"]


def test_over_ranges_the_interval_holds_for_every_corner():
    films = mislabelled(0)
    ranges = {"tube": {"sensitivity": [0.85, 0.95], "specificity": 0.95}}
    wide = by_group(label_error(question(films, attribute_quality=ranges)).metrics, "auroc_gap_noise_corrected")
    assert list(wide) == ["labels:0.85-0.95:0.95"]
    whole = wide["labels:0.85-0.95:0.95"]

    assert "lowest to highest limit over the ranges" in whole.method
    for sensitivity in (0.85, 0.9, 0.95):
        known = {"tube": {"sensitivity": sensitivity, "specificity": 0.95}}
        (one,) = by_group(
            label_error(question(films, attribute_quality=known)).metrics, "auroc_gap_noise_corrected"
        ).values()
        assert whole.low <= one.low < one.high <= whole.high
        assert sensitivity != 0.9 or whole.value == pytest.approx(one.value, abs=1e-12)


def test_a_range_with_an_impossible_corner_is_undefined():
    ranges = {"tube": {"sensitivity": 0.9, "specificity": [0.5, 0.95]}}
    found = label_error(question(mislabelled(0), attribute_quality=ranges)).metrics

    assert {metric.value for metric in found} == {None}
    assert "as these error rates demand" in found[0].reason


def test_it_describes_and_changes_no_verdict():
    plain, known = (
        audit_scores(mislabelled(1), spurious="tube", attribute_quality=quality)
        for quality in ({}, {"tube": {"sensitivity": 0.9, "specificity": 0.95}})
    )

    assert plain.verdicts == known.verdicts


def test_quality_of_an_attribute_that_nobody_asks_about_is_refused():
    message = (
        r"evaluate.attribute_quality names 'tub' \(did you mean 'tube'\?\), which is not asked about; asked for: tube"
    )
    with pytest.raises(UsageError, match=message):
        audit_scores(
            mislabelled(1), spurious="tube", attribute_quality={"tub": {"sensitivity": 0.9, "specificity": 0.9}}
        )


def test_a_range_from_high_to_low_is_refused():
    with pytest.raises(UsageError, match="a range goes from its lower to its upper end"):
        audit_scores(
            mislabelled(1), spurious="tube",
            attribute_quality={"tube": {"sensitivity": [0.9, 0.8], "specificity": 0.9}},
        )  # fmt: skip


@pytest.mark.parametrize("asked", ["site", "area", "tube+site"])
def test_quality_of_what_has_no_error_rates_of_its_own_is_refused(asked):
    films = mislabelled(1)
    rows = len(films)
    films = films.with_columns(
        pl.Series("attribute.site", ["a", "b", "c"] * rows)[:rows], pl.Series("attribute.area", range(rows)),
        pl.Series("split", ["train", "test"] * rows)[:rows],
    )  # fmt: skip
    quality = {asked: {"sensitivity": 0.9, "specificity": 0.9}}
    message = f"attribute_quality names '{asked}', which is asked by what it suggests and has no sensitivity and spec"
    with pytest.raises(UsageError, match=re.escape(message)):
        audit_scores(films, spurious=asked, attribute_quality=quality)
    value = {"site=a": {"sensitivity": 0.9, "specificity": 0.9}}
    assert audit_scores(films, spurious="site=a", attribute_quality=value).find("auroc_gap_noise_corrected")
