"""The gap among patients made alike: known answers, intervals, and reasons why there is none."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from audit_worlds import cells, linked, logistic, question
from hypothesis import given, settings
from hypothesis import strategies as st

from shortcut_audit.audit.checks.gap import sides
from shortcut_audit.audit.measures.case_mix import standardise, weigh_side

EVEN = {(1, 1): 60, (1, 0): 60, (0, 1): 60, (0, 0): 60}


def gap(cells):
    return cells.pair(1, 0) - cells.pair(0, 1)


def weighted_auroc(frame, weights, i, j):
    """Over all pairs, one by one."""
    high = (frame["label"] == 1) & (frame["attribute.tube"] == i)
    low = (frame["label"] == 0) & (frame["attribute.tube"] == j)
    total = wins = 0.0
    for one, weight in zip(frame["score"].filter(high), weights[high.to_numpy()], strict=True):
        for other, other_weight in zip(frame["score"].filter(low), weights[low.to_numpy()], strict=True):
            total += weight * other_weight
            wins += weight * other_weight * ((one > other) + (one == other) / 2)
    return wins / total


def test_one_binary_column_is_standardised_as_by_hand():
    frame = linked(0, n=400).drop("severity.finding", "covariate.age")
    chance = 0.3 + 0.4 * frame["attribute.tube"].to_numpy()
    ill = pl.Series("covariate.ill", (np.random.default_rng(0).random(400) < chance) * 1.0)
    frame = frame.with_columns(ill, pl.col("score").round(1))
    weights = np.zeros(400)
    for label in (0, 1):
        for value in (0.0, 1.0):
            inside = ((frame["label"] == label) & (ill == value)).to_numpy()
            present = (frame["attribute.tube"] == 1).to_numpy()
            share = present[inside].mean()
            weights[inside & present], weights[inside & ~present] = 1 - share, share
    found = standardise(question(frame))

    for i in (0, 1):
        for j in (0, 1):
            assert found.pair(i, j).value == pytest.approx(weighted_auroc(frame, weights, i, j), abs=5e-4)


def test_severity_counts_for_positives_and_covariates_for_both():
    found = standardise(question(linked(0)))

    assert [list(side.columns) for side in found.sides] == [["severity", "age"], ["age"]]


@given(seed=st.integers(0, 10**6), negative=st.booleans())
@settings(max_examples=10, deadline=None)
def test_the_standardised_gap_is_the_sum_of_its_two_sides(seed, negative):
    found = standardise(question(linked(seed, n=700), association="negative" if negative else "positive"))

    if found.reason is None:
        positive_side, negative_side = sides(found)
        assert gap(found).value == pytest.approx(positive_side.value + negative_side.value, abs=1e-12)


def test_an_honest_model_loses_its_gap_and_a_reliant_one_keeps_it():
    honest, reliant = (question(linked(1, n=3000, age=1.0, reads=reads)) for reads in (0.0, 1.0))

    assert honest.gap().estimate(0.95).low > 0.05
    found = gap(standardise(honest)).estimate(0.95)
    assert found.low < 0 < found.high
    assert found.high - found.low < 0.1
    assert gap(standardise(reliant)).estimate(0.95).low > 0.15


def test_a_masked_reliance_comes_to_light():
    asked = question(linked(2, n=4000, severity=-2.0, reads=0.5))

    assert abs(asked.gap().value) < 0.05
    assert gap(standardise(asked)).estimate(0.95).low > 0.05


def test_a_bend_in_the_link_is_followed():
    frame = linked(3, n=3000, severity=0.0)
    rng = np.random.default_rng(33)
    size = frame["severity.finding"].fill_null(0.0).to_numpy()
    tube = rng.random(3000) < logistic(1.2 * size**2 - 1)
    score = frame["label"].to_numpy() * size**2 + rng.normal(size=3000)
    bent = frame.with_columns(pl.Series("attribute.tube", tube * 1.0), pl.Series("score", score))
    raw, found = question(bent).gap().estimate(0.95), gap(standardise(question(bent))).estimate(0.95)

    assert raw.low > 0.05
    assert found.low < 0 < found.high


def test_the_interval_knows_that_the_weights_were_fitted():
    """Weights taken as known would be far too wide: size moves the score, and balance holds it still."""
    side_gaps, errors, covered, reps = [], [], 0, 100
    for seed in range(reps):
        positive_side = sides(standardise(question(linked(seed, n=700, severity=1.0))))[0]
        side_gaps.append(positive_side.value)
        errors.append(positive_side.standard_error)
        found = positive_side.estimate(0.95)
        covered += found.low <= 0 <= found.high

    assert 0.88 < np.mean(errors) / np.std(side_gaps) < 1.15
    assert 0.90 <= covered / reps <= 0.99


def test_the_influence_is_what_a_patients_weight_moves():
    """Infinitesimal jackknife: everything is fitted again with one patient weighing a little more or less."""
    frame = linked(4, n=900, per_patient=3)
    part = gap(standardise(question(frame)))
    patients = frame["patient_id"].unique(maintain_order=True).to_list()
    by_name = frame["patient_id"].rank("dense").cast(pl.Int64).to_numpy() - 1
    for patient in patients[:12]:
        place = by_name[(frame["patient_id"] == patient).arg_true()[0]]
        values = []
        for factor in (0.98, 1.02):
            weight = pl.when(pl.col("patient_id") == patient).then(factor).otherwise(1.0).alias("weight")
            values.append(gap(standardise(question(frame.with_columns(weight)))).value)
        # The rest is the small-sample factor.
        assert part.influence[place] == pytest.approx((values[1] - values[0]) / 0.04, rel=0.05, abs=2e-5)


def test_every_row_twice_in_its_patient_moves_neither_value_nor_interval():
    frame = linked(5, n=900)
    again = pl.concat([frame, frame.with_columns(("again" + pl.col("sample_id")).alias("sample_id"))])
    once, twice = (gap(standardise(question(one))).estimate(0.95) for one in (frame, again))

    assert (twice.value, twice.low, twice.high) == pytest.approx((once.value, once.low, once.high), abs=2e-4)
    assert twice.tally.n_patients == once.tally.n_patients


def test_a_monotone_transform_of_scores_and_of_the_unit_of_a_column_changes_nothing():
    frame = linked(6, n=900)
    other = frame.with_columns(pl.col("score").log(), pl.col("covariate.age") * 365 + 7)

    for one in ((0, 1), (1, 0)):
        assert standardise(question(other)).pair(*one).value == pytest.approx(
            standardise(question(frame)).pair(*one).value, abs=1e-9
        )


def test_a_negative_association_changes_the_places_of_the_pairs():
    straight = standardise(question(linked(7)))
    turned = standardise(question(linked(7), association="negative"))

    assert turned.pair(0, 1).value == pytest.approx(straight.pair(1, 0).value, abs=1e-9)


def test_weights_of_the_table_are_part_of_the_weights():
    frame = linked(8, n=900)
    # One image a patient, and a third of them with a copy.
    copies = frame.with_columns((1.0 + (pl.int_range(900) % 3 == 0)).alias("weight"))
    copied = pl.concat(
        [frame, frame.filter(pl.int_range(900) % 3 == 0).with_columns((pl.col("sample_id") + "b").alias("sample_id"))]
    )

    assert gap(standardise(question(copies))).value == pytest.approx(gap(standardise(question(copied))).value, abs=5e-3)
    assert gap(standardise(question(copies))).value != gap(standardise(question(frame))).value


def test_rows_with_a_blank_column_are_left_out_and_counted():
    frame = linked(9).with_columns(
        pl.when(pl.int_range(1200) < 300).then(None).otherwise("covariate.age").alias("covariate.age")
    )
    found = gap(standardise(question(frame))).estimate(0.95)

    assert found.tally.n_patients == 900


def test_severity_alone_leaves_the_negatives_as_they_are():
    frame = linked(10).drop("covariate.age")
    found = standardise(question(frame))

    assert found.measured
    assert found.sides[1].propensity is None
    assert gap(found).reason is None
    assert abs(gap(found).value) < question(frame).gap().value


def test_the_only_severity_of_a_table_without_findings_is_that_of_its_finding():
    frame = linked(0).rename({"severity.finding": "severity.pneumothorax"})
    named = frame.with_columns(pl.lit("effusion").alias("finding"))

    assert "severity" in weigh_side(question(frame), 1).columns
    assert "severity" not in weigh_side(question(named), 1).columns


def reason(frame):
    found = standardise(question(frame))
    assert found.pair(1, 0).reason == found.reason
    return found.reason


def test_without_columns_there_is_nothing_to_standardise_on():
    assert reason(cells(EVEN)) == "there is no column 'severity.finding' and no 'covariate.*'"


def test_a_column_that_does_not_vary_is_of_no_use():
    flat = cells(EVEN).with_columns(pl.lit(1.0).alias("covariate.age"))

    assert reason(flat) == "age is the same for all positives and age is the same for all negatives"


def test_a_column_that_is_known_of_one_class_only_is_used_there():
    frame = linked(0).with_columns(pl.when(pl.col("label") == 1).then("covariate.age").alias("covariate.age"))
    found = standardise(question(frame))

    assert found.sides[1].unused == {"age": "age is not known for any of the negatives"}
    assert found.reason is None


def test_models_that_scored_the_same_films_share_the_weights_and_others_do_not():
    frame = linked(3)
    one, two = standardise(question(frame)), standardise(question(frame.with_columns(pl.col("score") ** 2)))
    older = standardise(question(frame.with_columns(pl.col("covariate.age") * pl.col("score"))))
    fewer = standardise(question(frame.rename({"covariate.age": "covariate.weight"})))

    assert two.sides is one.sides
    assert two.pair(0, 1).value == pytest.approx(one.pair(0, 1).value, abs=1e-12)
    assert older.sides is not one.sides
    assert older.pair(0, 1).value != one.pair(0, 1).value
    assert list(fewer.sides[1].columns) == ["weight"]


def test_a_cell_that_loses_all_its_rows_is_named():
    known = pl.when((pl.col("attribute.tube") == 1) | (pl.col("label") == 0)).then("covariate.age")
    frame = linked(0).drop("severity.finding").with_columns(known.alias("covariate.age"))

    assert reason(frame) == "the test set has no positives without tube with a known age"


def test_an_empty_cell_is_named():
    frame = cells({(1, 1): 60, (0, 1): 60, (0, 0): 60}).with_columns(
        pl.int_range(180).cast(float).alias("covariate.age")
    )

    assert reason(frame) == "the test set has no positives without tube"


def test_groups_that_hardly_overlap_cannot_be_told_apart():
    assert reason(linked(0, n=400, severity=6.0)) == (
        "the positives with tube are worth 16 patients after weighting, under 30"
    )


def test_many_columns_need_many_patients():
    noise = [pl.Series(f"covariate.c{k}", np.random.default_rng(k).normal(size=240)) for k in range(25)]

    assert reason(cells(EVEN).with_columns(*noise)).endswith("patients after weighting, under 52")


def test_groups_that_still_differ_after_weighting_cannot_be_told_apart():
    # Three columns need 90 patients a cell for bends. Straight lines see equal means, not the skew.
    rng = np.random.default_rng(1)
    skewed = np.concatenate([np.full(32, -0.5), np.full(8, 2.0), rng.normal(size=120)])
    frame = cells({(1, 1): 40, (1, 0): 40, (0, 1): 40, (0, 0): 40}).with_columns(
        pl.Series("covariate.size", skewed), pl.Series("covariate.a", rng.normal(size=160)),
        pl.Series("covariate.b", rng.normal(size=160)),
    )  # fmt: skip

    assert "the positives still differ in ranks of size after weighting (" in reason(frame)


def test_a_column_that_is_the_attribute_has_no_overlap():
    frame = cells(EVEN).with_columns(pl.col("attribute.tube").alias("covariate.device"))

    assert reason(frame) == "device does not vary among positives of either group"


def test_effective_patients_count_patients_and_not_images():
    frame = linked(11, per_patient=3)
    one, three = (weigh_side(question(f), 1).sizes[1] for f in (frame.drop("patient_id"), frame))

    assert three < one
    assert all(a >= b for a, b in pairwise([one, three]))
