"""One patient's images with and without the attribute, against the same by hand."""

import numpy as np
import polars as pl
import pytest
from audit_worlds import question, world
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, ttest_1samp
from sklearn.metrics import roc_auc_score

from shortcut_audit.audit.checks import CHECKS
from shortcut_audit.audit.measures.serial import serial_images


def images(rows):
    """Rows of patient, label, tube, score."""
    columns = zip(*rows, strict=True)
    names = ("patient_id", "label", "attribute.tube", "score")
    return pl.DataFrame(dict(zip(names, columns, strict=True))).with_row_index("sample_id")


def found(frame, **options):
    metrics = CHECKS.get("within_patient")(question(frame, **options)).metrics
    return {(metric.name, metric.group): metric for metric in metrics}


def test_by_hand():
    serial = serial_images(question(images([
        ("a", 1, 1.0, 5.0), ("a", 1, 0.0, 3.0), ("a", 1, 0.0, 5.0),  # wins one pair, ties one
        ("b", 1, 1.0, 1.0), ("b", 1, 0.0, 2.0),  # loses
        ("c", 1, 1.0, 9.0), ("d", 1, 0.0, 0.0), ("b", 0, 1.0, 8.0), ("b", 0, 0.0, 7.0),
    ])), 1)  # fmt: skip

    assert serial.wins.tolist() == [0.75, 0.0]
    # Ranks among the seven positives, (rank - 1/2) / 7: 5.0 twice 5.5, 3.0 4, 1.0 2, 2.0 3.
    assert serial.moves == pytest.approx([(5.5 - (4 + 5.5) / 2) / 7, (2 - 3) / 7])
    assert [int(side.sum()) for side in serial.rows] == [2, 3]


@given(seed=st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_within_each_patient_it_is_the_auroc_of_the_score_for_the_attribute(seed):
    frame = world(seed, n=120, films_per_patient=6, paired=False).with_columns(pl.col("score").round(1))
    asked = question(frame)
    for label in (0, 1):
        expected, moved = [], []
        ranks = frame.with_columns(pl.Series("rank", rankdata(frame["score"]))).filter(pl.col("label") == label)
        ranks = ranks.with_columns(pl.Series("rank", (rankdata(ranks["score"]) - 0.5) / ranks.height))
        for _, group in ranks.group_by(pl.col("patient_id").rank("dense"), maintain_order=True):
            if group["attribute.tube"].n_unique() == 2:
                expected.append(roc_auc_score(group["attribute.tube"], group["score"]))
                means = [group["rank"].filter(group["attribute.tube"] == value).mean() for value in (1, 0)]
                moved.append(means[0] - means[1])
        serial = serial_images(asked, label)
        assert sorted(serial.wins) == pytest.approx(sorted(expected), abs=1e-12)
        assert sorted(serial.moves) == pytest.approx(sorted(moved), abs=1e-12)


def test_the_interval_of_the_move_is_that_of_a_t_test_over_patients():
    frame = world(3, n=600, films_per_patient=4, reads=1.0)
    serial = serial_images(question(frame), 0)
    move = found(frame)["within_patient_move", "label:0"]
    expected = ttest_1samp(serial.moves, 0).confidence_interval(0.95)

    assert (move.low, move.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert move.n_patients == len(serial.patients)


def test_an_honest_model_moves_nothing_and_a_cheat_does():
    honest, cheat = (found(world(4, n=2000, films_per_patient=4, reads=reads)) for reads in (0.0, 1.5))

    for label in ("label:0", "label:1"):
        assert honest["within_patient_auroc", label].low < 0.5 < honest["within_patient_auroc", label].high
        assert cheat["within_patient_auroc", label].low > 0.6
        assert cheat["within_patient_move", label].low > 0.1


def test_case_mix_between_patients_does_not_enter():
    rng = np.random.default_rng(5)
    ill = np.repeat(rng.normal(size=400), 2)
    tube = rng.random(800) < 1 / (1 + np.exp(-2 * ill))
    frame = world(5, n=800, films_per_patient=2, paired=False).with_columns(
        pl.lit(1).alias("label"),
        pl.Series("attribute.tube", tube * 1.0),
        pl.Series("score", ill + rng.normal(size=800)),
    )
    within = found(frame)["within_patient_auroc", "label:1"]

    assert CHECKS.get("score_shift")(question(frame)).metrics[1].low > 0.6
    assert within.low < 0.5 < within.high


def test_without_such_patients_the_reason_is_said():
    metric = found(world(0))["within_patient_auroc", "label:1"]

    assert metric.reason == "no patient has images with and without tube among the positives"
    assert (metric.value, metric.n, metric.n_patients) == (None, 0, 0)


def test_without_patient_ids_the_reason_is_said():
    metric = found(world(0).drop("patient_id"))["within_patient_move", "label:0"]

    assert metric.reason == "no patients are named, so no two images are known to be of one"


def test_constant_scores_have_an_interval_of_what_is_left_open():
    flat = found(world(6, n=300, films_per_patient=3, paired=False).with_columns(pl.lit(0.5).alias("score")))

    auroc, move = (flat[name, "label:0"] for name in ("within_patient_auroc", "within_patient_move"))
    assert auroc.low < auroc.value == 0.5 < auroc.high
    assert move.low < move.value == 0 < move.high


def test_one_patient_alone_moves_by_an_unknown_amount():
    pair = images([("a", 1, 1.0, 0.9), ("a", 1, 0.0, 0.1), ("b", 0, 0.0, 0.2), ("c", 0, 1.0, 0.3)])

    assert found(pair)["within_patient_move", "label:1"].reason == "too few patients to tell how much they vary"
    assert found(pair)["within_patient_auroc", "label:1"].low < 0.05
