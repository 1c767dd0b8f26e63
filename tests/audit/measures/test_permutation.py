"""The gap under exchange of the attribute among patients of like labels."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import polars as pl
import pytest
from audit_worlds import cells, question, sampling, world
from sklearn.metrics import roc_auc_score

from shortcut_audit.audit.measures import permutation
from shortcut_audit.audit.measures.permutation import permuted_gaps


def gap(label, has, score):
    def area(i, j):
        keep = ((label == 1) & (has == i)) | ((label == 0) & (has == j))
        return roc_auc_score(label[keep], score[keep])

    return area(1, 0) - area(0, 1)


def small():
    return pl.DataFrame(
        {
            "sample_id": [f"s{i}" for i in range(9)], "label": [1, 1, 1, 1, 0, 0, 0, 0, 0],
            "score": [0.9, 0.8, 0.6, 0.2, 0.8, 0.5, 0.4, 0.2, 0.1], "attribute.tube": [1.0, 1, 0, 0, 1, 1, 0, 0, 0],
        }
    )  # fmt: skip


def all_gaps(frame):
    """Every exchange within the labels, by hand."""
    label, score, has = (frame[name].to_numpy() for name in ("label", "score", "attribute.tube"))
    positive, negative = set(permutations(has[label == 1])), set(permutations(has[label == 0]))
    return [gap(label, np.array([*one, *other]), score) for one in positive for other in negative]


def test_the_p_is_that_of_all_exchanges():
    frame = small()
    every = np.array(all_gaps(frame))
    found = permuted_gaps(question(frame), permutations=20_000)
    exact = np.mean(np.abs(every) >= abs(found.observed) - 1e-12)

    assert found.observed == pytest.approx(
        gap(*(frame[name].to_numpy() for name in ("label", "attribute.tube", "score")))
    )
    assert set(np.round(found.gaps, 9)) == set(np.round(every, 9))
    assert found.p == pytest.approx(exact, abs=0.015)


def test_with_weights_and_ties_every_permuted_gap_is_one_that_can_be_computed_directly():
    frame = world(3, n=60, paired=False).with_columns(
        (pl.col("score") * 4).round(), (1.0 + pl.int_range(60) % 3).alias("weight")
    )
    asked = question(frame)
    rows = np.flatnonzero(asked.test)
    has = np.stack([asked.values == 1, asked.values == 0])
    direct = permutation._Gaps(asked, rows)(has)

    assert direct[0] == pytest.approx(asked.gap().value, abs=1e-12)
    assert direct[1] == pytest.approx(-asked.gap().value, abs=1e-12)


def test_patients_exchange_whole_and_cells_keep_their_sizes():
    """Two images a patient, always with the same attribute: so it is under every exchange."""
    clusters, label = np.array([0, 0, 1, 1, 2, 2, 3, 3, 4]), np.array([0, 1, 0, 1, 0, 0, 0, 0, 1])
    has = np.array([1, 1, 0, 0, 1, 1, 0, 0, 1], dtype=bool)
    blocks = permutation._blocks(clusters, label)
    exchanged = np.concatenate(list(permutation._permuted(has, blocks, 200)))

    assert sorted(len(block) for block in blocks) == [1, 2, 2]
    for patient in range(4):
        assert (exchanged[:, clusters == patient][:, 0] == exchanged[:, clusters == patient][:, 1]).all()
    for y in (0, 1):
        assert set(exchanged[:, label == y].sum(axis=1)) == {has[label == y].sum()}
    assert exchanged[:, 8].all(), "who has nobody to exchange with keeps its own"
    assert len(np.unique(exchanged, axis=0)) == 4


def test_an_honest_model_is_beyond_the_range_of_chance_as_often_as_it_says():
    """300 worlds without any effect of the tube, two like images a patient: P under .05 in about 5 of 100."""
    rng = np.random.default_rng(0)
    by_patient = question(world(1, n=120, films_per_patient=2, paired=False))
    by_image = replace(by_patient, sampling=sampling(np.arange(120)))
    small_p, plain = 0, 0
    for _ in range(300):
        label, tube = (np.repeat(rng.random(60) < 0.5, 2) for _ in range(2))
        score = np.repeat(rng.normal(size=60), 2) + label + 0.1 * rng.normal(size=120)
        drawn = {"label": label, "values": tube.astype(float), "score": score}
        small_p += permuted_gaps(replace(by_patient, **drawn), permutations=99).p <= 0.05
        plain += permuted_gaps(replace(by_image, **drawn), permutations=99).p <= 0.05

    assert 4 <= small_p <= 28, "15 expected"
    assert plain > 28, "images exchanged one by one find too much"


def test_a_model_that_reads_the_tube_is_beyond_chance():
    found = permuted_gaps(question(world(1, n=600, reads=1.5, films_per_patient=2)))

    assert found.p == 1 / 500
    assert np.abs(found.gaps).max() < found.observed


@pytest.mark.parametrize(("frame", "reason"), [
    (cells({(1, 1): 20, (0, 1): 20, (0, 0): 20}), "the test set has no positives without tube"),
    (world(1, n=6).with_columns(pl.lit("p").alias("patient_id"), pl.Series("label", [1, 1, 1, 0, 0, 0]),
                                pl.Series("attribute.tube", [1.0, 0, 1, 1, 0, 0])),
     "no two patients have the same numbers of positives and negatives, so none can exchange the attribute"),
])  # fmt: skip
def test_where_nothing_can_be_exchanged_the_reason_is_said(frame, reason):
    assert permuted_gaps(question(frame)) == reason


def test_a_very_large_test_set_is_left_to_the_interval(monkeypatch):
    monkeypatch.setattr(permutation, "MOST_IMAGES", 100)

    assert permuted_gaps(question(world(1, n=101))) == (
        "the test set has more than 100 images; the interval of the gap is enough there"
    )


def test_the_draw_does_not_hang_on_memory_or_on_the_order_of_the_rows(monkeypatch):
    frame = world(2, n=200, films_per_patient=2)
    once = permuted_gaps(question(frame))
    again = permuted_gaps(question(frame.sample(fraction=1, shuffle=True, seed=3)))

    assert np.sort(again.gaps) == pytest.approx(np.sort(once.gaps), abs=1e-12)
    monkeypatch.setattr(permutation, "AT_ONCE", 1000)
    assert len(permuted_gaps(question(frame)).gaps) == 499
