"""Otsu's threshold: by brute force, and by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shortcut_audit.config import PseudoMaskConfig
from shortcut_audit.masks.rules.fixed import Fixed
from shortcut_audit.masks.rules.otsu import Otsu, otsu_level


def variance_within(levels, cut):
    low, high = levels[levels <= cut], levels[levels > cut]
    return (low.var() * len(low) + high.var() * len(high)) / len(levels)


@given(arrays(np.int64, 40, elements=st.integers(0, 15)).filter(lambda values: len(set(values.tolist())) > 1))
def test_the_level_has_the_least_variance_within_the_classes(levels):
    cuts = range(levels.min(), levels.max())
    best = min(variance_within(levels, cut) for cut in cuts)
    found = otsu_level(np.bincount(levels, minlength=16))
    assert variance_within(levels, found) <= best + 1e-9


def test_two_heaps_are_parted_between_them():
    values = np.array([[0.0, 1.0, 2.0, 90.0], [1.0, 100.0, 95.0, 0.0]])
    assert Otsu().take(values, PseudoMaskConfig()).tolist() == [[False, False, False, True], [False, True, True, False]]


def test_a_fixed_part_of_the_largest_value_is_the_threshold():
    values = np.array([[0.0, 4.0, 5.0, 6.0, 10.0]])
    assert Fixed().take(values, PseudoMaskConfig(level=0.5)).tolist() == [[False, False, False, True, True]]
