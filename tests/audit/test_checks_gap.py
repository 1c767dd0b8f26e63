"""The checks that read scores alone: performance, skill, gap, score shift, strata."""

import numpy as np
import polars as pl
import pytest
from audit_worlds import cells, question, world
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from shortcut_audit.audit.checks import CHECKS

EVEN = {(1, 1): 40, (1, 0): 40, (0, 1): 40, (0, 0): 40}


def ask(check, asked):
    return CHECKS.get(check)(asked)


def named(findings):
    return {(metric.name, metric.group): metric for metric in findings.metrics}


def auroc_of(frame, keep):
    rows = frame.filter(keep)
    return roc_auc_score(rows["label"], rows["score"])


def test_robust_auroc_is_sabs_area_over_the_cells_that_disagree():
    frame = world(1)
    found = named(ask("performance", question(frame)))
    agree = pl.col("label") == pl.col("attribute.tube")

    assert found["robust_auroc", "robust"].value == pytest.approx(auroc_of(frame, ~agree), abs=1e-12)
    assert found["aligned_auroc", "aligned"].value == pytest.approx(auroc_of(frame, agree), abs=1e-12)
    assert found["auroc", "all"].value == pytest.approx(auroc_of(frame, pl.lit(value=True)), abs=1e-12)
    for value in (0, 1):
        within = auroc_of(frame, pl.col("attribute.tube") == value)
        assert found["auroc_within", f"within:{value}"].value == pytest.approx(within, abs=1e-12)
        assert found["auroc_pair", f"pair:{value}:{value}"].value == pytest.approx(within, abs=1e-12)


def test_a_negative_association_changes_the_places_of_robust_and_aligned():
    frame = world(1)
    straight = named(ask("performance", question(frame)))
    turned = named(ask("performance", question(frame, association="negative")))

    assert turned["robust_auroc", "robust"].value == straight["aligned_auroc", "aligned"].value
    assert turned["auroc_pair", "pair:1:0"].value == straight["auroc_pair", "pair:1:0"].value


def test_an_uncertain_sign_leaves_robust_and_aligned_undefined_and_the_gap_two_sided():
    balanced = cells(EVEN).with_columns(pl.lit("train").alias("split"), ("t" + pl.col("sample_id")).alias("sample_id"))
    asked = question(pl.concat([cells(EVEN).with_columns(pl.lit("test").alias("split")), balanced]))
    found = {**named(ask("performance", asked)), **named(ask("gap", asked))}

    for key in (("robust_auroc", "robust"), ("aligned_auroc", "aligned")):
        assert found[key].value is None
        assert found[key].reason.startswith("the sign of the training association is uncertain")
    pairs = found["auroc_pair", "pair:1:0"].value - found["auroc_pair", "pair:0:1"].value
    assert found["auroc_gap", "all"].value == pytest.approx(pairs, abs=1e-12)


def test_an_empty_cell_is_undefined_with_its_reason_and_never_zero():
    found = named(ask("performance", question(cells({(1, 1): 20, (0, 1): 20, (0, 0): 20}))))

    metric = found["robust_auroc", "robust"]
    assert (metric.value, metric.low, metric.high) == (None, None, None)
    assert metric.reason == "the test set has no positives without tube"
    assert (metric.n_pos, metric.n_neg, metric.n_patients) == (0, 20, 20)
    assert found["aligned_auroc", "aligned"].value is not None


def test_two_empty_cells_are_both_named():
    metric = named(ask("performance", question(cells({(1, 1): 9, (0, 0): 9}))))["auroc_pair", "pair:0:1"]

    assert metric.reason == "the test set has no positives without tube and no negatives with tube"


def test_a_robust_auroc_below_one_half_is_not_folded():
    found = named(ask("performance", question(world(2, reads=6.0))))

    assert found["robust_auroc", "robust"].high < 0.5


def test_films_whose_attribute_is_unknown_are_in_no_cell_but_in_the_overall_auroc():
    frame = world(3, n=300).with_columns(
        pl.when(pl.int_range(300) < 50).then(None).otherwise("attribute.tube").alias("attribute.tube")
    )
    asked = question(frame)
    found = named(ask("performance", asked))

    assert found["auroc", "all"].n == 300
    assert sum(cell.images for cell in asked.cells) == 250
    assert sum(found["auroc_pair", f"pair:{i}:{i}"].n for i in (0, 1)) == 250


@given(seed=st.integers(0, 10**6), negative=st.booleans())
@settings(max_examples=25, deadline=None)
def test_the_gap_is_the_sum_of_its_two_sides(seed, negative):
    asked = question(world(seed, n=80), association="negative" if negative else "positive")
    found = named(ask("gap", asked))
    parts = [found[name, "all"].value for name in ("auroc_gap", "gap_positive_side", "gap_negative_side")]

    assert parts[0] is None or parts[0] == pytest.approx(parts[1] + parts[2], abs=1e-12)


def test_severity_moves_the_side_of_the_positives_only():
    found = named(ask("gap", question(world(4, n=4000, severity=1.5))))

    assert found["gap_positive_side", "all"].low > 0.05
    assert found["gap_negative_side", "all"].low < 0 < found["gap_negative_side", "all"].high


@pytest.mark.parametrize(("options", "evidence", "reason"), [
    ({"reads": 2.0}, "yes", "the whole interval lies beyond 0.05"),
    ({"n": 20_000}, "no", "the whole interval lies within 0.05"),
    ({"n": 300}, "cannot tell", "the interval covers the limit 0.05"),
])  # fmt: skip
def test_the_gap_is_beyond_within_or_open(options, evidence, reason):
    answer = ask("gap", question(world(7, **options))).answers[0]

    assert (answer.evidence, answer.reason) == (evidence, reason)
    assert (answer.n_needed is None) == (evidence != "cannot tell")


def test_a_gap_the_wrong_way_round_is_beyond_too():
    found = ask("gap", question(world(7, reads=2.0), association="negative"))

    assert (found.answers[0].evidence, found.answers[0].high < -0.05, found.p < 0.001) == ("yes", True, True)


def test_a_cell_of_few_patients_opens_the_gap_and_says_how_many_it_takes():
    answer = ask("gap", question(cells({**EVEN, (0, 1): 9}))).answers[0]

    assert answer.reason == "the cell negatives with tube has 9 patients, under 10"
    assert answer.cell_needed == "negatives with tube"
    assert 100 < answer.n_needed < 2000


def test_the_margin_is_the_users():
    assert ask("gap", question(world(7, n=4000, reads=0.5), margin=0.3)).answers[0].evidence == "no"


@pytest.mark.parametrize(("skill", "evidence"), [(2.0, "yes"), (0.0, "no"), (0.37, "cannot tell")])
def test_skill_is_asked_of_the_lower_limit(skill, evidence):
    answer = ask("skill", question(world(5, n=3000, skill=skill))).answers[0]

    assert answer.evidence == evidence
    assert (answer.limit, answer.null) == (0.6, 0.5)


def test_a_cheat_that_ranks_only_where_the_tube_helps_has_skill_to_audit():
    answer = ask("skill", question(world(5, skill=0.0, reads=6.0))).answers[0]

    assert (answer.evidence, answer.number) == ("yes", "aligned_auroc")


def test_one_class_has_no_skill_to_look_at_and_says_what_is_missing():
    answer = ask("skill", question(cells({(1, 1): 20, (1, 0): 20}))).answers[0]

    assert answer.reason == "there is no AUROC to look at: the test set has no negatives"
    assert (answer.value, answer.cell_needed, answer.n_needed) == (None, "negatives", 30)


def test_score_shift_is_the_auroc_of_the_score_for_the_attribute_given_the_label():
    frame = world(6, reads=1.0)
    found = named(ask("score_shift", question(frame)))

    for label in (0, 1):
        rows = frame.filter(pl.col("label") == label)
        expected = roc_auc_score(rows["attribute.tube"], rows["score"])
        assert found["score_shift", f"label:{label}"].value == pytest.approx(expected, abs=1e-12)


def test_score_shift_describes_and_never_decides():
    answers = ask("score_shift", question(world(6, reads=1.0))).answers

    assert [answer.evidence for answer in answers] == ["yes", "yes"]
    assert not any(answer.decides for answer in answers)


def test_score_shift_needs_both_values_of_the_attribute():
    found = named(ask("score_shift", question(cells({(1, 1): 20, (0, 1): 20, (0, 0): 20}))))

    assert found["score_shift", "label:1"].reason == "the positives do not have both values of tube"


def sized(seed=0):
    """A score that measures the target's area and nothing else."""
    rng = np.random.default_rng(seed)
    label = rng.random(2000) < 0.5
    area = rng.normal(size=2000) + 2 * label
    return cells({(1, 1): 1, (0, 0): 1999}).with_columns(
        pl.Series("label", label.astype(int)), pl.Series("score", area + rng.normal(size=2000) / 10),
        pl.Series("covariate.lesion_area", area), pl.Series("covariate.age", rng.normal(size=2000)),
    )  # fmt: skip


def test_a_score_that_measures_area_ranks_little_within_strata_of_it():
    found = named(ask("strata", question(sized())))

    assert found["auroc_within_strata", "strata:lesion_area"].value < 0.75
    assert found["auroc_within_strata", "strata:age"].value > 0.9
    assert found["target_area_auroc", "strata:lesion_area"].value > 0.9
    assert ("target_area_auroc", "strata:age") not in found


def test_strata_are_weighed_by_their_pairs():
    frame = sized(1)
    area = frame["covariate.lesion_area"].to_numpy()
    cuts = np.quantile(area, np.arange(1, 6) / 6)
    strata = np.searchsorted(cuts, area, side="right")
    areas, pairs = [], []
    for number in range(6):
        rows = frame.filter(pl.Series(strata == number))
        positives = rows["label"].sum()
        areas.append(roc_auc_score(rows["label"], rows["score"]))
        pairs.append(positives * (rows.height - positives))

    found = named(ask("strata", question(frame)))["auroc_within_strata", "strata:lesion_area"]

    assert found.value == pytest.approx(np.average(areas, weights=pairs), abs=1e-12)
    assert found.n == 2000


def test_strata_without_both_classes_are_undefined():
    separate = cells(EVEN).with_columns((pl.col("label") * 10.0).alias("covariate.area"))
    blank = separate.with_columns(
        pl.when(pl.int_range(160) < 1).then(1.0).alias("covariate.area"), pl.lit("val").alias("split")
    ).with_columns(pl.when(pl.int_range(160) < 1).then(pl.lit("val")).otherwise(pl.lit("test")).alias("split"))

    apart = named(ask("strata", question(separate)))
    unknown = named(ask("strata", question(blank)))

    assert apart["auroc_within_strata", "strata:area"].reason == "no sextile of area has both classes"
    assert unknown["auroc_within_strata", "strata:area"].reason == "no test film has a known area"
    assert unknown["target_area_auroc", "strata:area"].reason == "one class has no known area"


def test_weights_count_as_copies_do_in_the_value():
    frame = world(8, n=200)
    doubled = frame.with_columns(pl.when(pl.col("label") == 1).then(1.0).otherwise(2.0).alias("weight"))
    heavy = frame.with_columns((1 + (pl.int_range(200) % 3)).cast(pl.Float64).alias("weight"))
    plain, same, moved = (named(ask("performance", question(one)))["auroc", "all"] for one in (frame, doubled, heavy))

    assert same.value == pytest.approx(plain.value, abs=1e-12)
    expected = roc_auc_score(frame["label"], frame["score"], sample_weight=heavy["weight"])
    assert moved.value == pytest.approx(expected, abs=1e-12)


def test_a_test_set_reversed_by_design_gets_no_remark_on_the_two_sides():
    frame = world(7, n=4000, reads=2.0)
    ours, natural = (ask("gap", question(frame, test_design=design)).remarks for design in ("reversed", "natural"))

    assert "both sides" in natural
    assert "both sides" not in ours
