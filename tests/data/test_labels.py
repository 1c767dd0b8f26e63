"""What uncertain labels and missing ones count as."""

import numpy as np
import pytest

from shortcut_audit.data.labels import apply_label_policy, taught_labels

NAN = float("nan")
LABELS = np.array([[1.0, 0.0], [-1.0, NAN]])


@pytest.mark.parametrize(
    ("uncertain", "blank", "expected"),
    [
        ("ignore", "negative", [[1, 0], [NAN, 0]]),
        ("ones", "negative", [[1, 0], [1, 0]]),
        ("zeros", "ignore", [[1, 0], [0, NAN]]),
        ("ignore", "ignore", [[1, 0], [NAN, NAN]]),
        ("multiclass", "negative", [[1, 0], [NAN, 0]]),
    ],
)
def test_minus_one_and_blanks_count_as_the_policy_says(uncertain, blank, expected):
    before = LABELS.copy()
    np.testing.assert_array_equal(apply_label_policy(LABELS, uncertain=uncertain, blank=blank), expected)
    np.testing.assert_array_equal(LABELS, before)


@pytest.mark.parametrize(
    ("uncertain", "blank", "expected"),
    [
        ("multiclass", "negative", [[1, 0], [-1, 0]]),
        ("multiclass", "ignore", [[1, 0], [-1, NAN]]),
        ("ones", "negative", [[1, 0], [1, 0]]),
        ("ignore", "ignore", [[1, 0], [NAN, NAN]]),
    ],
)
def test_only_as_a_class_of_its_own_is_an_uncertain_label_taught(uncertain, blank, expected):
    np.testing.assert_array_equal(taught_labels(LABELS, uncertain=uncertain, blank=blank), expected)
