"""The place of use: named by the user, or as in the test rows, and said which."""

import polars as pl
import pytest
from audit_worlds import cells, question, table, world

from shortcut_audit.audit.table.population import population, refuse_rates_of_several
from shortcut_audit.config import EvaluateConfig
from shortcut_audit.errors import UsageError

COUNTS = {(1, 1): 30, (1, 0): 10, (0, 1): 12, (0, 0): 48}


def test_without_names_it_is_the_test_set_by_hand():
    found = population(question(cells(COUNTS)))

    assert (found.prevalence, found.given_finding, found.given_none) == (0.4, 0.75, 0.2)
    assert found.named == ()


def test_what_is_named_is_taken_and_the_rest_is_the_test_sets():
    found = population(question(cells(COUNTS), prevalence=0.05, attribute_rates={"given_none": 0.5}))

    assert (found.prevalence, found.given_finding, found.given_none) == (0.05, 0.75, 0.5)
    assert found.named == ("prevalence", "given_none")


def test_unknown_attributes_count_for_the_prevalence_and_not_for_the_rates():
    frame = cells(COUNTS).with_columns(
        pl.when((pl.col("label") == 1) & (pl.col("attribute.tube") == 0)).then(None).otherwise("attribute.tube")
        .alias("attribute.tube")
    )  # fmt: skip
    found = population(question(frame))

    assert (found.prevalence, found.given_finding, found.given_none) == (0.4, 1, 0.2)


def test_weights_count_and_validation_rows_do_not():
    frame = pl.concat([world(1, n=400), world(2, n=400, split="val").with_columns(label=pl.lit(1, dtype=pl.Int64))])
    frame = frame.with_columns(weight=pl.when(pl.col("label") == 1).then(1.0).otherwise(3.0))
    test = frame.filter(split="test")

    expected = test.filter(label=1).height / test["weight"].sum()
    assert population(question(frame)).prevalence == pytest.approx(expected, rel=1e-12)


def test_nobody_to_count_is_none_and_never_0():
    found = population(question(cells({(0, 1): 5, (0, 0): 5})))

    assert (found.prevalence, found.given_finding, found.given_none) == (0, None, 0.5)


def test_one_prevalence_for_several_findings_is_refused():
    one = world(n=40)
    both = pl.concat([one.with_columns(finding=pl.lit(name)) for name in ("oedema", "mass")])
    message = r"evaluate.prevalence is 0.1, but the table has 2 findings \(oedema, mass\); audit one finding at a time"
    with pytest.raises(UsageError, match=message):
        refuse_rates_of_several(table(both), EvaluateConfig(spurious=["tube"], prevalence=0.1))


def test_rates_of_one_attribute_for_several_are_refused():
    settings = EvaluateConfig(spurious=["tube", "view=ap"], attribute_rates={"given_finding": 0.5})
    message = r"says how common one attribute is, but 2 are asked for \(tube, view=ap\); ask for one at a time"
    with pytest.raises(UsageError, match=message):
        refuse_rates_of_several(table(world(n=40)), settings)


def test_the_same_attribute_twice_and_no_named_rates_are_no_reason_to_refuse():
    named = EvaluateConfig(spurious=["tube", "tube"], attribute_rates={"given_finding": 0.5}, prevalence=0.2)
    unnamed = EvaluateConfig(spurious=["tube", "view"])
    assert [refuse_rates_of_several(table(world(n=40)), settings) for settings in (named, unnamed)] == [None, None]
