"""Every cleaning rule keeps the promises of ``masks/cleaning/__init__.py``."""

import numpy as np
import pytest

from shortcut_audit.errors import UsageError
from shortcut_audit.masks.cleaning import CLEANING, CleaningRule, Lessons, parse_cleaning

NAMES = CLEANING.names()


def lessons(films=6):
    """Six films, two classes, some without footprint, label or score."""
    rng = np.random.default_rng(0)
    shape = (films, 2, 12, 16)
    known = rng.random((films, 2, 1, 1)) < 0.8
    labels = rng.integers(0, 2, (films, 2)).astype(float)
    labels[0, 1] = np.nan
    return Lessons(
        foreground=(rng.random(shape) < 0.3) & known, known=np.broadcast_to(known, shape).copy(), labels=labels,
        scores=np.where(known[:, :, 0, 0], rng.random((films, 2)), np.nan),
        footprint=rng.random((films, 12, 16)) < 0.2, traced=np.arange(films) != 3,
        rarity=rng.uniform(0.2, 1, (films, 2)), seeds=np.arange(films) + 100,
    )  # fmt: skip


def part(whole, rows):
    return Lessons(**{name: value[rows] for name, value in vars(whole).items()})


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_never_adds_foreground_and_leaves_what_it_was_given(name):
    given, fresh = lessons(), lessons()
    foreground, known = CLEANING.get(name).clean(given)
    assert foreground.dtype == known.dtype == bool
    assert foreground.shape == known.shape == given.foreground.shape
    assert not (foreground & ~given.foreground).any()
    for field, value in vars(given).items():
        np.testing.assert_array_equal(value, getattr(fresh, field), err_msg=field)


@pytest.mark.parametrize("name", NAMES)
def test_a_film_is_cleaned_for_itself_whatever_lies_beside_it(name):
    whole, rule = lessons(), CLEANING.get(name)
    rows = np.array([4, 1, 3])
    for all_, few in zip(rule.clean(whole), rule.clean(part(whole, rows)), strict=True):
        np.testing.assert_array_equal(all_[rows], few)


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_says_what_it_does_and_whether_it_needs_an_attribute(name):
    rule = CLEANING.get(name)
    assert isinstance(rule, CleaningRule)
    assert (rule.__doc__ or "").strip()
    if rule.needs_attribute:
        assert parse_cleaning(f"{name}:tube").attribute == "tube"
        with pytest.raises(UsageError, match=f"'{name}' needs an attribute; write {name}:ATTRIBUTE"):
            parse_cleaning(name)
    else:
        assert parse_cleaning(name).attribute == ""
        with pytest.raises(UsageError, match=f"'{name}' is about no attribute; write '{name}'"):
            parse_cleaning(f"{name}:tube")


def test_an_unknown_rule_names_the_nearest():
    with pytest.raises(UsageError, match=r"no cleaning rule is called 'drop_toching' \(did you mean 'drop_touching'"):
        parse_cleaning("drop_toching:tube")
