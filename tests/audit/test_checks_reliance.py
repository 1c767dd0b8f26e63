"""The same film with and without the tube: what it shows, what it excludes, and when it must stay silent."""

import numpy as np
import polars as pl
import pytest
from audit_worlds import cells, logistic, question, table, world
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from shortcut_audit.audit.checks import CHECKS
from shortcut_audit.audit.table.groups import attribute_values


def ask(frame, **options):
    return CHECKS.get("reliance")(question(frame, **options))


def numbers(findings):
    return {metric.name: metric for metric in findings.metrics}


def area(label, positive_scores, negative_scores):
    label = label.to_numpy() == 1
    scores = np.where(label, positive_scores.to_numpy(), negative_scores.to_numpy())
    return roc_auc_score(label, scores)


def test_the_interventional_gap_uses_every_film_in_both_states():
    frame = world(1, reads=1.0)
    on, off, label = frame["score_with.tube"], frame["score_without.tube"], frame["label"]

    found = numbers(ask(frame))["interventional_gap"]

    assert found.value == pytest.approx(area(label, on, off) - area(label, off, on), abs=1e-12)
    assert (found.n, found.n_patients) == (1200, 1200)


def test_a_negative_association_turns_the_interventional_gap_round():
    frame = world(1, reads=1.0)

    turned = numbers(ask(frame, association="negative"))["interventional_gap"].value

    assert turned == pytest.approx(-numbers(ask(frame))["interventional_gap"].value, abs=1e-12)


@given(seed=st.integers(0, 10**6), reads=st.floats(-2, 2), severity=st.floats(-2, 2), negative=st.booleans())
@settings(max_examples=25, deadline=None)
def test_the_raw_gap_is_reliance_plus_case_mix(seed, reads, severity, negative):
    frame = world(seed, n=150, reads=reads, severity=severity)
    asked = question(frame, association="negative" if negative else "positive")
    found = numbers(CHECKS.get("reliance")(asked))
    gap = asked.gap()

    if gap.reason is None:
        assert gap.value == pytest.approx(found["gap_reliance"].value + found["gap_case_mix"].value, abs=1e-12)


def test_an_honest_model_has_no_reliance_whatever_its_case_mix():
    found = numbers(ask(world(2, n=3000, severity=1.5, harder=0.5)))

    assert abs(found["interventional_gap"].value) < 0.01
    assert found["gap_reliance"].value == pytest.approx(0, abs=1e-12)
    assert found["gap_case_mix"].low > 0.05


@pytest.mark.parametrize(
    ("reads", "n", "evidence"), [(1.5, 1200, "yes"), (0.0, 1200, "no"), (0.25, 200, "cannot tell")]
)
def test_exact_pairs_show_exclude_or_leave_open(reads, n, evidence):
    answer = ask(world(3, reads=reads, n=n)).answers[0]

    assert (answer.evidence, answer.number) == (evidence, "interventional_gap")
    assert (answer.n_needed is not None) == (evidence == "cannot tell")


def test_a_model_that_reads_the_tube_the_other_way_relies_on_it_too():
    assert ask(world(3, reads=-1.5)).answers[0].evidence == "yes"


def with_control(frame, *, strength):
    """The same edit elsewhere: it moves tube films by ``strength`` of a logit."""
    logit = np.log(frame["score"] / (1 - frame["score"]))
    return frame.with_columns(pl.Series("score_control.tube", logistic(logit - strength * frame["attribute.tube"])))


def test_edited_pairs_without_a_control_leave_reliance_open():
    answer = ask(world(3, reads=1.5), pairs="edited").answers[0]

    assert answer.evidence == "cannot tell"
    assert answer.reason == (
        "the whole interval lies beyond 0.05, but the pairs are edited and the edit has no control "
        "(there is no column 'score_control.tube')"
    )


def test_edited_pairs_with_a_harmless_control_show_reliance():
    assert ask(with_control(world(3, reads=1.5), strength=0.0), pairs="edited").answers[0].evidence == "yes"


def test_an_edit_that_moves_the_gap_elsewhere_too_shows_nothing():
    answer = ask(with_control(world(3, reads=1.5), strength=1.0), pairs="edited").answers[0]

    assert answer.evidence == "cannot tell"
    assert "the same edit on another place was not shown to change the gap by less than 0.05" in answer.reason


def test_edited_pairs_never_exclude():
    answer = ask(with_control(world(3), strength=0.0), pairs="edited").answers[0]

    assert answer.evidence == "cannot tell"
    assert answer.reason.endswith("but the pairs are edited: a weak edit would look the same")


def test_where_insertion_is_impossible_the_share_of_the_bar_decides():
    found = ask(world(3, reads=1.5).drop("score_with.tube"))

    assert (found.answers[0].number, found.answers[0].evidence) == ("gap_reliance", "yes")
    missing = numbers(found)["interventional_gap"]
    assert (missing.value, missing.reason) == (None, "there is no column 'score_with.tube'")


def test_a_film_is_its_own_state_where_the_other_column_is_blank():
    frame = world(4, reads=1.0)
    tube = pl.col("attribute.tube") == 1
    sparse = frame.with_columns(
        pl.when(~tube).then("score_with.tube").alias("score_with.tube"),
        pl.when(tube).then("score_without.tube").alias("score_without.tube"),
    )

    whole, blank = ({name: metric.value for name, metric in numbers(ask(one)).items()} for one in (frame, sparse))

    assert whole == blank


def test_a_film_without_its_counterpart_leaves_the_bar_undefined_and_the_rest_is_used():
    frame = world(4, reads=1.0).with_columns(
        pl.when(pl.int_range(1200) >= 12).then("score_without.tube").alias("score_without.tube")
    )
    missing = int((frame["attribute.tube"][:12] == 1).sum())
    found = numbers(ask(frame))

    assert found["gap_case_mix"].reason == f"{missing} of 1200 test films have no 'score_without.tube'"
    assert found["interventional_gap"].n == 1200 - missing


def test_no_film_with_both_states_leaves_it_undefined():
    frame = world(4).with_columns(
        pl.when(pl.col("label") == 1).then("score_with.tube").alias("score_with.tube"),
        pl.when(pl.col("label") == 1).then("score_without.tube").alias("score_without.tube"),
        pl.lit(None, dtype=pl.Float64).alias("attribute.tube"),
    ).with_columns(pl.lit(1.0).alias("attribute.other"))  # fmt: skip

    found = numbers(ask(frame))["interventional_gap"]

    assert found.reason == "no test film of one class has both a score with and a score without the attribute"


def with_reference(frame, *, noise=0.0, reads=0.0):
    """An honest model of the same skill; ``noise`` makes it worse."""
    rng = np.random.default_rng(99)
    off = np.log(frame["score_without.tube"] / (1 - frame["score_without.tube"]))
    scores = off + reads * frame["attribute.tube"] + noise * pl.Series(rng.normal(size=frame.height))
    return frame.drop("score_with.tube", "score_without.tube").with_columns(
        pl.Series("reference_score", logistic(scores.to_numpy()))
    )


def test_a_matched_reference_shows_reliance():
    answer = ask(with_reference(world(5, reads=1.5))).answers[0]

    assert (answer.evidence, answer.number) == ("yes", "gap_vs_reference")


def test_a_reference_that_is_not_matched_shows_nothing():
    answer = ask(with_reference(world(5, reads=1.5), noise=1.5)).answers[0]

    assert answer.evidence == "cannot tell"
    assert answer.reason.startswith("the reference model is not matched: its A_00 differs by 0.")


def test_a_reference_model_never_excludes():
    answer = ask(with_reference(world(5, n=6000))).answers[0]

    assert answer.evidence == "cannot tell"
    assert answer.reason.endswith("a reference model can show reliance, never exclude it")


def test_a_reference_with_the_larger_gap_shows_nothing():
    answer = ask(with_reference(world(5), reads=1.5)).answers[0]

    assert (answer.evidence, answer.reason) == ("cannot tell", "the gap is smaller than that of the reference model")


def test_a_reference_on_a_tiny_cell_shows_nothing():
    frame = cells({(1, 1): 60, (1, 0): 60, (0, 1): 5, (0, 0): 60}, skill=3.0)
    on = frame["score"] + 6.0 * frame["attribute.tube"]
    answer = ask(frame.with_columns(frame["score"].alias("reference_score"), on.alias("score"))).answers[0]

    assert (answer.evidence, answer.reason) == ("cannot tell", "the cell negatives with tube has 5 patients, under 10")


def test_a_reference_with_blanks_is_not_used():
    frame = with_reference(world(5)).with_columns(
        pl.when(pl.int_range(1200) > 0).then("reference_score").alias("reference_score")
    )

    assert numbers(ask(frame))["gap_vs_reference"].reason == "1 of 1200 test films have no 'reference_score'"


def test_pairs_decide_before_a_reference_and_an_open_pair_leaves_it_the_word():
    paired = world(6, reads=1.5)
    both = with_reference(paired).with_columns(paired["score_with.tube"], paired["score_without.tube"])

    assert ask(both).answers[0].number == "interventional_gap"
    assert ask(both, pairs="edited").answers[0].number == "gap_vs_reference"


def test_two_sources_double_the_p_value():
    paired = world(7, n=500, reads=0.5)
    both = with_reference(paired).with_columns(paired["score_with.tube"], paired["score_without.tube"])

    assert ask(both).p == pytest.approx(2 * ask(paired).p)


def test_with_scores_alone_nothing_is_shown():
    found = ask(world(8, reads=3.0, paired=False))

    assert (found.answers[0].evidence, found.p) == ("cannot tell", 1.0)
    assert found.answers[0].reason == "there is no column 'score_with.tube'"


def test_pairs_of_one_value_of_a_category_carry_the_whole_name():
    frame = world(9, reads=1.5)
    named = frame.with_columns(
        pl.when(pl.col("attribute.tube") == 1).then(pl.lit("ap")).otherwise(pl.lit("pa")).alias("attribute.view")
    ).rename({"score_with.tube": "score_with.view=ap", "score_without.tube": "score_without.view=ap"})
    checked = table(named)

    assert attribute_values(checked, checked.frame, "view=ap").tolist() == frame["attribute.tube"].to_list()
    assert CHECKS.get("reliance")(question(named, "view=ap")).answers[0].evidence == "yes"
