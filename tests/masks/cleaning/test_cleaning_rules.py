"""What each rule does to masks small enough to see through."""

import numpy as np
import pytest

from shortcut_audit.masks.cleaning import CLEANING, Lessons

MASK = np.zeros((4, 8), dtype=bool)
MASK[:, 2:6] = True
FOOTPRINT = np.zeros((4, 8), dtype=bool)
FOOTPRINT[1, :] = True
ON_THE_TUBE = 4


def film(*, label=1.0, score=0.9, mask=MASK, known=True, footprint=FOOTPRINT, traced=True, rarity=1.0, seed=1):
    """One film with one class."""
    return Lessons(
        foreground=mask[None, None].copy(), known=np.full((1, 1, 4, 8), known), labels=np.array([[label]]),
        scores=np.array([[score]]), footprint=footprint[None], traced=np.array([traced]),
        rarity=np.array([[rarity]]), seeds=np.array([seed]),
    )  # fmt: skip


def cleaned(name, **given):
    foreground, known = CLEANING.get(name).clean(film(**given))
    return foreground[0, 0], known[0, 0]


def test_films_without_the_finding_teach_an_empty_mask():
    foreground, known = cleaned("blank_negatives", label=0.0, known=False)
    assert not foreground.any()
    assert known.all()


@pytest.mark.parametrize("label", [1.0, np.nan])
def test_other_films_keep_their_mask(label):
    foreground, known = cleaned("blank_negatives", label=label)
    np.testing.assert_array_equal(foreground, MASK)
    assert known.all()


@pytest.mark.parametrize(
    ("given", "teaches"),
    [({"score": 0.9}, True), ({"score": 0.5}, False), ({"score": np.nan}, False),
     ({"mask": np.zeros_like(MASK)}, False), ({"label": 0.0, "score": 0.1}, True)],
)  # fmt: skip
def test_a_positive_that_the_teacher_missed_teaches_nothing(given, teaches):
    assert cleaned("keep_agreeing", **given)[1].all() == teaches


def test_a_mask_that_touches_the_footprint_teaches_nothing():
    assert not cleaned("drop_touching")[1].any()
    assert cleaned("drop_touching", footprint=np.zeros_like(FOOTPRINT))[1].all()
    elsewhere = np.zeros_like(FOOTPRINT)
    elsewhere[:, 0] = True
    assert cleaned("drop_touching", footprint=elsewhere)[1].all()


def test_the_footprint_becomes_background():
    foreground, known = cleaned("subtract_footprint")
    np.testing.assert_array_equal(foreground, MASK & ~FOOTPRINT)
    assert known.all()


def test_the_control_takes_as_many_pixels_from_anywhere():
    taken = [MASK & ~cleaned("remove_at_random", seed=seed)[0] for seed in range(20)]
    assert [one.sum() for one in taken] == [ON_THE_TUBE] * 20
    assert np.any(taken, axis=0)[~FOOTPRINT & MASK].all()
    np.testing.assert_array_equal(cleaned("remove_at_random", seed=3)[0], cleaned("remove_at_random", seed=3)[0])


@pytest.mark.parametrize("name", ["drop_touching", "subtract_footprint", "remove_at_random"])
def test_a_mask_of_a_film_whose_footprint_nobody_drew_teaches_nothing(name):
    nowhere = np.zeros_like(FOOTPRINT)
    assert not cleaned(name, footprint=nowhere, traced=False)[1].any()
    assert cleaned(name, footprint=nowhere, traced=False, mask=np.zeros_like(MASK))[1].all()


def test_films_are_forgotten_as_often_as_their_cell_is_too_common():
    kept = np.mean([cleaned("reweight", rarity=0.3, seed=seed)[1].all() for seed in range(2000)])
    assert kept == pytest.approx(0.3, abs=0.04)
    assert all(cleaned("reweight", rarity=1.0, seed=seed)[1].all() for seed in range(50))
