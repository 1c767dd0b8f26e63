"""Labels are exchanged among patients, and p is what Besag and Clifford, and Phipson and Smyth, say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shortcut_audit.audit.lint.null import against_null, exchanged


@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=12),
    constant=st.booleans(),
    seed=st.integers(0, 99),
)
def test_patients_hand_over_all_their_labels(sizes, constant, seed):
    rng = np.random.default_rng(seed)
    patients = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    label = (rng.random(len(sizes)) < 0.5)[patients] if constant else rng.random(len(patients)) < 0.5

    drawn = exchanged(label, patients, rng, 5)

    mixed = any(len(set(label[patients == p])) > 1 for p in set(patients))
    given_away = sorted(tuple(label[patients == p]) for p in set(patients))
    for row in drawn:
        received = sorted(tuple(row[patients == p]) for p in set(patients))
        if mixed:
            assert received == given_away
        else:
            assert sorted(set(one) for one in received) == sorted(set(one) for one in given_away)


def test_without_enough_hits_the_table_itself_counts_as_one():
    null = against_null(0.9, lambda count: np.full(count, 0.5), 999)

    assert (null.p, null.permutations) == (pytest.approx(1 / 1000), 999)
    assert (null.mean, null.high) == (0.5, 0.5)


def test_drawing_ends_once_twenty_were_as_large():
    null = against_null(0.5, lambda count: np.where(np.arange(count) % 2 == 0, 0.7, 0.3), 999)

    assert null.permutations == 250
    assert null.p == pytest.approx(20 / 39)  # the twentieth hit is the 39th draw


def test_a_permutation_without_pairs_counts_as_not_reached():
    null = against_null(0.6, lambda count: np.where(np.arange(count) == 0, np.nan, 0.5), 99)

    assert (null.p, null.mean) == (0.01, 0.5)


def test_p_is_uniform_where_there_is_nothing():
    rng = np.random.default_rng(0)
    found = [against_null(rng.normal(), lambda count: rng.normal(size=count), 999).p for _ in range(400)]

    for level in (0.05, 0.2, 0.5):
        assert np.mean(np.array(found) <= level) == pytest.approx(level, abs=3 * (level * (1 - level) / 400) ** 0.5)
