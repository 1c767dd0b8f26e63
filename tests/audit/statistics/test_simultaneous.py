"""Intervals for several groups at once, the lowest of them, and which groups are searched."""

import numpy as np
import polars as pl
import pytest
from audit_worlds import question, world
from scipy.stats import norm

from shortcut_audit.audit.checks import CHECKS
from shortcut_audit.audit.measures.rates import share
from shortcut_audit.audit.measures.subgroups import group_auroc, group_numbers
from shortcut_audit.audit.statistics.estimate import Contrast, Estimate, Undefined
from shortcut_audit.audit.statistics.metrics import Part, Sampling
from shortcut_audit.audit.statistics.simultaneous import joint_estimates, simultaneous_level
from shortcut_audit.audit.table.subgroups import MOST_GROUPS, attribute_groups, search


def groups_of(influences, values):
    patients = influences.shape[1]
    rows = Sampling(clusters=np.arange(patients), weights=np.ones(patients), n_clusters=patients, unit="patient")
    everybody = np.ones(patients, dtype=bool), np.zeros(patients, dtype=bool)
    return {
        f"g{k}": Contrast(
            sampling=rows, rows=everybody,
            parts=((1.0, Part(value=value, influence=influence, df=patients, smaller=patients)),),
        )
        for k, (influence, value) in enumerate(zip(influences, values, strict=True))
    }  # fmt: skip


def apart(count, *, each=400, seed=0):
    """Groups of different patients."""
    influences = np.zeros((count, count * each))
    for k in range(count):
        influences[k, k * each : (k + 1) * each] = np.random.default_rng(seed + k).normal(size=each) * 0.4 / each
    return influences


def named(frame, **limits):
    metrics = CHECKS.get("worst_group")(question(frame, **limits)).metrics
    return {(metric.name, metric.group): metric for metric in metrics}


def sexes(n=2000, seed=1, **options):
    rng = np.random.default_rng(seed)
    return world(seed, n=n, **options).with_columns(pl.Series("attribute.sex", rng.choice(["F", "M"], n)))


def test_one_group_needs_no_correction():
    found = joint_estimates(groups_of(apart(1), [0.8]), 0.95)
    alone = groups_of(apart(1), [0.8])["g0"].estimate(0.95)

    assert found.groups["g0"] == alone
    assert (found.lowest.value, found.lowest.low, found.lowest.high) == (alone.value, alone.low, alone.high)


@pytest.mark.parametrize("count", [2, 5, 20])
def test_independent_groups_need_the_root_of_the_confidence(count):
    level = simultaneous_level(list(groups_of(apart(count), [0.8] * count).values()), 0.95)

    assert norm.ppf((1 + level) / 2) == pytest.approx(norm.ppf((1 + 0.95 ** (1 / count)) / 2), abs=0.03)


def test_a_group_that_is_there_twice_needs_no_more_than_once():
    influence = apart(1)[0]
    level = simultaneous_level(list(groups_of(np.array([influence, influence]), [0.8, 0.8]).values()), 0.95)

    assert norm.ppf((1 + level) / 2) == pytest.approx(1.96, abs=0.03)


def test_the_lowest_lies_between_the_lowest_limits():
    found = joint_estimates(groups_of(apart(3) * np.array([[1], [1], [6]]), [0.70, 0.72, 0.75]), 0.95)
    known = list(found.groups.values())

    assert found.lowest.value == 0.70
    assert found.lowest.low == known[2].low < known[0].low
    assert found.lowest.high == known[0].high
    assert "lowest of 3 groups (g0), " in found.lowest.method
    assert known[0].method.endswith("holds for 3 groups at once (max-t)")


def test_a_group_without_a_value_stays_so_and_is_counted():
    groups = groups_of(apart(2), [0.8, 0.7])
    missing = Contrast(sampling=groups["g0"].sampling, rows=groups["g0"].rows, reason="too small: 3 patients")
    found = joint_estimates({**groups, "g2": missing}, 0.95)

    assert isinstance(found.groups["g2"], Undefined)
    assert found.lowest.method.startswith("lowest of 2 groups (g1), 1 more without a value, ")
    assert joint_estimates({"g2": missing}, 0.95).lowest.reason == (
        "none of 1 groups has a value (g2: too small: 3 patients)"
    )


def test_the_interval_of_the_minimum_covers_where_the_single_one_does_not(monkeypatch):
    """Eight groups with the same truth: the lowest estimate is too low, its own interval misses too often."""
    monkeypatch.setattr("shortcut_audit.audit.statistics.simultaneous.DRAWS", 4000)
    truth, joint, single = norm.cdf(1 / np.sqrt(2)), [], []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        label, group = rng.random(800) < 0.4, np.arange(800) % 8
        frame = pl.DataFrame({
            "sample_id": [f"s{i}" for i in range(800)], "label": label.astype(int), "tube": [0, 1] * 400,
            "score": rng.normal(size=800) + label,
        })  # fmt: skip
        asked = question(frame)
        groups = {f"g{k}": group_auroc(asked, f"g{k}", group == k) for k in range(8)}
        found = joint_estimates(groups, 0.95).lowest
        worst = min(groups.values(), key=lambda one: one.value).estimate(0.95)
        joint.append(found.low <= truth <= found.high)
        single.append(worst.low <= truth <= worst.high)

    assert np.mean(joint) > 0.93
    assert np.mean(single) < 0.9


def test_any_number_of_a_group_can_be_asked_for_its_worst():
    asked = question(sexes())
    flagged = asked.score > 0.5
    shares = {
        name: share(asked, rows & asked.label, flagged, "no positives") for name, rows in search(asked).groups.items()
    }
    found = joint_estimates(shares, 0.95)

    assert isinstance(found.lowest, Estimate)
    assert found.lowest.value == min(one.value for one in found.groups.values())


def test_the_worst_value_of_the_attribute_is_the_lower_of_two_within_it():
    frame = world(2, n=2000, skill=1.0)
    asked = question(frame)
    found = named(frame)["worst_group_auroc", "groups:tube"]

    assert found.value == pytest.approx(min(asked.pair(1, 1).value, asked.pair(0, 0).value), abs=1e-12)
    assert {group for _, group in named(frame)} == {"groups:tube", "subgroup:tube=1", "subgroup:tube=0"}


def test_other_columns_are_searched_alone_and_crossed_with_the_attribute():
    found = named(sexes())
    groups = {group.removeprefix("subgroup:") for name, group in found if name == "subgroup_auroc"}

    own = {"tube=0", "tube=1"}
    assert groups == {"sex=F", "sex=M", *(f"tube={a},sex={s}" for a in (0, 1) for s in "FM"), *own}
    lowest = min(found["subgroup_auroc", f"subgroup:{group}"].value for group in groups - own)
    assert found["worst_group_auroc", "groups:searched"].value == lowest


def test_a_column_that_is_asked_about_itself_is_only_crossed():
    asked = question(sexes().with_columns(pl.Series("attribute.old", [0.0, 1.0] * 1000)))
    both = asked.limits.model_copy(update={"spurious": ["tube", "sex=F"]})
    asked = type(asked)(**{**vars(asked), "setting": type(asked.setting)(**{**vars(asked.setting), "limits": both})})

    groups = set(search(asked).groups)
    assert {"old=0", "old=1", "tube=1,sex=F", "tube=0,old=1"} <= groups
    assert not {"sex=F", "sex=M"} & groups


def test_a_small_group_is_too_small_to_tell():
    frame = sexes(400).with_columns(
        pl.when(pl.int_range(400) < 12).then(pl.lit("X")).otherwise("attribute.sex").alias("attribute.sex")
    )
    found = named(frame)["subgroup_auroc", "subgroup:sex=X"]

    assert found.value is None
    assert found.reason.startswith("too small: ")
    assert found.reason.endswith("of sex=X, under 10")
    assert found.n == 12


def test_what_is_not_searched_is_there_with_its_reason():
    frame = sexes().with_columns(
        pl.Series("attribute.site", [float(i % 60) for i in range(2000)]),
        pl.Series("attribute.maker", ["one"] * 2000),
        *(pl.Series(f"attribute.c{k}", [f"v{(i + k) % 4}" for i in range(2000)]) for k in range(2)),
    )
    found = named(frame)
    reasons = {
        group: metric.reason for (name, group), metric in found.items() if name == "subgroup_auroc" and metric.reason
    }

    assert reasons == {
        "subgroup:site": "not searched: it has 60 values, more than 8; give it in bands",
        "subgroup:maker": "not searched: it has fewer than two values in the test rows",
        "subgroup:c1": "not searched: its 12 groups would make more than the 20 that are searched",
    }
    assert len(search(question(frame)).groups) <= MOST_GROUPS


def test_a_control_is_not_searched():
    frame = sexes().with_columns(role=pl.lit("control"))

    own = {("subgroup_auroc", f"subgroup:tube={value}") for value in (0, 1)}
    assert set(named(frame)) == {("worst_group_auroc", "groups:tube"), *own}


def test_the_groups_of_a_composite_are_its_two_sides():
    train = sexes(400, seed=5, split="train")
    asked = question(pl.concat([train, sexes()]), "tube+sex")

    assert set(attribute_groups(asked)) == {"tube+sex=for the finding", "tube+sex=against the finding"}
    assert search(asked).groups == {}


def test_a_categorical_attribute_has_its_values_as_groups():
    asked = question(pl.concat([sexes(400, seed=5, split="train"), sexes()]), "sex")

    assert set(attribute_groups(asked)) == {"sex=F", "sex=M"}
    assert "sex=F,tube=1" in search(asked).groups


def test_a_category_that_is_blank_in_the_test_rows_has_no_worst_value():
    blank = sexes().with_columns(pl.lit(None, dtype=pl.String).alias("attribute.sex"))
    asked = question(pl.concat([sexes(400, seed=5, split="train"), blank]), "sex")
    found = [one for one in CHECKS.get("worst_group")(asked).metrics if one.group == "groups:sex"]

    assert [one.name.removeprefix("worst_group_") for one in found] == NUMBERS
    assert {(one.value, one.reason) for one in found} == {(None, "no test image has a known sex")}


NUMBERS = ["auroc", "sensitivity", "specificity", "accuracy"]


def rare_recall():
    """40 positives and 40 negatives of F, all right; of X 14 and 20, of which 7 positives and 2 negatives are wrong."""
    rows = [
        *(("F", y, float(y)) for y in (1, 0) for _ in range(40)),
        *(("X", 1, float(i >= 7)) for i in range(14)), *(("X", 0, float(i < 2)) for i in range(20)),
        *(("M", y, float(y)) for y in (1, 0) for _ in range(9 + y)),
    ]  # fmt: skip
    return pl.DataFrame({
        "sample_id": [f"s{i}" for i in range(len(rows))], "attribute.sex": [sex for sex, _, _ in rows],
        "label": [y for _, y, _ in rows], "score": [score for _, _, score in rows],
        "attribute.tube": [float(i % 2) for i in range(len(rows))],
    })  # fmt: skip


def test_recall_of_a_rare_subgroup_by_hand():
    found = named(rare_recall(), operating_point="0.5")
    of_x, of_f = (found["subgroup_sensitivity", f"subgroup:sex={sex}"] for sex in "XF")

    assert (of_x.value, of_x.n, of_x.n_pos, of_x.n_neg) == (0.5, 14, 14, 0)
    assert found["subgroup_specificity", "subgroup:sex=X"].value == 0.9
    assert (of_f.value, of_f.high) == (1, 1)
    # Clopper-Pearson of 40 of 40, at a level above 95 % because it holds for several groups.
    assert 0.8 < of_f.low < 0.025 ** (1 / 40)
    assert found["worst_group_sensitivity", "groups:searched"].value < 0.5 + 1e-12


def test_a_cell_that_is_too_small_is_so_alone():
    found = named(rare_recall(), operating_point="0.5")

    assert found["subgroup_specificity", "subgroup:sex=M"].reason == (
        "too small: 9 patients in the negatives of sex=M, under 10"
    )
    assert found["subgroup_specificity", "subgroup:sex=M"].n == 9
    assert found["subgroup_sensitivity", "subgroup:sex=M"].value == 1


def test_worst_accuracy_is_the_lowest_over_positives_and_negatives_of_the_groups():
    found = named(rare_recall(), operating_point="0.5")

    for where in ("groups:tube", "groups:searched"):
        lowest = min(found[f"worst_group_{cell}", where].value for cell in ("sensitivity", "specificity"))
        assert found["worst_group_accuracy", where].value == lowest
    assert "(positives of sex=X)" in found["worst_group_accuracy", "groups:searched"].method


def test_without_a_threshold_recall_has_the_reason_and_the_counts():
    found = named(rare_recall())
    missing = found["subgroup_sensitivity", "subgroup:sex=X"]

    assert missing.reason == "there is no threshold: there are no validation rows to choose it on"
    assert (missing.n_pos, missing.n_neg) == (14, 0)
    assert found["worst_group_accuracy", "groups:tube"].value is None
    assert found["subgroup_auroc", "subgroup:sex=X"].value is not None


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.85, 0.97])
def test_the_lowest_sensitivity_is_covered_near_one_too(rate):
    """Eight groups of 15 positives with one rate: at least 93 %, more where Clopper-Pearson stands in."""
    rng, covered = np.random.default_rng(1), 0
    group = np.arange(240) % 8
    for _ in range(400):
        flagged = np.r_[rng.random(120) < rate, rng.random(120) < 0.2]
        frame = pl.DataFrame({
            "sample_id": [f"s{i}" for i in range(240)], "label": [1] * 120 + [0] * 120, "score": flagged * 1.0,
            "attribute.tube": [0.0, 1.0] * 120, "attribute.ward": [f"w{g}" for g in group],
        })  # fmt: skip
        asked = question(frame, operating_point="0.5")
        groups = {f"w{g}": asked.test & (group == g) for g in range(8)}
        found = joint_estimates(group_numbers(asked, groups)["sensitivity"], 0.95).lowest
        covered += found.low <= rate <= found.high

    assert covered / 400 > 0.93
