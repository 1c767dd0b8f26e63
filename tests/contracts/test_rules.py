"""What every threshold rule promises, whatever the map."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shortcut_audit.config import PseudoMaskConfig
from shortcut_audit.masks.pseudo_mask import pseudo_mask
from shortcut_audit.masks.rules import RULES, Rule

NAMES = RULES.names()
# Multiples of 2^-20: what is scaled by a power of two neither vanishes nor is rounded.
maps = arrays(np.float32, (7, 9), elements=st.integers(-(2**22), 2**22).map(lambda n: n * 2.0**-20))
names = st.sampled_from(NAMES)


def plain(name, **changes):
    return PseudoMaskConfig(rule=name, smooth_px=0, min_area_px=0, **changes)


def test_the_rules_are_there():
    assert set(NAMES) >= {"mass", "quantile", "otsu", "fixed"}


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_names_its_constant_and_says_what_it_does(name):
    rule = RULES.get(name)
    assert isinstance(rule, Rule)
    assert dict(RULES.describe())[name].endswith(".")
    assert (rule.constant is None) == (rule.grid == ())
    if rule.constant:
        for value in rule.grid:
            PseudoMaskConfig.model_validate({"rule": name, rule.constant: value})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "heatmap", [np.zeros((8, 8)), np.full((8, 8), 0.3), np.full((8, 8), -1.0), -np.arange(64.0).reshape(8, 8)],
    ids=["empty", "constant", "negative", "all negative"],
)  # fmt: skip
@pytest.mark.parametrize("smooth", [0.0, 1.5])
def test_a_map_that_says_nothing_about_where_gives_an_unknown_mask(name, heatmap, smooth):
    config = PseudoMaskConfig(rule=name, smooth_px=smooth, min_area_px=0)
    mask = pseudo_mask(heatmap.astype(np.float32), config)
    assert not mask.foreground.any()
    assert not mask.known.any()
    assert mask.threshold is None


@given(maps, names, st.sampled_from([2.0**-7, 2.0**9]))
def test_a_mask_does_not_depend_on_the_units_of_the_map(heatmap, name, factor):
    config = plain(name)
    assert (pseudo_mask(heatmap * factor, config).foreground == pseudo_mask(heatmap, config).foreground).all()


@given(maps, names)
def test_a_rule_takes_the_larger_pixels_and_only_positive_ones(heatmap, name):
    found = pseudo_mask(heatmap, plain(name)).foreground
    assert (heatmap[found] > 0).all()
    if found.any():
        assert heatmap[found].min() >= heatmap[~found].max(initial=-np.inf)


@given(maps, names, st.data())
def test_further_along_its_grid_a_rule_takes_no_fewer_pixels(heatmap, name, data):
    rule = RULES.get(name)
    if rule.constant is None:
        return
    less, more = sorted(data.draw(st.tuples(*[st.integers(0, len(rule.grid) - 1)] * 2)))
    found = [pseudo_mask(heatmap, plain(name, **{rule.constant: rule.grid[n]})).foreground for n in (less, more)]
    assert (found[1] | ~found[0]).all()


@given(maps, names)
def test_the_band_of_doubt_lies_between_foreground_and_background(heatmap, name):
    mask = pseudo_mask(heatmap, plain(name, ignore_from=0.5))
    if mask.threshold is None:
        return
    doubt = ~mask.known
    assert not (doubt & mask.foreground).any()
    positive = np.maximum(heatmap, 0)
    assert (positive[doubt] >= 0.5 * mask.threshold).all()
    assert (positive[mask.known & ~mask.foreground] < 0.5 * mask.threshold).all()


@pytest.mark.parametrize("name", NAMES)
def test_below_the_gate_a_mask_says_nothing_and_at_it_what_it_said(name):
    heatmap = np.arange(64, dtype=np.float32).reshape(8, 8)
    gated = plain(name, min_score=0.5)
    assert not pseudo_mask(heatmap, gated, score=0.49).known.any()
    at = pseudo_mask(heatmap, gated, score=0.5)
    assert (at.foreground == pseudo_mask(heatmap, plain(name)).foreground).all()
    assert at.foreground.any()
