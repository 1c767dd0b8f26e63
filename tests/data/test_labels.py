"""What uncertain labels and missing ones count as."""

import numpy as np
import pytest

from shortcut_audit.data.labels import apply_label_policy

NAN = float("nan")
LABELS = np.array([[1.0, 0.0], [-1.0, NAN]])


@pytest.mark.parametrize(
    ("uncertain", "blank", "expected"),
    [
        ("ignore", "negative", [[1, 0], [NAN, 0]]),
        ("ones", "negative", [[1, 0], [1, 0]]),
        ("zeros", "ignore", [[1, 0], [0, NAN]]),
        ("ignore", "ignore", [[1, 0], [NAN, NAN]]),
    ],
)
def test_minus_one_and_blanks_count_as_the_policy_says(uncertain, blank, expected):
    before = LABELS.copy()
    np.testing.assert_array_equal(apply_label_policy(LABELS, uncertain=uncertain, blank=blank), expected)
    np.testing.assert_array_equal(LABELS, before)
