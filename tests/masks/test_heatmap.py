"""Heat maps at their own size: means by hand, and nothing is lost on the way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shortcut_audit.masks.heatmap import enlarge, quantise, shrink


def test_whole_fields_are_means_of_their_pixels():
    heatmap = np.arange(24, dtype=np.float32).reshape(4, 6)
    assert shrink(heatmap, (2, 2)).tolist() == [[4.0, 7.0], [16.0, 19.0]]


def test_a_pixel_on_an_edge_counts_in_parts():
    assert shrink(np.array([[3.0, 6.0, 9.0]], dtype=np.float32), (1, 2))[0] == pytest.approx([4.0, 8.0])


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 20), st.integers(1, 20))
def test_the_mean_stays_whatever_the_sizes(height, width, rows, columns):
    heatmap = np.random.default_rng(0).normal(size=(height, width)).astype(np.float32)
    small = shrink(heatmap, (min(rows, height), min(columns, width)))
    assert small.shape == (min(rows, height), min(columns, width))
    assert small.mean() == pytest.approx(heatmap.mean(), abs=1e-5)


def test_the_largest_of_either_sign_sets_the_scale():
    assert quantise(np.array([[-254.0, 127.0]], dtype=np.float32))[1] == 2.0
    assert quantise(np.array([[1.0, 127.0]], dtype=np.float32))[1] == 1.0


def test_a_field_is_spread_over_its_pixels():
    large = enlarge(np.array([[1.0, 2.0]], dtype=np.float32), (2, 4))
    assert large.tolist() == [[1.0, 1.0, 2.0, 2.0]] * 2
    assert enlarge(np.array([[4.0, 8.0]], dtype=np.float32), (1, 3))[0] == pytest.approx([4.0, 6.0, 8.0])


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 20), st.integers(1, 20))
def test_the_mean_stays_when_a_map_is_enlarged(height, width, rows, columns):
    small = np.random.default_rng(0).normal(size=(min(rows, height), min(columns, width))).astype(np.float32)
    large = enlarge(small, (height, width))
    assert large.shape == (height, width)
    assert large.mean() == pytest.approx(small.mean(), abs=1e-5)
