"""Numbers that put others into proportion: prevalence, attributes alone, other attributes, readers."""

import numpy as np
import polars as pl
import pytest
from audit_worlds import cells, question, table, world
from sklearn.metrics import roc_auc_score

from shortcut_audit.audit.checks import CHECKS
from shortcut_audit.audit.table.context import build_context
from shortcut_audit.errors import InputError


def ask(check, frame, attribute="tube", **options):
    found = CHECKS.get(check)(question(frame, attribute, **options))
    return {(one.name, one.group): one for one in found.metrics}


def trained(seed=1, n=400, **options):
    return pl.concat([world(seed, n=n, **options), world(seed + 50, n=n, split="train", **options)])


def test_prevalence_is_the_share_of_positives_with_its_interval():
    frame = world(1, n=400, films_per_patient=2)
    number = ask("baselines", frame)["prevalence", "all"]

    assert number.value == pytest.approx(frame["label"].mean(), abs=1e-12)
    assert number.low < number.value < number.high
    assert (number.n, number.n_patients) == (400, 200)


def test_the_attributes_alone_rank_as_the_attribute_does():
    frame = trained()
    test = frame.filter(pl.col("split") == "test")
    number = ask("baselines", frame)["attributes_alone_auroc", "all"]

    assert number.value == pytest.approx(roc_auc_score(test["label"], test["attribute.tube"]), abs=1e-12)


def test_in_a_reversed_test_set_the_attributes_alone_rank_the_wrong_way_round():
    frame = trained()
    turned = pl.when(pl.col("split") == "test").then(1 - pl.col("attribute.tube")).otherwise("attribute.tube")
    number = ask("baselines", frame.with_columns(turned.alias("attribute.tube")))["attributes_alone_auroc", "all"]

    assert number.high < 0.5


def test_without_training_rows_the_attributes_alone_are_undefined():
    number = ask("baselines", world(1, n=100))["attributes_alone_auroc", "all"]

    assert number.value is None
    assert number.reason == "there are no training rows (split = train) of both classes to learn it from"


def test_attributes_that_nobody_knows_leave_nothing_to_rank():
    unknown = pl.when(pl.col("split") == "test").then(None).otherwise("attribute.tube").alias("attribute.tube")
    number = ask("baselines", trained().with_columns(unknown))["attributes_alone_auroc", "all"]

    assert number.reason == "one class has no test image whose attributes are all known"


def test_all_attributes_asked_about_count_once_whichever_way_they_are_asked():
    rng = np.random.default_rng(0)
    frame = trained().with_columns(pl.Series("attribute.view", rng.choice(["ap", "pa"], 800)))
    checked = table(frame)
    train = (checked.frame["split"] == "train").to_numpy()
    once, again, single = (
        build_context(checked, checked.frame, train, asked)
        for asked in (["tube", "view=ap"], ["tube+view", "view=pa", "tube"], ["tube"])
    )

    assert np.array_equal(once.alone, again.alone)
    assert not np.array_equal(once.alone, single.alone)
    assert len(once.alone) == 400


def beside(frame):
    """A device that is as common in both labels, and a text column."""
    draws = np.random.default_rng(5)
    return frame.with_columns(
        pl.Series("attribute.leads", draws.integers(0, 2, frame.height).astype(float)),
        pl.Series("attribute.view", draws.choice(["ap", "pa"], frame.height)),
        pl.Series("attribute.age", draws.normal(60, 9, frame.height)),
    )  # fmt: skip


def test_another_binary_attribute_gets_the_same_numbers_as_if_it_were_asked_about():
    frame = beside(world(2, n=900, reads=1.5))
    numbers = ask("baselines", frame)
    gap = {(one.name, one.group): one for one in CHECKS.get("gap")(question(frame, "leads")).metrics}[
        "auroc_gap", "all"
    ]
    shift = ask("score_shift", frame, "leads")

    assert {group for name, group in numbers if name == "other_gap"} == {"other:leads"}
    other = numbers["other_gap", "other:leads"]
    assert (other.value, other.low, other.high) == (gap.value, gap.low, gap.high)
    assert other.attribute == "tube"
    assert other.low < 0 < other.high
    for label, word in ((1, "positives"), (0, "negatives")):
        assert numbers[f"other_shift_{word}", "other:leads"].value == shift["score_shift", f"label:{label}"].value


def test_an_attribute_that_is_asked_about_is_no_other_one():
    frame = beside(world(2, n=200))
    asked = question(frame, "tube")
    both = build_context(table(frame), table(frame).frame, np.zeros(200, dtype=bool), ["tube", "leads"])

    assert set(asked.context.others) == {"leads"}
    assert both.others == {}


def test_an_other_attribute_without_both_values_says_so():
    frame = cells({(1, 1): 20, (1, 0): 20, (0, 1): 20, (0, 0): 20}).with_columns(
        pl.col("label").cast(pl.Float64).alias("attribute.same")
    )
    numbers = ask("baselines", frame)

    assert (
        numbers["other_gap", "other:same"].reason
        == "the test set has no positives without same and no negatives with same"
    )
    assert numbers["other_shift_positives", "other:same"].reason == "the positives do not have both values of same"


def test_the_exchanged_gap_has_its_range_its_p_and_how_it_was_drawn():
    numbers = ask("baselines", world(3, n=500, reads=1.5, films_per_patient=2))
    null, p = numbers["gap_permuted", "all"], numbers["gap_permuted_p", "all"]

    assert null.low < 0 < null.high < 0.1
    assert (p.value, p.low) == (1 / 500, 0)
    assert (
        "499 exchanges of the attribute among patients with the same numbers of positives and negatives" in null.method
    )
    assert null.method.endswith("median and quantiles")


def test_constant_scores_have_no_exchanged_gap():
    frame = cells({(1, 1): 20, (1, 0): 20, (0, 1): 20, (0, 0): 20}).with_columns(pl.lit(0.5).alias("score"))

    assert ask("baselines", frame)["gap_permuted", "all"].reason == (
        "no exchange of the attribute among patients changes the gap"
    )


def read(frame, name="anna", unread=0, bonus=2.0):
    draws = np.random.default_rng(7)
    scores = np.round(draws.normal(size=frame.height) + bonus * frame["label"].to_numpy())
    scores = [None if row < unread else value for row, value in enumerate(scores.tolist())]
    return frame.with_columns(pl.Series(f"reader_score.{name}", scores))


def test_a_reader_is_measured_on_the_images_that_this_reader_read():
    frame = read(world(4, n=600, reads=1.5), unread=200)
    numbers, kept = ask("readers", frame), frame.tail(400)
    auroc = roc_auc_score(kept["label"], kept["reader_score.anna"])
    apart = kept.filter(pl.col("label") != pl.col("attribute.tube"))

    assert numbers["reader_auroc", "reader:anna"].value == pytest.approx(auroc, abs=1e-12)
    assert numbers["reader_auroc", "reader:anna"].n == 400
    robust = roc_auc_score(apart["label"], apart["reader_score.anna"])
    assert numbers["reader_robust_auroc", "reader:anna"].value == pytest.approx(robust, abs=1e-12)
    model = roc_auc_score(kept["label"], kept["score"])
    assert numbers["auroc_less_reader", "reader:anna"].value == pytest.approx(model - auroc, abs=1e-12)
    gaps = [ask("gap", kept)["auroc_gap", "all"].value, numbers["reader_auroc_gap", "reader:anna"].value]
    assert numbers["auroc_gap_less_reader", "reader:anna"].value == pytest.approx(gaps[0] - gaps[1], abs=1e-12)
    assert numbers["auroc_gap_less_reader", "reader:anna"].low > 0.05


def test_readers_decide_nothing():
    assert CHECKS.get("readers")(question(read(world(4, n=300)))).answers == ()


def test_a_table_without_readers_has_no_numbers_of_them_and_a_blank_reader_read_nothing():
    assert ask("readers", world(4, n=100)) == {}
    assert ask("readers", read(world(4, n=100), unread=100)) == {}


def test_a_reader_of_one_class_is_undefined():
    frame = read(world(4, n=300)).with_columns(
        pl.when(pl.col("label") == 1).then("reader_score.anna").alias("reader_score.anna")
    )
    numbers = ask("readers", frame)

    assert numbers["reader_auroc", "reader:anna"].reason == "the reader anna read no test image of one class"
    assert numbers["auroc_less_reader", "reader:anna"].reason == "the reader anna read no test image of one class"


def test_where_the_sign_is_uncertain_a_reader_has_no_robust_auroc():
    balanced = cells({(1, 1): 40, (1, 0): 40, (0, 1): 40, (0, 0): 40}).with_columns(
        pl.lit("train").alias("split"), pl.lit("model").alias("model")
    )
    frame = pl.concat([read(world(4, n=200)), balanced], how="diagonal_relaxed")
    numbers = ask("readers", frame)

    assert numbers["reader_robust_auroc", "reader:anna"].reason.startswith(
        "the sign of the training association is unc"
    )
    assert numbers["reader_auroc_gap", "reader:anna"].value is not None


def test_a_readers_score_that_is_text_is_refused():
    frame = world(4, n=20).with_columns(pl.lit("sure").alias("reader_score.anna"))
    with pytest.raises(InputError, match=r"row 1, column 'reader_score.anna' is 'sure'; expected a finite number"):
        table(frame)


def test_an_other_attribute_beside_a_composite_is_named_by_its_own_values():
    frame = trained().with_columns(
        pl.col("label").cast(pl.Float64).alias("attribute.same"), pl.lit("a").alias("attribute.site")
    )

    assert "positives without same" in ask("baselines", frame, "tube+site")["other_gap", "other:same"].reason
