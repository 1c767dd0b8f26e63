"""A small cut of the nightly simulation of coverage, and the truths and rules that it rests on."""

import numpy as np
import pytest
from scipy.stats import binom
from simulation.coverage import CELLS, NUMBERS, Cell, Drawn, cover, misses, page
from simulation.parts import simulate

FEW = 250
CUT = ("0.5 | 30 | 30 | 1 | continuous", "0.7 | 60 | 300 | 3 | 5 levels", "0.97 | 60 | 300 | 1 | continuous")


def large(area, levels, images=1):
    return Cell(auroc=area, positives=60_000, negatives=60_000, images=images, levels=levels)


@pytest.mark.parametrize("levels", [False, True])
@pytest.mark.parametrize("area", [0.5, 0.7, 0.9, 0.97])
def test_the_true_auroc_is_the_one_asked_for(area, levels):
    assert large(area, levels).truths["AUROC"] == pytest.approx(area, abs=1e-9)


@pytest.mark.parametrize(("area", "levels", "images"), [(0.7, False, 1), (0.9, True, 3)])
def test_the_truths_are_met_by_a_large_table(area, levels, images):
    cell = large(area, levels, images)

    found = Drawn(cell, np.random.default_rng(0)).numbers()

    for number, truth in cell.truths.items():
        assert abs(found[number].value - truth) < 4 * found[number].standard_error, number
        assert found[number].standard_error < 0.01


def test_images_of_a_patient_are_correlated_at_one_half():
    noise = Drawn(large(0.5, levels=False, images=3), np.random.default_rng(0)).noise().reshape(-1, 3)

    assert np.corrcoef(noise[:, 0], noise[:, 2])[0, 1] == pytest.approx(0.5, abs=0.02)


def test_the_cells_are_those_of_the_plan():
    assert len(CELLS) == 4 * 3 * 3 * 2 * 2
    assert set(CUT) < set(CELLS)


@pytest.mark.parametrize("name", CUT)
def test_intervals_cover_in_a_small_cut(name):
    """The bound is what an interval that covers .94 misses once in 100,000 times."""
    for number, count in cover(name, FEW).items():
        assert count["below"] + count["above"] <= binom.ppf(1 - 1e-5, FEW, 0.06), number


def counts(below, *, exact=0, patients=60):
    return {"below": below, "above": 0, "exact": exact, "patients": patients}


@pytest.mark.parametrize(("count", "missed"), [
    (counts(50), False), (counts(70), False), (counts(71), True), (counts(30), False), (counts(29), True),
    (counts(0, exact=50), False), (counts(0, exact=49), True), (counts(0, patients=19), False),
    (counts(71, exact=1000, patients=5), True),
])  # fmt: skip
def test_too_much_is_no_miss_only_where_patients_or_errors_are_scarce(count, missed):
    found = {CUT[0]: {"AUROC": count}}

    assert bool(misses(found, 1000)) is missed


def test_the_page_shows_a_miss_in_bold_and_says_how_it_was_made():
    found = {CUT[0]: {"AUROC": counts(50), "gap": counts(100), "paired difference": counts(10, exact=1000)}}

    text = page(found, 1000, "the command")

    assert f"| {CUT[0]} | 95.0 | **90.0** | 99.0 * |" in text
    assert "Held in 2 of 3." in text
    assert "`the command`; do not edit. 1,000 simulated tables a row" in text
    assert "missed: gap at 0.5, 30, 30, 1, continuous: 90.0; 0.0 lie above the truth, 10.0 below" in text


def test_a_stopped_run_goes_on_where_it_was(tmp_path):
    keep = tmp_path / "kept" / "coverage.jsonl"
    first = simulate(CUT[:1], cover, replicates=3, processes=1, keep=keep)
    keep.write_text(keep.read_text().replace('"below": 0', '"below": 77'))

    both = simulate(CUT[:2], cover, replicates=3, processes=1, keep=keep)

    assert [one["below"] for one in first[CUT[0]].values()] == [0, 0, 0]
    assert [both[CUT[0]][number]["below"] for number in NUMBERS] == [77, 77, 77]
    assert list(both) == list(CUT[:2])
    assert simulate(CUT[:1], cover, replicates=2, processes=1, keep=keep)[CUT[0]]["AUROC"]["below"] < 3
