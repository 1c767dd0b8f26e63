"""The threshold is chosen by the rule that was asked for, on validation rows alone."""

import numpy as np
import polars as pl
import pytest
from audit_worlds import question, world
from hypothesis import given, settings
from hypothesis import strategies as st

from shortcut_audit.audit.cases import threshold
from shortcut_audit.audit.table.operating_point import candidates, flagged, operating_point


def films(val_scores, val_labels, **columns):
    """Ten test films, and validation films with these scores and labels."""
    val = len(val_scores)
    return pl.DataFrame(
        {
            "sample_id": [f"s{i}" for i in range(val + 10)],
            "split": ["val"] * val + ["test"] * 10,
            "label": [*map(int, val_labels), *[0, 1] * 5],
            "score": [*map(float, val_scores), *np.linspace(0, 1, 10)],
            "attribute.tube": [0.0, 1.0] * ((val + 10) // 2) + [1.0] * (val % 2),
        }
        | columns
    )


def chosen(scores, labels, rule, **columns):
    return operating_point(question(films(scores, labels, **columns), operating_point=rule))


def by_force(scores, labels, rule):
    """Try every score as a threshold, with loops."""
    positives = [s for s, y in zip(scores, labels, strict=True) if y]
    negatives = [s for s, y in zip(scores, labels, strict=True) if not y]
    tried = [
        (limit, sum(s >= limit for s in positives) / len(positives), sum(s < limit for s in negatives) / len(negatives))
        for limit in sorted(set(scores))
    ]
    kind, _, wanted = rule.partition("=")
    if kind == "youden":
        best = max(sensitivity + specificity for _, sensitivity, specificity in tried)
        return min(limit for limit, sensitivity, specificity in tried if sensitivity + specificity > best - 1e-9)
    if kind == "sensitivity":
        return max(limit for limit, sensitivity, _ in tried if sensitivity > float(wanted) - 1e-9)
    return min((limit for limit, _, specificity in tried if specificity > float(wanted) - 1e-9), default=None)


@pytest.mark.parametrize("rule", ["youden", "sensitivity=0.9", "sensitivity=1", "specificity=0.5", "specificity=0.95"])
@given(rows=st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=40).filter(
    lambda rows: 0 < sum(label for _, label in rows) < len(rows)
))  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_equals_trying_every_score_with_ties(rule, rows):
    scores, labels = zip(*rows, strict=True)
    found = chosen(scores, labels, rule)
    expected = by_force(scores, labels, rule)

    assert found.threshold == expected
    assert (found.reason is None) == (expected is not None)


def test_the_sensitivity_asked_for_is_reached_and_not_missed_by_the_nearest():
    """Positives at .2 (x 9) and .9: the nearest to .9 is 1.0 or .1 alike; only .2 reaches it."""
    scores = [0.2] * 9 + [0.9] + [0.1] * 10
    assert chosen(scores, [1] * 10 + [0] * 10, "sensitivity=0.9").threshold == 0.2


def test_a_specificity_does_not_end_in_a_threshold_that_flags_no_positive():
    """The specificity nearest to .9 is 1.0, at .8, where no positive is; at least .9 with most sensitivity is .6."""
    scores, labels = [*[0.1] * 9, 0.5, 0.6, 0.7, 0.8], [*[0] * 10, 1, 1, 1]
    found = chosen(scores, labels, "specificity=0.9")
    asked = question(films(scores, labels))

    assert found.threshold == 0.5
    assert (flagged(asked) & ~asked.test & asked.label).sum() == 3


def test_a_specificity_that_no_score_reaches_is_a_reason_and_no_threshold_above_everything():
    found = chosen([0.3, 0.9, 0.9, 0.9], [1, 0, 0, 0], "specificity=0.95")

    assert found.threshold is None
    assert found.reason == "no score of the validation rows reaches a specificity of 0.95"


def test_of_equal_youden_indices_the_smallest_score_is_taken():
    """.4 gives 1 + 1/2, .6 gives 1/2 + 1: equal; the smaller one misses fewer."""
    assert chosen([0.4, 0.6, 0.2, 0.5], [1, 1, 0, 0], "youden").threshold == 0.4


def test_a_number_is_taken_as_it_is_and_needs_no_validation_rows():
    found = operating_point(question(world(n=60), operating_point="0.37"))

    assert (found.threshold, found.n, found.n_patients, found.reason) == (0.37, 0, 0, None)


@pytest.mark.parametrize(("labels", "rule", "reason"), [
    ([], "youden", "there are no validation rows"),
    ([0, 0], "youden", "the validation set has no positives"),
    ([0, 0], "sensitivity=0.9", "the validation set has no positives"),
    ([1, 1], "specificity=0.9", "the validation set has no negatives"),
    ([1, 1], "youden", "the validation set has no negatives"),
])  # fmt: skip
def test_what_the_validation_rows_lack_is_said(labels, rule, reason):
    found = chosen([0.5] * len(labels), labels, rule)

    assert found.threshold is None
    assert found.reason == f"{reason} to choose it on"


@pytest.mark.parametrize(("labels", "rule"), [([1, 1], "sensitivity=0.9"), ([0, 0], "specificity=0.5")])
def test_one_class_is_enough_for_the_rule_that_asks_only_about_it(labels, rule):
    assert chosen([0.2, 0.6], labels, rule).threshold == (0.2 if labels[0] else 0.6)


def test_weights_count():
    """The positive at .2 stands for one of a hundred: 99 % are reached without it."""
    labels, scores = [1, 1, 0], [0.2, 0.8, 0.1]
    weighted = chosen(scores, labels, "sensitivity=0.9", weight=[1.0, 99.0, 1.0, *[1.0] * 10])

    assert chosen(scores, labels, "sensitivity=0.9").threshold == 0.2
    assert weighted.threshold == 0.8


def test_the_test_rows_are_never_looked_at():
    frame = pl.concat([world(1, n=300), world(2, n=300, split="val")])
    is_test = pl.col("split") == "test"
    other = frame.with_columns(
        pl.when(is_test).then(1 - pl.col("score")).otherwise(pl.col("score")).alias("score"),
        pl.when(is_test).then(1 - pl.col("label")).otherwise(pl.col("label")).alias("label"),
    ).drop("score_with.tube", "score_without.tube")

    assert operating_point(question(frame)) == operating_point(question(other))


def test_the_attribute_changes_nothing_not_even_where_it_is_unknown():
    frame = pl.concat([world(1, n=300), world(2, n=300, split="val")])
    half_known = frame.with_columns(pl.when(pl.int_range(600) % 2 == 0).then("attribute.tube").alias("attribute.tube"))

    assert operating_point(question(frame)) == operating_point(question(half_known))


def test_the_counts_are_those_of_the_validation_rows():
    frame = pl.concat([world(1, n=30), world(2, n=40, split="val", films_per_patient=2)])
    found = operating_point(question(frame))

    labels = frame.filter(split="val")["label"]
    assert (found.n, found.n_pos, found.n_neg, found.n_patients) == (40, labels.sum(), 40 - labels.sum(), 20)


def test_the_gallery_uses_the_same_threshold():
    frame = pl.concat([world(1, n=100), world(2, n=100, split="val")])
    for rule in ("youden", "sensitivity=0.95", "0.25"):
        asked = question(frame, operating_point=rule)
        assert threshold(asked) == operating_point(asked).threshold


def test_candidates_carry_the_shares_of_each_score():
    found = candidates(np.array([0.1, 0.5, 0.5, 0.9]), np.array([False, True, False, True]), np.ones(4))

    assert found.scores.tolist() == [0.1, 0.5, 0.9]
    assert found.sensitivity.tolist() == [1, 1, 0.5]
    assert found.specificity.tolist() == [0, 0.5, 1]
