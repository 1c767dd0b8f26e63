"""The interval of a number from its influence per patient."""

import numpy as np
import pytest
from audit_worlds import sampling
from scipy.stats import t

from shortcut_audit.audit.statistics.estimate import Tally, Undefined
from shortcut_audit.audit.statistics.linearised import by_patient, linearised

TALLY = Tally(n_pos=3, n_neg=3, n_patients=3)
THREE = sampling([0, 0, 1, 1, 2, 2])


def found(influence, df=2):
    return linearised(0.4, np.array(influence), df=df, tally=TALLY, sampling=THREE, confidence=0.9)


def test_the_interval_is_t_times_the_root_of_the_sum_of_squares():
    estimate = found([0.03, 0.0, 0.04])

    assert (estimate.value, estimate.method) == (0.4, "clustered by patient, linearised, t")
    assert estimate.high - 0.4 == pytest.approx(0.05 * t.ppf(0.95, 2))
    assert 0.4 - estimate.low == pytest.approx(estimate.high - 0.4)


def test_a_single_patient_and_a_number_that_nobody_moves_have_no_interval():
    assert found([0.1, 0.0, 0.0], df=0) == Undefined(reason="too few patients to tell how much they vary", tally=TALLY)
    assert found([0.0, 0.0, 0.0]) == Undefined(reason="no patient moves it, so it has no interval", tally=TALLY)


def test_values_are_summed_over_each_patients_rows():
    assert by_patient(np.array([1.0, 2.0, 4.0]), np.array([0, 1, 5]), THREE).tolist() == [3, 0, 4]
