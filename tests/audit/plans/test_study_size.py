"""How many patients a study needs: against the published order of magnitude, and against simulated studies."""

import numpy as np
import polars as pl
import pytest
from audit_worlds import question
from scipy.special import ndtri

from shortcut_audit.audit.checks import CHECKS
from shortcut_audit.audit.plans.planning import patients_by_margin
from shortcut_audit.audit.plans.study_size import EQUAL, Design, needs_of, shares_of_rates

AUROC = 0.9
MIX = shares_of_rates(0.3, 0.7, 0.2)


def design(**fields):
    plain = {"gap": 0.05, "auroc": AUROC, "pair_correlation": 0.9, "confidence": 0.95, "rows": 1, "least": 30}
    return Design(**{**plain, **fields})


def study(rng, cells, *, gap=0.0, correlation=None):
    """Two normal distributions; negatives with the tube score higher where there is a gap."""
    label, tube = (np.concatenate([np.full(n, cell[side]) for cell, n in cells.items()]) for side in (0, 1))
    apart, robust = (np.sqrt(2) * ndtri(area) for area in (AUROC, AUROC - gap))
    mean = apart * label + (apart - robust) * ((label == 0) & (tube == 1))
    noise = rng.normal(size=len(label))
    columns = {"sample_id": [f"s{i}" for i in range(len(label))], "label": label, "score": mean + noise,
               "attribute.tube": tube.astype(float)}  # fmt: skip
    if correlation is not None:
        other = mean + correlation * noise + np.sqrt(1 - correlation**2) * rng.normal(size=len(label))
        columns["score_with.tube"] = np.where(tube == 1, mean + noise, other)
        columns["score_without.tube"] = np.where(tube == 0, mean + noise, other)
    return question(pl.DataFrame(columns))


@pytest.mark.parametrize(
    ("place", "check", "evidence", "truth"),
    [
        (0, "gap", "no", {}), (1, "gap", "yes", {"gap": 0.1}), (2, "gap", "yes", {"gap": 0.15}),
        (3, "reliance", "no", {"correlation": 0.9}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("shares", [EQUAL, MIX], ids=["equal cells", "at rates"])
def test_a_study_of_that_size_answers_at_least_about_as_often_as_promised(shares, place, check, evidence, truth):
    need = needs_of(design(), shares)[place]
    rng = np.random.default_rng(place)
    answers = [CHECKS.get(check)(study(rng, need.cells, **truth)).answers[0].evidence for _ in range(60)]

    # With a power of .8, fewer than 39 of 60 in 1 of 400 tries; the draws are fixed.
    assert np.mean([answer == evidence for answer in answers]) >= 0.65


@pytest.mark.parametrize("auroc", [0.8, 0.9, 0.95])
def test_equal_cells_agree_with_what_an_open_gap_is_told(auroc):
    (within, *_) = needs_of(design(auroc=auroc), EQUAL)

    assert within.cells[1, 1] == pytest.approx(patients_by_margin(auroc, 0.05, 0.95), rel=0.02)


def test_a_third_of_that_size_would_not_do():
    need = needs_of(design(), EQUAL)[0]
    few = {cell: count // 3 for cell, count in need.cells.items()}
    rng = np.random.default_rng(5)
    answers = [CHECKS.get("gap")(study(rng, few)).answers[0].evidence for _ in range(60)]

    assert np.mean([answer == "no" for answer in answers]) < 0.5


def test_unequal_cells_take_more_in_all_and_keep_the_mix():
    equal, mixed = needs_of(design(), EQUAL)[0], needs_of(design(), MIX)[0]

    assert mixed.total > equal.total
    for cell, share in MIX.items():
        assert mixed.cells[cell] / mixed.total == pytest.approx(share, rel=0.01)


def test_more_rows_at_once_take_more_to_find_a_gap_and_as_many_to_rule_it_out():
    one, ten = needs_of(design(), EQUAL), needs_of(design(rows=10), EQUAL)

    assert ten[1].total > one[1].total
    assert ten[0].total == one[0].total


@pytest.mark.parametrize("shares", [EQUAL, MIX])
def test_every_cell_has_as_many_as_a_pass_needs(shares):
    assert all(min(need.cells.values()) >= 50 for need in needs_of(design(least=50, gap=0.3), shares))


def test_scores_that_never_move_still_take_what_0_of_n_leaves_open():
    still = needs_of(design(pair_correlation=0.9999999, least=2), EQUAL)[3]

    assert still.cells[1, 1] + still.cells[1, 0] == pytest.approx(np.log(0.025) / np.log(0.95), abs=2)


def test_the_share_of_each_cell_follows_from_the_rates():
    assert shares_of_rates(0.25, 0.8, 0.4) == pytest.approx({(1, 1): 0.2, (1, 0): 0.05, (0, 1): 0.3, (0, 0): 0.45})


def test_reliance_is_planned_with_the_variance_of_hanley_and_mcneil_in_unequal_classes():
    shares = shares_of_rates(0.1, 0.5, 0.5)
    need = needs_of(design(pair_correlation=0.0, least=2), shares)[3]
    m, n = (need.cells[label, 1] + need.cells[label, 0] for label in (1, 0))
    q1, q2 = AUROC / (2 - AUROC), 2 * AUROC**2 / (1 + AUROC)
    variance = (AUROC * (1 - AUROC) + (m - 1) * (q1 - AUROC**2) + (n - 1) * (q2 - AUROC**2)) / (m * n)

    # Scores of no correlation: two AUROCs that vary apart.
    assert (ndtri(0.975) + ndtri(0.9)) * np.sqrt(2 * variance) == pytest.approx(0.05, rel=0.02)


def test_where_no_study_is_large_enough_there_is_no_size():
    within, *_, excluded = needs_of(design(gap=1e-5), EQUAL)

    assert (within.cells, within.total, excluded.cells, excluded.total) == (None, None, None, None)


def test_a_gap_that_would_take_the_robust_auroc_to_0_is_not_planned_for():
    answers = [[need.answer for need in needs_of(design(gap=gap, auroc=0.6), EQUAL)] for gap in (0.19, 0.2, 0.3)]

    assert [answer[1:-1] for answer in answers] == [
        ["gap BEYOND 0.19, if it is 0.38", "gap BEYOND 0.19, if it is 0.57"], ["gap BEYOND 0.2, if it is 0.4"], []
    ]  # fmt: skip
