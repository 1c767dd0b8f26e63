"""The synthetic film: what is in it, and that the finding is what was drawn."""

from dataclasses import replace

import numpy as np
import pytest

from shortcut_audit.data.film import AREA_MEDIAN, AREA_RANGE, Pneumothorax, draw_anatomy, draw_film, draw_pneumothorax

SIZE = 64
STRUCTURES = {"lungs", "ribs", "heart", "clavicles", "pneumothorax"}


def film(seed=0, finding=None, size=SIZE):
    rng = np.random.default_rng(seed)
    return draw_film(rng, draw_anatomy(rng), finding, size=size)


def finding(**changes):
    return Pneumothorax(**({"side": 1, "area": 0.03, "contrast": 1.0} | changes))


def test_every_structure_has_a_mask_and_there_is_no_finding_unless_drawn():
    found = film()
    assert set(found.masks) == STRUCTURES
    assert all(mask.shape == (SIZE, SIZE) and mask.dtype == np.bool_ for mask in found.masks.values())
    assert not found.masks["pneumothorax"].any()
    assert all(0.01 < found.masks[name].mean() < 0.5 for name in STRUCTURES - {"pneumothorax"})


def test_equal_seeds_give_equal_films():
    first, second = film(3, finding()), film(3, finding())
    assert first.clean.tobytes() == second.clean.tobytes()
    assert first.noise.tobytes() == second.noise.tobytes()
    assert first.gain == second.gain
    assert first.clean.tobytes() != film(4, finding()).clean.tobytes()


@pytest.mark.parametrize("area", [0.002, 0.016, 0.05])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_pneumothorax_has_the_area_asked_for_and_lies_in_the_lung_of_its_side(area, side):
    found = film(1, finding(area=area, side=side))
    crescent = found.masks["pneumothorax"]
    assert crescent.sum() == pytest.approx(max(4, area * SIZE**2), abs=1)
    assert not (crescent & ~found.masks["lungs"]).any()
    columns = np.nonzero(crescent)[1]
    assert (columns > SIZE / 2).all() if side == 1 else (columns < SIZE / 2).all()


def test_a_pneumothorax_lies_at_the_apex():
    rows = np.nonzero(film(1, finding(area=0.02)).masks["pneumothorax"])[0]
    lungs = np.nonzero(film(1).masks["lungs"])[0]
    assert rows.mean() < lungs.mean() - 0.1 * SIZE


def test_its_air_is_darker_and_has_no_markings():
    shown, hidden = (film(2, finding(contrast=c, area=0.05)) for c in (1.0, 1e-9))
    crescent = shown.masks["pneumothorax"]
    assert (shown.clean - hidden.clean)[crescent].mean() < -0.02
    assert (shown.clean - hidden.clean)[crescent].mean() > -0.1
    far = np.abs(shown.clean - hidden.clean) < 1e-6
    assert far.mean() > 0.8


def test_air_is_darker_than_the_heart_and_ribs_are_brighter_than_between():
    found = film(5)
    masks, clean = found.masks, found.clean
    assert clean[masks["lungs"] & ~masks["ribs"]].mean() < clean[masks["heart"]].mean() - 0.1
    inside = masks["lungs"] & ~masks["heart"]
    assert clean[inside & masks["ribs"]].mean() > clean[inside & ~masks["ribs"]].mean() + 0.03


def test_developing_adds_the_same_gain_and_noise_to_anything_and_stays_in_range():
    found = film(6)
    assert found.develop(found.clean) == pytest.approx(np.clip(found.clean * found.gain + found.noise, 0, 1))
    assert found.develop(found.clean + 5).max() == 1
    assert replace(found, gain=0.0).develop(found.clean).min() >= 0


@pytest.mark.parametrize("size", [32, 64, 96])
def test_a_film_can_have_any_size(size):
    found = film(7, finding(), size=size)
    assert found.clean.shape == (size, size)
    assert np.isfinite(found.clean).all()
    assert found.masks["lungs"].mean() == pytest.approx(film(7, finding(), size=128).masks["lungs"].mean(), abs=0.02)


def test_areas_are_lognormal_and_clipped():
    rng = np.random.default_rng(0)
    drawn = [draw_pneumothorax(rng) for _ in range(2000)]
    areas = np.array([one.area for one in drawn])
    assert np.median(areas) == pytest.approx(AREA_MEDIAN, rel=0.1)
    assert AREA_RANGE[0] <= areas.min() < areas.max() <= AREA_RANGE[1]
    assert np.mean([one.side for one in drawn]) == pytest.approx(0, abs=0.1)
    assert np.corrcoef(np.log(areas), [one.contrast for one in drawn])[0, 1] == pytest.approx(0, abs=0.1)
