"""Rows of one model and finding are cut out of the table once; their questions share them."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from audit_worlds import table, world

from shortcut_audit.audit.run import _ask_all, ask_questions
from shortcut_audit.audit.table.question import Setting, ask_rows, build_question
from shortcut_audit.audit.table.rows import cut, numbers
from shortcut_audit.config import EvaluateConfig


def setting(*asked):
    return Setting(limits=EvaluateConfig(spurious=list(asked)), pairs="exact", test_design="natural")


def two_models():
    """Rows of two models, one behind the other's in turn, of three splits."""
    drawn = [(model, split, n) for split, n in (("train", 40), ("val", 20), ("test", 60)) for model in ("one", "two")]
    frames = [
        world(seed, n=n, model=model, split=split, films_per_patient=2)
        .with_columns(pl.Series("attribute.pad", [0, 1] * (n // 2)))
        for seed, (model, split, n) in enumerate(drawn)
    ]  # fmt: skip
    return table(pl.concat(frames))


def test_rows_are_those_of_one_model_in_the_order_of_the_table():
    whole = two_models()

    rows = cut(whole, "two", "finding", ("tube",))

    expected = whole.frame.filter(pl.col("model") == "two")
    assert rows.frame.equals(expected)
    assert rows.train.tolist() == (expected["split"] == "train").to_list()
    assert rows.used.equals(expected.filter(pl.col("split") != "train"))
    assert rows.score.tolist() == rows.used["score"].to_list()
    assert (int(rows.test.sum()), len(rows.label)) == (60, 80)


def test_patients_are_numbered_from_0_without_those_of_training():
    rows = cut(two_models(), "one", "finding", ("tube",))

    assert sorted(set(rows.sampling.clusters.tolist())) == list(range(40))
    assert rows.sampling.n_clusters == 40
    assert len(set(rows.all_patients.tolist())) == 60


def test_questions_about_the_same_rows_share_them():
    questions = ask_questions(two_models(), setting("tube", "pad"))
    one = [question for question in questions if question.model == "one"]

    assert [question.attribute for question in one] == ["tube", "pad"]
    assert one[0].score is one[1].score
    assert one[0].sampling is one[1].sampling


@pytest.mark.parametrize("attribute", ["tube", "pad"])
def test_a_question_asked_of_rows_is_the_one_cut_out_of_the_table(attribute):
    whole = two_models()
    asked = ask_rows(cut(whole, "one", "finding", (attribute,)), whole, attribute, setting(attribute))

    alone = build_question(whole, "one", "finding", attribute, setting(attribute))

    np.testing.assert_array_equal(asked.values, alone.values)
    assert asked.gap().estimate(0.95) == alone.gap().estimate(0.95)
    assert asked.association == alone.association


def test_what_checks_keep_for_each_other_is_gone_when_they_are_done():
    """Some megabytes a question: with 14 findings and 10 attributes of a large set, gigabytes."""
    (question,) = ask_questions(table(world(n=200)), setting("tube"))

    _ask_all(question)

    assert not {"_pairs", "overall", "shift"} & set(vars(question))


def test_ranks_that_belong_to_other_scores_are_not_used():
    asked = build_question(table(world(0, n=60)), "model", "finding", "tube", setting("tube"))
    turned = replace(asked, score=-asked.score)

    assert asked.ranks is asked.ranking.ranks
    assert turned.overall.value == pytest.approx(1 - asked.overall.value, abs=1e-12)


def test_a_column_that_is_missing_or_blank_has_no_numbers():
    frame = pl.DataFrame({"some": [1.0, None], "blank": pl.Series([None, None], dtype=pl.Float64)})

    assert numbers(frame, "none") is None
    assert numbers(frame, "blank") is None
    np.testing.assert_array_equal(numbers(frame, "some"), [1.0, np.nan])
