"""Where an interval lies to the margin."""

import pytest

from shortcut_audit.audit.measures.margin import against_margin
from shortcut_audit.audit.statistics.estimate import Estimate, Tally, Undefined

TALLY = Tally(n_pos=1, n_neg=1, n_patients=2)


@pytest.mark.parametrize(("low", "high", "expected"), [
    (0.06, 0.2, ("yes", "the whole interval lies beyond 0.05")),
    (-0.2, -0.06, ("yes", "the whole interval lies beyond 0.05")),
    (-0.04, 0.04, ("no", "the whole interval lies within 0.05")),
    (-0.04, 0.06, ("cannot tell", "the interval covers the limit 0.05")),
    (0.05, 0.06, ("cannot tell", "the interval covers the limit 0.05")),
])  # fmt: skip
def test_the_whole_interval_decides(low, high, expected):
    found = Estimate(value=(low + high) / 2, low=low, high=high, confidence=0.95, tally=TALLY, method="")

    assert against_margin(found, 0.05) == expected


def test_what_is_undefined_cannot_tell_and_keeps_its_reason():
    assert against_margin(Undefined(reason="no positives", tally=TALLY), 0.05) == ("cannot tell", "no positives")
