"""From attribution to pseudo-mask: rules by hand, and what must hold for any map."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shortcut_audit.config import PseudoMaskConfig
from shortcut_audit.masks.pseudo_mask import pseudo_mask, without_specks
from shortcut_audit.masks.rules.mass import smallest_set
from shortcut_audit.masks.rules.quantile import above_quantile

PLAIN = PseudoMaskConfig(smooth_px=0, min_area_px=0)
maps = arrays(np.float32, (7, 9), elements=st.floats(-4, 4, width=32))
shares = st.floats(0.05, 0.95)


def test_the_smallest_set_holds_the_share_and_not_more_pixels_than_needed():
    values = np.array([[5.0, 1.0, 0.0], [3.0, 1.0, 0.0]])
    assert smallest_set(values, 0.5).tolist() == [[True, False, False], [False, False, False]]
    assert smallest_set(values, 0.51).tolist() == [[True, False, False], [True, False, False]]
    assert smallest_set(values, 0.8).sum() == 2
    assert smallest_set(values, 0.81).sum() == 3


def test_of_equal_pixels_the_earlier_in_reading_order_is_taken():
    assert smallest_set(np.ones((2, 5)), 0.35).tolist() == [[True] * 4 + [False], [False] * 5]


def test_the_smallest_set_of_nothing_is_nothing():
    assert not smallest_set(np.zeros((3, 3)), 0.6).any()


@given(maps, shares)
def test_the_smallest_set_is_smallest(heatmap, share):
    values = np.maximum(heatmap.astype(np.float64), 0)
    taken = smallest_set(values, share)
    total = values.sum()
    if total == 0:
        assert not taken.any()
        return
    assert values[taken].sum() >= share * total * (1 - 1e-12)
    assert values[taken].sum() - values[taken].min() < share * total
    assert values[taken].min() >= values[~taken].max(initial=0)


@given(maps, shares, st.sampled_from([2.0**-7, 2.0**9]))
def test_a_mask_does_not_depend_on_the_units_of_the_map(heatmap, share, factor):
    config = PLAIN.model_copy(update={"share": share})
    assert (pseudo_mask(heatmap * factor, config).foreground == pseudo_mask(heatmap, config).foreground).all()


@given(maps, st.sampled_from(["mass", "quantile"]), shares)
def test_foreground_is_positive_known_and_at_least_the_threshold(heatmap, rule, share):
    mask = pseudo_mask(heatmap, PLAIN.model_copy(update={"rule": rule, "share": share}))
    assert (heatmap[mask.foreground] > 0).all()
    assert (mask.known | ~mask.foreground).all()
    assert mask.known.all() == mask.known.any() == mask.foreground.any()
    if mask.threshold is None:
        assert not mask.foreground.any()
    else:
        assert heatmap[mask.foreground].min() == pytest.approx(mask.threshold)


@given(maps, shares)
def test_the_mass_rule_grows_with_its_share(heatmap, share):
    less = pseudo_mask(heatmap, PLAIN.model_copy(update={"share": share / 2})).foreground
    more = pseudo_mask(heatmap, PLAIN.model_copy(update={"share": share})).foreground
    assert (more | ~less).all()


def test_the_quantile_rule_takes_the_pixels_above_the_quantile():
    values = np.arange(100.0).reshape(10, 10)
    assert above_quantile(values, 0.9).sum() == 10
    assert above_quantile(values, 0.9).ravel()[-10:].all()


def test_smoothing_spreads_a_spot_and_keeps_its_place():
    spot = np.zeros((21, 21), dtype=np.float32)
    spot[10, 10] = 1
    assert pseudo_mask(spot, PLAIN).foreground.sum() == 1
    smooth = pseudo_mask(spot, PseudoMaskConfig(smooth_px=1.5, min_area_px=0)).foreground
    assert smooth.sum() > 9
    assert smooth[10, 10]
    assert (smooth == smooth[::-1, ::-1]).mean() > 0.98


def test_negative_attribution_near_by_cancels_before_it_is_cut():
    noise = np.indices((20, 20)).sum(0) % 2 * 2.0 - 1
    noise[5:9, 5:9] += 1
    found = pseudo_mask(noise.astype(np.float32), PseudoMaskConfig(smooth_px=1.5, share=0.6, min_area_px=0)).foreground
    assert found[5:9, 5:9].mean() > 0.5
    assert found[12:].sum() == 0


def test_specks_go_and_corners_connect():
    mask = np.zeros((6, 8), dtype=bool)
    mask[0, 0] = mask[1, 1] = mask[2, 2] = True
    mask[5, 7] = True
    assert without_specks(mask, 3).sum() == 3
    assert without_specks(mask, 4).sum() == 0
    assert (without_specks(mask, 0) == mask).all()


def test_a_map_with_nothing_positive_gives_a_mask_that_knows_nothing():
    mask = pseudo_mask(np.full((8, 8), -1, dtype=np.float32), PseudoMaskConfig())
    assert not mask.foreground.any()
    assert not mask.known.any()
    assert mask.threshold is None


def test_a_mask_that_was_all_specks_knows_nothing_but_keeps_its_threshold():
    heatmap = np.zeros((8, 8), dtype=np.float32)
    heatmap[2, 2] = 1
    mask = pseudo_mask(heatmap, PseudoMaskConfig(smooth_px=0, min_area_px=2))
    assert not mask.known.any()
    assert mask.threshold == 1
