"""Smooth strokes."""

import numpy as np
import pytest

from shortcut_audit.data.strokes import bezier, stroke


def test_a_curve_runs_from_its_first_to_its_last_point_through_the_known_middle():
    points = np.array([[0.0, 0.0], [0.5, 1.0], [1.0, 0.0]])
    curve = bezier(points, steps=25)
    assert curve.shape == (25, 2)
    assert curve[0].tolist() == [0, 0]
    assert curve[-1].tolist() == [1, 0]
    assert curve[12] == pytest.approx([0.5, 0.5])  # (a + 2 b + c) / 4


def test_a_curve_of_two_points_is_a_line():
    assert bezier(np.array([[0.0, 1.0], [1.0, 3.0]]), steps=3) == pytest.approx(np.array([[0, 1], [0.5, 2], [1, 3]]))


@pytest.mark.parametrize("size", [64, 128])
def test_a_stroke_is_seven_tenths_of_its_width_at_half_its_height(size):
    drawn = stroke([np.array([[0.5, 0.0], [0.5, 1.0]])], size=size, width=0.1)
    profile = drawn[size // 2]
    assert drawn.shape == (size, size)
    assert profile.max() == pytest.approx(1, abs=0.02)
    assert (profile > 0.5).sum() / size == pytest.approx(0.07, abs=0.02)
    assert profile[: size // 4].max() < 0.001


def test_nothing_drawn_is_nothing():
    assert stroke([], size=32, width=0.1).max() == 0


def test_the_same_lines_give_the_same_bytes():
    lines = [bezier(np.random.default_rng(0).random((3, 2)))]
    assert stroke(lines, size=48, width=0.03).tobytes() == stroke(lines, size=48, width=0.03).tobytes()
