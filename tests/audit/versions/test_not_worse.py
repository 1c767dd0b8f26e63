"""Is B worse than A by more than a margin? Against the plain difference, and against every sign a gap can have."""

import numpy as np
import pytest
from audit_worlds import sampling

from shortcut_audit.audit.measures.seeds import combine
from shortcut_audit.audit.statistics.estimate import Contrast
from shortcut_audit.audit.statistics.metrics import auroc
from shortcut_audit.audit.versions.contrasts import GAP, ROBUST, SHIFTS
from shortcut_audit.audit.versions.not_worse import judge, worse_by

FILMS = 400
LABEL = np.arange(FILMS) % 2 == 0
PATIENTS = sampling(np.arange(FILMS))


def area(skill, seed=0):
    """An AUROC of about .76 at a skill of 1."""
    scores = skill * LABEL + np.random.default_rng(seed).normal(size=FILMS)
    part = auroc(np.flatnonzero(LABEL), np.flatnonzero(~LABEL), PATIENTS, scores)
    return Contrast(sampling=PATIENTS, rows=(LABEL, ~LABEL), parts=((1.0, part),))


def gap(size, seed=0):
    return area(1 + size, seed) - area(1 - size, seed + 1)


def test_where_higher_is_better_the_loss_is_a_minus_b():
    a, b = area(1.5), area(0.5, 1)
    value, low, high = worse_by(ROBUST, [a], [b], 0.95)
    plain = combine([(1.0, [a]), (-1.0, [b])], 0.95)

    assert (value, low, high) == pytest.approx((plain.value, plain.low, plain.high), abs=1e-12)
    assert value == pytest.approx(a.value - b.value, abs=1e-12)


def test_a_gap_that_closes_is_better_whatever_its_sign():
    for sign in (1, -1):
        value, low, high = worse_by(GAP, [gap(sign * 1.0)], [gap(0.0, 5)], 0.95)
        assert low < value < high < 0


def test_a_gap_that_turns_round_is_as_large_as_it_was():
    """The difference of the gaps is -.9, their distances from 0 are alike: not better, and not shown to be worse."""
    a, b = gap(1.0), -1.0 * gap(1.0, 7)
    value, low, high = worse_by(GAP, [a], [b], 0.95)

    assert value == pytest.approx(abs(b.value) - abs(a.value), abs=1e-12)
    assert low < value < high
    assert high - low < 0.3


def test_the_limits_hold_the_loss_for_every_combination_of_signs():
    for a, b in [(1.0, 1.5), (-1.0, 1.5), (1.0, -1.5), (-1.0, -1.5), (0.0, 0.0), (1.5, 0.2)]:
        old, new = gap(a), gap(b, 3)
        value, low, high = worse_by(GAP, [old], [new], 0.95)
        assert value == pytest.approx(abs(new.value) - abs(old.value), abs=1e-12)
        assert low < value < high


def test_a_score_shift_is_measured_from_one_half():
    number = SHIFTS[0]
    value, _, high = worse_by(number, [area(-1.0)], [area(1.0, 2)], 0.95)
    better = worse_by(number, [area(-1.0)], [area(0.0, 2)], 0.95)

    assert value == pytest.approx(abs(area(1.0, 2).value - 0.5) - abs(area(-1.0).value - 0.5), abs=1e-12)
    assert high < 0.2, "the difference of the AUROCs, .5, is no loss"
    assert better[2] < 0


def test_two_numbers_without_a_deviation_are_not_worse_and_nothing_else():
    _, low, high = worse_by(GAP, [gap(0.0)], [gap(0.0, 9)], 0.95)

    assert low < 0 < high
    assert judge(low, high, 0.3) == "no"
    assert judge(low, high, 0.01) == "cannot tell"


def test_an_undefined_number_gives_its_reason():
    missing = Contrast(sampling=PATIENTS, rows=(LABEL, ~LABEL), reason="the test set has no such film")

    assert worse_by(GAP, [gap(0.0)], [missing], 0.95) == "the test set has no such film"
    assert worse_by(ROBUST, [missing], [area(1.0)], 0.95) == "the test set has no such film"


@pytest.mark.parametrize(
    ("low", "high", "evidence"),
    [(0.03, 0.09, "yes"), (-0.05, 0.01, "no"), (-0.05, 0.03, "cannot tell"), (0.02, 0.03, "cannot tell"),
     (-0.03, 0.02, "cannot tell")],
)  # fmt: skip
def test_only_a_whole_interval_decides(low, high, evidence):
    assert judge(low, high, 0.02) == evidence


@pytest.mark.parametrize("true_a", [0.6, -0.6, 0.0])
def test_a_gap_that_is_truly_worse_by_the_margin_is_seldom_called_not_worse(true_a):
    """B is worse by the whole margin: PASS is an error, allowed in 1 of 40."""
    from scipy.stats import norm

    def true_gap(size):
        return norm.cdf((1 + size) / np.sqrt(2)) - norm.cdf((1 - size) / np.sqrt(2))

    true_b = 1.0
    margin = abs(true_gap(true_b)) - abs(true_gap(true_a))
    errors = 0
    for seed in range(150):
        _, _, high = worse_by(GAP, [gap(true_a, 10 * seed)], [gap(true_b, 10 * seed + 5)], 0.95)
        errors += high < margin
    assert errors <= 9, "2.5 % of 150 are 4; 10 or more have a chance under 1 %"
