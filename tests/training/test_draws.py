"""Order and flips: functions of (seed, epoch, sample id)."""

from hashlib import sha256

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shortcut_audit.training.draws import order_and_flips

IDS = st.lists(st.text(max_size=8).filter(lambda text: text.isprintable()), unique=True, min_size=1, max_size=40)


def sequence(ids, *stream):
    """The ids in their order, each with whether it is mirrored."""
    order, flips = order_and_flips(ids, *stream)
    return [(ids[row], bool(flips[row])) for row in order]


def test_the_numbers_are_those_of_the_digest():
    """So that a run of today sees what a run of next year sees."""
    digests = {name: sha256(f"3 1 0/{name}".encode()).hexdigest() for name in ("a", "b", "c", "d")}
    expected = sorted(digests, key=lambda name: digests[name][:16])
    assert sequence(list("abcd"), 3, 1, 0) == [(name, int(digests[name][31], 16) % 2 == 1) for name in expected]
    assert expected == ["a", "d", "c", "b"]


@given(ids=IDS, seed=st.integers(0, 9), data=st.data())
def test_another_order_of_the_rows_changes_nothing(ids, seed, data):
    assert sequence(data.draw(st.permutations(ids)), seed, 1) == sequence(ids, seed, 1)


@given(ids=IDS, seed=st.integers(0, 9), data=st.data())
def test_images_that_leave_change_nothing_for_those_that_stay(ids, seed, data):
    stay = data.draw(st.sets(st.sampled_from(ids)))
    kept = [name for name in ids if name in stay]
    assert sequence(kept, seed, 1) == [one for one in sequence(ids, seed, 1) if one[0] in stay]


def test_epochs_and_seeds_are_independent_drawings():
    ids = [str(row) for row in range(4000)]
    draws = [order_and_flips(ids, *stream) for stream in ((0, 1), (0, 2), (1, 1), (0, 11), (0, 1, 1))]
    for k, (order, flips) in enumerate(draws):
        assert sorted(order) == list(range(4000))
        assert abs(flips.mean() - 0.5) < 0.04
        assert abs(np.corrcoef(order, np.arange(4000))[0, 1]) < 0.08
        for other, others in draws[:k]:
            assert abs(np.corrcoef(np.argsort(order), np.argsort(other))[0, 1]) < 0.08
            assert abs(np.corrcoef(flips, others)[0, 1]) < 0.08
