"""Brier score and calibration error against hand-made numbers and populations with a known truth."""

import numpy as np
import polars as pl
import pytest
from audit_worlds import question, sampling, table, world
from sklearn.metrics import brier_score_loss

from shortcut_audit.audit.checks import CHECKS
from shortcut_audit.audit.measures.calibration import MOST_UNITS, brier, ece, equal_mass_bins, forecasts
from shortcut_audit.audit.statistics.estimate import Tally, clopper_pearson
from shortcut_audit.audit.table.units import collapse
from shortcut_audit.errors import InputError

TALLY = Tally(n_pos=1, n_neg=1, n_patients=2)


def cut(score, label, clusters=None, weights=None):
    score, label = np.asarray(score, float), np.asarray(label, bool)
    clusters = np.arange(len(score)) if clusters is None else clusters
    return forecasts(np.ones(len(score), bool), score, label, sampling(clusters, weights))


def drawn(seed, n, *, truth=lambda score: score):
    rng = np.random.default_rng(seed)
    score = rng.beta(0.8, 2.0, n)
    return score, rng.random(n) < truth(score)


def asked(frame, **limits):
    metrics = CHECKS.get("calibration")(question(frame, **limits)).metrics
    return {(metric.name, metric.group): metric for metric in metrics}


def probabilities(n=600, scale="probability", score=None):
    """A world whose score is its own probability; without a column ``scale`` where that is None."""
    found, label = drawn(0, n)
    frame = world(0, n=n, paired=False).with_columns(
        pl.Series("score", found if score is None else score), pl.Series("label", label.astype(int))
    )
    return frame if scale is None else frame.with_columns(pl.lit(scale).alias("scale"))


def test_brier_is_the_weighted_mean_square():
    score, label = drawn(0, 200)
    weights = np.random.default_rng(1).random(200) + 0.5

    found = brier(cut(score, label, weights=weights), 0.95, TALLY)

    assert found.value == pytest.approx(brier_score_loss(label, score, sample_weight=weights), abs=1e-12)
    assert found.low < found.value < found.high


def test_the_brier_interval_is_that_of_the_mean_over_patients():
    score, label = (np.repeat(column, 4) for column in drawn(0, 300))
    fourfold = brier(cut(score, label, np.repeat(np.arange(300), 4)), 0.95, TALLY)
    losses = (score[::4] - label[::4]) ** 2

    assert fourfold.high - fourfold.low == pytest.approx(2 * 1.96 * losses.std() / np.sqrt(300), rel=0.1)


def test_ece_by_hand_in_two_bins():
    """Forty patients at .2 with 12 positives, forty at .7 with 20: distances .1 and -.2."""
    found = cut([0.2] * 40 + [0.7] * 40, [1] * 12 + [0] * 28 + [1] * 20 + [0] * 20)
    noise = (0.3 * 0.7 + 0.5 * 0.5) / 39

    assert equal_mass_bins(found).tolist() == [0] * 40 + [1] * 40
    assert ece(found, 0.95, TALLY).value == pytest.approx(np.sqrt((0.1**2 + 0.2**2 - noise) / 2), abs=1e-12)


def test_copies_of_a_patients_image_do_not_count_as_evidence():
    score, label = drawn(1, 400)
    once = ece(cut(score, label), 0.95, TALLY)
    fourfold = ece(cut(np.repeat(score, 4), np.repeat(label, 4), np.repeat(np.arange(400), 4)), 0.95, TALLY)

    assert (fourfold.value, fourfold.low, fourfold.high) == pytest.approx((once.value, once.low, once.high), abs=1e-9)


def test_a_calibrated_score_has_no_error_on_average_where_the_plain_one_has():
    squares, plain = [], []
    for seed in range(30):
        found = cut(*drawn(seed, 400))
        bins = equal_mass_bins(found)
        distance = np.array([(found.label - found.score)[bins == one].mean() for one in range(15)])
        plain.append(np.mean(distance**2))
        squares.append(ece(found, 0.95, TALLY).value ** 2)

    assert np.mean(plain) > 0.003
    assert np.median(squares) < 0.0005


def test_the_interval_covers_the_truth_of_a_shifted_score():
    truth = np.sqrt(np.mean(drawn(0, 10**6)[0] ** 2)) / 2
    found = [ece(cut(*drawn(seed, 1000, truth=lambda score: score / 2)), 0.95, TALLY) for seed in range(30)]

    # Truth by the score itself; 15 bins hide a little of it.
    assert sum(one.low <= truth <= one.high for one in found) >= 26
    assert np.mean([one.value for one in found]) == pytest.approx(truth, rel=0.05)


def test_bins_keep_equal_scores_together_and_hold_enough_patients():
    score = np.concatenate([np.zeros(900), np.linspace(0.5, 0.9, 95), np.full(5, 0.95)])
    bins = equal_mass_bins(cut(score, np.zeros(1000)))

    assert len(set(bins[:900])) == 1
    assert len(set(bins[-5:])) == 1
    assert np.bincount(bins).min() >= 10
    assert (np.diff(bins) >= 0).all()


def test_no_interval_has_zero_width():
    perfect = cut([0.0] * 30 + [1.0] * 30, [0] * 30 + [1] * 30)
    upper = clopper_pearson(0, 60, 0.95)[1]

    for found in (brier(perfect, 0.95, TALLY), ece(perfect, 0.95, TALLY)):
        assert (found.value, found.low) == (0, 0)
        assert found.high == pytest.approx(upper)


def test_many_patients_are_resampled_in_groups_with_the_same_interval():
    score, label = drawn(3, 8 * MOST_UNITS)
    found = cut(score, label)
    losses = (score - label) ** 2
    interval = brier(found, 0.95, TALLY)

    assert found.n_units == MOST_UNITS == len(np.unique(found.units))
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * losses.std() / np.sqrt(len(score)), rel=0.1)


def test_the_check_gives_both_numbers_where_the_score_is_a_probability():
    found = asked(probabilities())

    assert set(found) == {(name, group) for name in ("brier", "ece") for group in ("all", "within:1", "within:0")}
    assert all(metric.value is not None and metric.low < metric.high for metric in found.values())
    assert found["ece", "all"].method.startswith("bootstrap of patients, 2000 replicates, 15 bins of equal mass")


@pytest.mark.parametrize(("columns", "reason"), [
    ({"scale": None}, "nothing says that the score is the probability of the finding; say so in a column 'scale'"),
    ({"scale": ""}, "nothing says that the score is the probability of the finding"),
    ({"scale": "rank"}, "a mean of pixels' probabilities, say, is not the probability"),
    ({"score": [-0.5, 1.25] + [0.5] * 598}, "scores run from -0.5 to 1.25, and a probability from 0 to 1"),
])  # fmt: skip
def test_a_score_that_is_no_probability_has_no_calibration_and_a_reason(columns, reason):
    found = asked(probabilities(**columns))

    assert all(metric.value is None and reason in metric.reason for metric in found.values())
    assert found["brier", "all"].n == 600


def test_few_patients_have_no_calibration():
    found = asked(probabilities(30))

    assert found["brier", "all"].value is not None
    assert found["ece", "all"].reason == "30 patients, under 40"
    assert asked(probabilities(9))["brier", "all"].reason == "9 patients, under 10"


def test_calibration_never_decides():
    assert CHECKS.get("calibration")(question(probabilities())).answers == ()


def test_a_scale_that_is_not_known_is_refused():
    with pytest.raises(InputError, match="row 2, column 'scale' is 'logit'; expected probability or rank"):
        table(probabilities(3, scale=None).with_columns(scale=pl.Series(["rank", "logit", ""])))


def test_the_largest_of_several_probabilities_is_no_probability():
    frame = probabilities(6).with_columns(patient_id=pl.Series(["a", "a", "b", "c", "d", "e"]))
    joined = collapse(table(frame), "patient")

    assert joined.frame.sort("patient_id")["scale"].to_list() == ["rank", *["probability"] * 4]


def test_one_rank_among_the_test_scores_makes_all_of_them_ranks():
    frame = probabilities().with_columns(
        pl.when(pl.int_range(600) < 1).then(pl.lit("rank")).otherwise("scale").alias("scale")
    )

    assert asked(frame)["brier", "all"].reason.startswith("the score only ranks (column 'scale')")
