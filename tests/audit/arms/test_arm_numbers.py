"""Numbers of arms, by hand: overlap where a mask is drawn, differences on the same films, the way to a Dice."""

import numpy as np
import pytest
from scipy import stats

from shortcut_audit.audit.arms.numbers import arm_numbers, film_values, reaches
from shortcut_audit.audit.arms.result import LONG, ArmNumber, CheckRecord, Pixels, Training

PATIENTS = ["a", "b", "c", "d", "e"]
PIXELS = Pixels(both=(5, 10, 0, 0, 0), predicted=(10, 10, 0, 4, 7), drawn=(10, 30, 0, 0, None))


def training(arm="full", seed=0, pixels=PIXELS, checks=((10, 1.5, 0.4), (20, 3.0, 0.8)), **changes):
    fields = {
        "arm": arm, "fraction": 0.1, "seed": seed, "learning_rate": 0.002, "steps": 20, "images": 4, "patients": 3,
        "learnt": 99, "chosen": "epoch 2", "test": {"lungs": pixels},
        "checks": tuple(CheckRecord(step=step, seconds=time, dice=dice) for step, time, dice in checks),
    }  # fmt: skip
    return Training(**(fields | changes))


def drawn(*both):
    """Films with ten drawn and ten predicted pixels each: Dice is a tenth of those in both."""
    return Pixels(both=both, predicted=(10,) * len(both), drawn=(10,) * len(both))


def found(trainings, name, arm="full"):
    (one,) = [n for n in arm_numbers(trainings, PATIENTS, 0.95) if (n.name, n.arm) == (name, arm)]
    return one


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("dice", [0.5, 0.5, np.nan, np.nan, np.nan]),
        ("iou", [1 / 3, 1 / 3, np.nan, np.nan, np.nan]),
        ("painted_empty", [np.nan, np.nan, 0, 1, np.nan]),
    ],
)
def test_overlap_is_defined_where_something_is_drawn_and_painting_where_nothing_is(name, wanted):
    assert film_values(PIXELS, name) == pytest.approx(wanted, nan_ok=True)


def test_what_is_left_out_is_counted():
    overlap, painted = found([training()], "dice"), found([training()], "painted_empty")
    assert (overlap.n, overlap.left_out, overlap.n_patients) == (2, 3, 2)
    assert (painted.value, painted.n, painted.left_out) == (0.5, 2, 3)


def test_a_mean_has_the_t_interval_of_its_patients():
    dice = np.array([0.2, 0.4, 0.5, 0.6, 0.9])
    number = found([training(pixels=drawn(2, 4, 5, 6, 9))], "dice")
    low, high = stats.t.interval(0.95, 4, loc=dice.mean(), scale=dice.std(ddof=1) / np.sqrt(5))
    assert (number.value, number.low, number.high) == pytest.approx((dice.mean(), low, high))


def test_without_films_there_is_a_reason_and_no_number():
    none = Pixels(both=(0,) * 5, predicted=(3,) * 5, drawn=(0,) * 5)
    number = found([training(pixels=none)], "dice")
    assert (number.value, number.low, number.n) == (None, None, 0)
    assert number.reason == "0 patients have such a value; two are needed"


@pytest.mark.parametrize(("both", "wanted"), [(0, (0.0, 1 - 0.025 ** (1 / 5))), (10, (0.025 ** (1 / 5), 1.0))])
def test_where_all_films_are_alike_the_interval_is_what_the_patients_leave_open(both, wanted):
    number = found([training(pixels=drawn(*[both] * 5))], "dice")
    assert (number.low, number.high) == pytest.approx(wanted)
    assert number.method == "all films alike: Clopper-Pearson over patients"


def test_a_difference_is_of_the_same_films():
    arms = [training(pixels=drawn(5, 6, 7, 8, 9)), training("scratch", pixels=drawn(4, 4, 4, 4, 4))]
    arms.append(training(LONG, pixels=drawn(5, 5, 5, 5, 5)))
    less, long = found(arms, "dice_less_scratch"), found(arms, "dice_less_same_compute")
    assert (less.value, long.value) == pytest.approx((0.3, 0.2))
    spread = np.std([0.1, 0.2, 0.3, 0.4, 0.5], ddof=1) / np.sqrt(5)
    assert less.high - less.value == pytest.approx(stats.t.ppf(0.975, 4) * spread)
    assert not [n for n in arm_numbers(arms, PATIENTS, 0.95) if n.arm in ("scratch", LONG) and "less" in n.name]


def test_without_an_arm_from_scratch_there_is_no_difference():
    assert not [n for n in arm_numbers([training()], PATIENTS, 0.95) if "less" in n.name]


def test_several_seeds_widen_the_interval_by_their_own_chance():
    seeds = [training(seed=k, pixels=drawn(2 + k, 4 + k, 5 + k, 6 + k, 9)) for k in (0, 1)]
    number = found(seeds, "dice")
    films = np.mean([[0.2, 0.4, 0.5, 0.6, 0.9], [0.3, 0.5, 0.6, 0.7, 0.9]], axis=0)
    sd = np.std([0.52, 0.60], ddof=1)
    half = np.hypot(stats.t.ppf(0.975, 4) * films.std(ddof=1) / np.sqrt(5), stats.t.ppf(0.975, 1) * sd / np.sqrt(2))
    assert (number.value, number.seed_sd) == pytest.approx((0.56, sd))
    assert (number.low, number.high) == pytest.approx((max(0.56 - half, 0), min(0.56 + half, 1)))
    assert found(seeds[:1], "dice").seed_sd is None


def test_a_level_is_reached_at_the_first_check_or_the_reason_is_said():
    first, second, never = reaches([training()], [0.4, 0.7, 0.9])
    assert (first.step, first.seconds) == (10, 1.5)
    assert (second.step, second.seconds) == (20, 3.0)
    assert (never.step, never.reason) == (None, "not reached in 20 steps (0.800 at best)")


def test_a_number_has_a_value_or_a_reason():
    number = found([training()], "dice").model_dump()
    with pytest.raises(ValueError, match="number 'dice' must have either a value or a reason"):
        ArmNumber(**(number | {"reason": "both"}))
