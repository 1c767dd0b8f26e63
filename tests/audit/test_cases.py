"""Which films the gallery shows, and that their ids stay out of it."""

import stat

import numpy as np
import polars as pl
import pytest
from audit_worlds import question, world
from sklearn.metrics import roc_curve

from shortcut_audit.audit.cases import choose_cases, threshold, write_cases

FLIPS = "decision flips when the attribute is switched"
FOOLED = "most fooled: the attribute and the finding disagree"


def films(**options):
    return pl.concat([world(1, n=400, **options), world(2, n=400, split="val", **options)])


def test_films_are_chosen_for_four_reasons_in_turn_and_numbered():
    chosen = choose_cases([question(films(reads=1.5))], count=12)

    assert [case.case for case in chosen] == [f"case {k:04d}" for k in range(1, 13)]
    assert len({case.chosen_because for case in chosen}) == 4
    assert len({case.sample_id for case in chosen}) == 12
    assert all(case.sample_id.startswith("test") for case in chosen)


def test_flipping_decisions_flip_with_the_largest_change_first():
    asked = question(films(reads=1.5))
    limit = threshold(asked)
    flipping = [case for case in choose_cases([asked], count=40) if case.chosen_because == FLIPS]
    changes = [abs(case.shifts[0].score_with - case.shifts[0].score_without) for case in flipping]

    assert len(flipping) >= 5
    assert all((case.shifts[0].score_with >= limit) != (case.shifts[0].score_without >= limit) for case in flipping)
    assert all(case.shifts[0].flips for case in flipping)
    assert changes == sorted(changes, reverse=True)


def test_the_most_fooled_are_wrong_where_attribute_and_finding_disagree():
    asked = question(films(reads=3.0, paired=False))
    fooled = [case for case in choose_cases([asked], count=30) if case.chosen_because == FOOLED]

    assert fooled
    assert all(str(case.label) != case.value for case in fooled)
    assert all(case.shifts == () for case in fooled)


def test_the_choice_is_the_same_every_time_and_the_seed_changes_the_draw():
    asked = question(films())
    once, again, other = (choose_cases([asked], count=20, seed=seed) for seed in (0, 0, 1))

    assert once == again
    assert once != other


def test_there_are_no_more_cases_than_asked_for_or_than_films():
    asked = question(world(1, n=30))

    assert choose_cases([asked], count=0) == []
    assert len(choose_cases([asked], count=100)) == 30


def test_each_case_shows_the_shift_of_every_model_that_has_its_pair():
    other = films(reads=2.0).with_columns(pl.lit("other").alias("model"))
    alone = films(paired=False).with_columns(pl.lit("alone").alias("model"))
    few = other.head(1).with_columns(pl.lit("few").alias("model"))
    chosen = choose_cases([question(frame) for frame in (films(), other, alone, few)], count=3)

    assert [shift.model for case in chosen for shift in case.shifts if case.sample_id != "test0"][:2] == [
        "model",
        "other",
    ]


def test_an_unknown_attribute_is_said_and_not_guessed():
    frame = world(1, n=30).with_columns(pl.lit(None, dtype=pl.Float64).alias("attribute.tube"))
    frame = frame.with_columns(pl.lit(1.0).alias("attribute.other"))

    assert {case.value for case in choose_cases([question(frame)], count=5)} == {"unknown"}


def test_the_threshold_is_youdens_on_validation():
    asked = question(films())
    false_alarms, sensitivity, limits = roc_curve(asked.label[~asked.test], asked.score[~asked.test])

    best = np.argmax(sensitivity - false_alarms)
    assert threshold(asked) == pytest.approx(limits[best])


def test_without_validation_the_threshold_is_the_median_of_the_test_films():
    asked = question(world(1, n=51))

    assert threshold(asked) == np.median(asked.score)


def test_ids_are_written_for_their_owner_only(tmp_path):
    chosen = choose_cases([question(world(1, n=30))], count=2)
    write_cases(chosen, tmp_path / "cases.csv")

    lines = (tmp_path / "cases.csv").read_text().splitlines()
    assert lines[0] == "case,sample_id"
    assert lines[1] == f"case 0001,{chosen[0].sample_id}"
    assert stat.S_IMODE((tmp_path / "cases.csv").stat().st_mode) == 0o600
