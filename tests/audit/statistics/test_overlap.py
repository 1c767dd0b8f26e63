"""Overlap weights on plain arrays: the fit, the balance, the spline, effective sizes and differences of means."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from shortcut_audit.audit.statistics import overlap
from shortcut_audit.audit.statistics.overlap import (
    KNOTS,
    RIDGE,
    effective_influence,
    effective_size,
    fit_propensity,
    mean_difference,
    spline_terms,
)

LOSS = overlap._loss


def drawn(seed, *, n=300, slope=1.0):
    rng = np.random.default_rng(seed)
    terms = rng.normal(size=(n, 2)) * [1.0, 40.0] + [3.0, -100.0]
    present = rng.random(n) < expit(slope * (terms[:, 0] - 3) - 0.3)
    return terms, present, rng.uniform(0.5, 2.0, size=n)


def test_the_fit_is_that_of_an_independent_logistic_regression():
    terms, present, base = drawn(0)
    share = base / base.sum()
    scaled = (terms - share @ terms) / np.sqrt(share @ (terms - share @ terms) ** 2)
    other = LogisticRegression(C=1 / RIDGE, tol=1e-12, max_iter=1000).fit(scaled, present, sample_weight=share)

    assert fit_propensity(terms, present, base).share == pytest.approx(other.predict_proba(scaled)[:, 1], abs=1e-6)


@given(seed=st.integers(0, 10**6), slope=st.floats(-3, 3))
@settings(max_examples=30, deadline=None)
def test_weighted_means_agree_as_li_morgan_and_zaslavsky_prove(seed, slope):
    terms, present, base = drawn(seed, slope=slope)
    fit = fit_propensity(terms, present, base)

    for column in terms.T:
        assert abs(mean_difference(column, present, fit.weights, base=fit.base).value) < 0.02


def test_weights_are_one_minus_e_with_the_attribute_and_e_without():
    terms, present, base = drawn(1)
    fit = fit_propensity(terms, present, base)

    assert fit.weights[present] == pytest.approx((fit.base * (1 - fit.share))[present], abs=1e-15)
    assert fit.weights[~present] == pytest.approx((fit.base * fit.share)[~present], abs=1e-15)


def test_one_binary_column_gives_the_shares_of_its_two_strata():
    stratum = np.repeat([0.0, 0.0, 1.0, 1.0], [30, 10, 20, 60])
    present = np.repeat([True, False, True, False], [30, 10, 20, 60])
    share = fit_propensity(stratum[:, None], present, np.ones(120)).share

    assert share[[0, -1]] == pytest.approx([30 / 40, 20 / 80], abs=2e-3)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_every_row_twice_is_the_same_fit(seed):
    terms, present, base = drawn(seed, n=60)
    once, twice = (fit_propensity(np.tile(terms, (k, 1)), np.tile(present, k), np.tile(base, k)) for k in (1, 2))

    assert twice.share[:60] == pytest.approx(once.share, abs=1e-9)


def test_a_column_that_separates_the_groups_still_has_finite_weights():
    column = np.linspace(-1, 1, 50)
    fit = fit_propensity(column[:, None], column > 0, np.ones(50))

    assert np.isfinite(fit.weights).all()
    assert ((fit.share > 0) & (fit.share < 1)).all()
    assert effective_size(fit.weights[column > 0]) < 10


def test_a_fit_looks_at_the_loss_a_few_times(monkeypatch):
    """Near the maximum rounding once made every step look bad, and it was halved 40 times."""
    looks = []
    monkeypatch.setattr(overlap, "_loss", lambda *given: looks.append(1) or LOSS(*given))
    rng = np.random.default_rng(6)
    for _ in range(10):
        terms = rng.normal(size=(5000, 4))
        fit = fit_propensity(terms, rng.random(5000) < expit(terms[:, 0] - 1), np.ones(5000))
        slope = fit.design.T @ (fit.base * (fit.present - fit.share))
        assert abs(slope[0]) < 1e-12

    assert len(looks) <= 10 * 10


def test_two_equal_columns_are_as_good_as_one():
    terms, present, base = drawn(2)
    one = fit_propensity(terms[:, :1], present, base)
    two = fit_propensity(terms[:, [0, 0]], present, base)

    assert two.share == pytest.approx(one.share, abs=1e-3)


def test_the_influence_is_the_derivative_of_a_coefficient_by_the_weight_of_a_row():
    terms, present, base = drawn(3, n=80)
    fit = fit_propensity(terms, present, base)
    # A number that is the linear predictor at one point, in terms that do not move with the weights.
    point = fit.design[7]
    found = fit.influence(point)[20]

    def predictor(weight):
        share = fit.base.copy()
        share[20] *= weight
        coefficients = np.zeros(3)
        for _ in range(50):
            e = expit(fit.design @ coefficients)
            ridge = np.array([0, RIDGE, RIDGE])
            slope = fit.design.T @ (share * (present - e)) - ridge * coefficients
            coefficients += np.linalg.solve((fit.design.T * share * e * (1 - e)) @ fit.design + np.diag(ridge), slope)
        return point @ coefficients

    assert found == pytest.approx((predictor(1.001) - predictor(0.999)) / 0.002, rel=1e-3)


def test_bends_are_straight_beyond_the_outer_knots_and_curved_between():
    column = np.sort(np.random.default_rng(4).normal(size=400))
    terms = spline_terms([column], curved=True)
    knots = np.quantile(column, KNOTS, method="inverted_cdf")

    assert terms.shape == (400, 3)
    for bend in terms.T[1:]:
        assert bend[column <= knots[0]] == pytest.approx(0, abs=1e-12)
        outside = column >= knots[-1]
        line = np.polyfit(column[outside], bend[outside], 1)
        assert bend[outside] == pytest.approx(np.polyval(line, column[outside]), abs=1e-9)
    between = (column > knots[0]) & (column < knots[1])
    whole = knots[-1] - knots[0]
    assert terms[between, 1] == pytest.approx(((column[between] - knots[0]) / whole) ** 3, abs=1e-12)


def test_a_column_of_few_values_has_no_bends_and_bends_can_be_left_out():
    few = np.tile([0.0, 1.0], 20)
    many = np.arange(40.0)

    assert spline_terms([few, many], curved=True).shape == (40, 4)
    assert spline_terms([few, many], curved=False).shape == (40, 2)


def test_kishs_effective_size_by_hand():
    assert effective_size(np.ones(4)) == 4
    assert effective_size(np.array([1.0, 1.0, 2.0])) == pytest.approx(16 / 6)
    assert effective_size(np.array([5.0, 0.0])) == 1


def test_the_influence_on_the_effective_size_is_its_derivative_by_the_number_of_patients():
    weights = np.array([1.0, 3.0, 0.5, 2.0])
    found = effective_influence(weights)

    for row in range(4):
        count = np.ones(4)
        sizes = []
        for moved in (0.999, 1.001):
            count[row] = moved
            sizes.append((count @ weights) ** 2 / (count @ weights**2))
        assert found[row] == pytest.approx((sizes[1] - sizes[0]) / 0.002, rel=1e-4)
    assert effective_influence(np.ones(9)) == pytest.approx(np.ones(9))


def test_a_difference_of_means_by_hand():
    column, present = np.array([1.0, 3.0, 0.0, 4.0]), np.array([True, True, False, False])

    found = mean_difference(column, present, np.array([1.0, 1.0, 3.0, 1.0]))
    # Means 2 and 1, variances 1 and 3.
    assert found.value == pytest.approx(1 / np.sqrt(2))


def test_after_weighting_the_standard_deviation_stays_that_before():
    column, present = np.array([1.0, 3.0, 0.0, 4.0]), np.array([True, True, False, False])

    found = mean_difference(column, present, np.array([1.0, 1.0, 3.0, 1.0]), base=np.ones(4))
    assert found.value == pytest.approx(1 / np.sqrt(2.5))


@pytest.mark.parametrize("weighted", [False, True])
def test_the_influence_on_a_difference_is_its_derivative_by_the_weight_of_a_row(weighted):
    rng = np.random.default_rng(5)
    column, present, weights = rng.normal(size=30), rng.random(30) < 0.4, rng.uniform(1, 2, size=30)
    base = np.ones(30) if weighted else None
    found = mean_difference(column, present, weights, base=base).influence

    for row in (0, 11, 29):
        sizes = []
        for factor in (0.999, 1.001):
            moved = weights.copy()
            moved[row] *= factor
            sizes.append(mean_difference(column, present, moved, base=base).value)
        assert found[row] == pytest.approx((sizes[1] - sizes[0]) / 0.002, rel=1e-3)


def test_a_column_without_spread_has_no_difference():
    present = np.array([True, True, False, False])

    assert mean_difference(np.array([0.1, 0.1, 0.3, 0.3]), present, np.ones(4)) is None
    assert mean_difference(np.zeros(4), present, np.ones(4)) is None
