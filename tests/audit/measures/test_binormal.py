"""Shifts that would make the gap: known answers under the binormal model."""

import numpy as np
import polars as pl
import pytest
from audit_worlds import cells, question, world
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from shortcut_audit.audit.checks import CHECKS
from shortcut_audit.audit.measures.binormal import shifts


def two_sided(seed, *, x, y, n=4000):
    """An honest binormal score whose positives with a tube are x SD more severe, negatives y SD more suspicious."""
    frame = cells({(1, 1): n, (1, 0): n, (0, 1): n, (0, 0): n}, seed=seed, skill=1.5)
    label, tube = (frame[name].to_numpy() for name in ("label", "attribute.tube"))
    return frame.with_columns(pl.Series("score", frame["score"].to_numpy() + tube * np.where(label == 1, x, y)))


@pytest.mark.parametrize(("x", "y"), [(1.0, 0.5), (-0.4, 0.8), (0.0, 0.0)])
def test_the_shifts_of_a_binormal_world_are_found_again(x, y):
    severity, suspicion = shifts(question(two_sided(1, x=x, y=y)))

    assert severity.low < x < severity.high
    assert suspicion.low < y < suspicion.high
    assert severity.high - severity.low < 0.14


def test_any_monotone_scale_of_the_score_gives_the_same():
    frame = two_sided(2, x=1.0, y=0.5, n=200)
    plain, bent = (shifts(question(one))[0].value for one in (frame, frame.with_columns(pl.col("score").exp())))

    assert bent == pytest.approx(plain, abs=1e-12)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_the_shifts_add_up_to_the_gap_on_the_probit_scale(seed):
    asked = question(world(seed, n=400))
    severity, suspicion = shifts(asked)
    gap = np.sqrt(2) * (norm.ppf(asked.pair(1, 0).value) - norm.ppf(asked.pair(0, 1).value))

    assert severity.value + suspicion.value == pytest.approx(gap, abs=1e-12)


def test_shifts_are_of_those_with_the_attribute_whatever_the_association():
    frame = two_sided(3, x=1.0, y=0.5, n=300)
    straight, turned = (shifts(question(frame, association=sign)) for sign in ("positive", "negative"))

    assert [one.value for one in turned] == pytest.approx([one.value for one in straight], abs=1e-12)


def test_no_finite_shift_explains_a_perfect_order():
    frame = cells({(1, 1): 20, (1, 0): 20, (0, 1): 20, (0, 0): 20}, skill=1.0)
    perfect = frame.with_columns(pl.col("label") + 10 * pl.col("label") * pl.col("attribute.tube"))
    perfect = perfect.with_columns(pl.Series("score", frame["score"].to_numpy() + 20 * frame["label"].to_numpy()))

    assert (
        shifts(question(perfect.with_columns(frame["label"])))[0].reason == "A10 is 1, which no finite shift explains"
    )


def test_an_empty_cell_leaves_the_shifts_undefined():
    severity, _ = shifts(question(cells({(1, 1): 20, (0, 1): 20, (0, 0): 20})))

    assert severity.reason == "the test set has no positives without tube"


def test_the_check_gives_both_with_their_counts():
    metrics = CHECKS.get("sensitivity")(question(world(1, reads=1.0))).metrics

    assert [metric.name for metric in metrics] == ["severity_to_explain", "suspicion_to_explain"]
    assert all(metric.n == 1200 and metric.low > 0.3 for metric in metrics)
