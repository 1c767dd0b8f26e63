"""Every attribute that can be drawn keeps the promises of ``data/spurious/__init__.py``."""

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from shortcut_audit.data.spurious import SPURIOUS, SpuriousAttribute
from shortcut_audit.errors import UsageError

NAMES = SPURIOUS.names()
SIDES = (-1, 1)


def drawn(name, side=1, seed=0):
    return SPURIOUS.get(name).draw(np.random.default_rng(seed), side=side)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_an_attribute_and_says_in_one_line_what_it_is(name):
    assert isinstance(SPURIOUS.get(name), SpuriousAttribute)
    assert len(dict(SPURIOUS.describe())[name]) > 20


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", NAMES)
def test_drawing_takes_its_chances_from_the_generator_alone(name, side):
    state = np.random.get_state()[1].copy()  # noqa: NPY002 (that the global one is not touched is the point)
    assert drawn(name, side) == drawn(name, side)
    assert drawn(name, side) != drawn(name, side, seed=1)
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002


@pytest.mark.parametrize("size", [64, 96])
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", NAMES)
def test_applying_is_deterministic_and_leaves_the_given_film_as_it_was(name, side, size):
    image = np.random.default_rng(2).random((size, size))
    before, params = image.copy(), drawn(name, side)
    first, second = (SPURIOUS.get(name).apply(image, params) for _ in range(2))
    assert first[0].tobytes() == second[0].tobytes()
    assert first[1].tobytes() == second[1].tobytes()
    assert image.tobytes() == before.tobytes()
    assert first[0].shape == first[1].shape == (size, size)
    assert first[1].dtype == np.bool_


@pytest.mark.parametrize("size", [64, 96])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", NAMES)
def test_only_the_neighbourhood_of_the_footprint_changes(name, seed, size):
    image = np.full((size, size), 0.5)
    changed, footprint = SPURIOUS.get(name).apply(image, drawn(name, seed=seed))
    difference = np.abs(changed - image)
    near = binary_dilation(footprint, iterations=3)
    assert 0.002 < footprint.mean() < 0.15
    assert difference[~near].max() < 0.5 / 255
    assert difference[footprint].min() > 0.05


@pytest.mark.parametrize("name", NAMES)
def test_a_device_adds_the_same_to_any_film(name):
    params = drawn(name)
    films = np.zeros((48, 48)), np.random.default_rng(3).random((48, 48))
    added = [SPURIOUS.get(name).apply(film, params)[0] - film for film in films]
    assert np.allclose(*added, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_parameters_give_the_same_place_at_any_size(name):
    params = drawn(name)
    blank = [SPURIOUS.get(name).apply(np.zeros((size, size)), params)[1] for size in (64, 128)]
    coarse = blank[1].reshape(64, 2, 64, 2).mean(axis=(1, 3)) > 0.5
    assert not (coarse & ~binary_dilation(blank[0], iterations=2)).any()


@pytest.mark.parametrize("name", NAMES)
def test_it_lies_on_the_side_that_was_asked_for(name):
    for seed in range(10):
        middle = [np.mean(drawn(name, side, seed)["x"]) for side in SIDES]
        assert middle[0] < 0.5 < middle[1]


def test_an_unknown_attribute_is_named_with_the_nearest_known_one():
    with pytest.raises(UsageError, match=r"no drawable attribute is called 'chest_tub' \(did you mean 'chest_tube'"):
        SPURIOUS.get("chest_tub")
