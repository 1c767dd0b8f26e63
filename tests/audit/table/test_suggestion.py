"""e(a): what attributes of any kind suggest, learnt on the training rows."""

import numpy as np
import polars as pl
import pytest
from audit_worlds import question, table
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from shortcut_audit import audit_scores
from shortcut_audit.audit.table.groups import composite_terms
from shortcut_audit.audit.table.suggestion import LEAST_ROWS, attribute_kind, is_suggestion, suggest
from shortcut_audit.errors import UsageError


def values(checked, attribute):
    return suggest(checked, checked.frame, attribute).values


def trained(rows):
    """Rows of (label, split, attributes...)."""
    columns = {f"attribute.{name}": [row[2 + k] for row in rows] for k, name in enumerate("ab")}
    return table(pl.DataFrame({
        "sample_id": [f"s{i}" for i in range(len(rows))], "label": [row[0] for row in rows],
        "split": [row[1] for row in rows], "score": [0.5] * len(rows), **columns,
    }))  # fmt: skip


TRAIN = [(1, "train", 1, 0)] * 30 + [(0, "train", 0, 1)] * 30 + [(1, "train", 0, 0)] * 5 + [(0, "train", 1, 1)] * 5


def test_a_composite_follows_naive_bayes_counted_on_the_training_rows():
    """a speaks for the finding, b against it: e(a) is above the base rate for (1, 0), below for (0, 1)."""
    checked = trained([*TRAIN, (1, "test", 1, 0), (1, "test", 0, 1), (0, "test", None, 1)])

    assert values(checked, "a+b")[-3:] == pytest.approx([1, 0, np.nan], nan_ok=True)


def test_a_composite_may_hold_one_value_of_an_attribute():
    checked = trained([*TRAIN, (1, "test", 1, 0), (1, "test", 0, 1)])

    assert values(checked, "a=1+b")[-2:].tolist() == [1, 0]


def test_a_composite_that_says_nothing_belongs_to_no_cell():
    silent = [(y, "train", a, a) for y in (0, 1) for a in (0, 1)] * 3
    checked = trained([*silent, (1, "test", 1, 1)])

    assert np.isnan(values(checked, "a+b")[-1])


@given(seed=st.integers(0, 10**6), above=st.booleans())
@settings(max_examples=25, deadline=None)
def test_a_composite_of_one_attribute_twice_is_that_attribute_with_its_sign(seed, above):
    """For one binary attribute of either sign the one definition is that of Saab."""
    rng = np.random.default_rng(seed)
    label = np.arange(80) < 40
    a = rng.random(80) < np.where(label == above, 0.8, 0.2)
    a[:20] = [True, False] * 10
    checked = trained([(int(y), "train", int(v), int(v)) for y, v in zip(label, a, strict=True)])
    rates = a[label].mean(), a[~label].mean()

    if rates[0] != rates[1] and LEAST_ROWS <= a.sum() <= 80 - LEAST_ROWS:
        assert values(checked, "a+b").tolist() == (a == (rates[0] > rates[1])).tolist()


def test_a_composite_needs_training_rows():
    checked = trained([(1, "test", 1, 0), (0, "test", 0, 1)])
    with pytest.raises(UsageError, match="'a\\+b' asks what several attributes together suggest, which is learnt from"):
        values(checked, "a+b")


def test_a_column_whose_name_has_a_plus_is_no_composite():
    checked = trained([(1, "test", 1, 0), (0, "test", 0, 1)])
    renamed = table(checked.frame.rename({"attribute.a": "attribute.a+b"}))

    assert is_suggestion("a+b", checked)
    assert not is_suggestion("a+b", renamed)


def test_a_plus_sign_within_a_value_makes_no_composite():
    rows = [(1, "train", "ER+", 1), (0, "train", "ER-", 0), (1, "test", "ER+", 0), (0, "test", "ER-", 1)]
    checked = trained(rows * 10)

    assert not is_suggestion("a=ER+", checked)
    assert is_suggestion("a=ER++b", checked)
    assert composite_terms("a=ER++b", checked.attributes) == ["a=ER+", "b"]
    assert composite_terms("b+a=ER+", checked.attributes) == ["b", "a=ER+"]
    result = audit_scores(receptors(), spurious=["er=ER+", "er=ER++tube"])
    assert [cell.images for cell in result.counts.cells if cell.attribute == "er=ER+"] == [200] * 4
    assert result.counts.composites == ("er=ER++tube",)


def receptors():
    """Every mix of label, receptor and tube as often, half of it for training."""
    mixes = [(y, er, tube, split) for y in (0, 1) for er in ("ER+", "ER-") for tube in (0, 1)
             for split in ("train", "test")]  # fmt: skip
    label, er, tube, split = (list(column) * 100 for column in zip(*mixes, strict=True))
    return pl.DataFrame({
        "sample_id": [f"s{i}" for i in range(len(label))], "label": label, "split": split, "attribute.er": er,
        "attribute.tube": tube, "score": np.random.default_rng(0).normal(size=len(label)) + label,
    })  # fmt: skip


def sites(rates, n=400, seed=0, split="train"):
    """Films of sites with these shares of positives, and a model that reads nothing."""
    rng = np.random.default_rng(seed)
    names = list(rates)
    site = rng.choice(names, n)
    label = rng.random(n) < np.array([rates[name] for name in site])
    return pl.DataFrame(
        {
            "sample_id": [f"{split}{i}" for i in range(n)], "split": split, "label": label.astype(int),
            "score": 1.5 * label + rng.normal(size=n), "attribute.site": site,
        }
    )  # fmt: skip


SITES = {"north": 0.7, "south": 0.2, "west": 0.6, "east": 0.1}


def test_a_site_suggests_the_finding_where_its_rate_is_above_the_base_rate():
    films = pl.concat([sites(SITES), sites(SITES, seed=1, split="test")])
    train = films.filter(pl.col("split") == "train")
    found = suggest(table(films), films, "site")

    base = train["label"].mean()
    for site in SITES:
        rate = train.filter(pl.col("attribute.site") == site)["label"].mean()
        here = found.values[(films["attribute.site"] == site).to_numpy()]
        assert set(here) == {float(rate > base)}
    assert found.source == (
        "what site suggests, learnt on 400 training rows; it speaks for the finding at north, west, "
        "speaks against it at east, south"
    )


def test_the_robust_auroc_of_a_site_is_that_of_the_films_in_conflict_with_it():
    films = pl.concat([sites(SITES), sites(SITES, seed=1, split="test")])
    test = films.filter(pl.col("split") == "test")
    high = test["attribute.site"].is_in(["north", "west"])
    conflict = test.filter((test["label"] == 1) != high)

    (found,) = audit_scores(films, spurious="site").find("robust_auroc")
    assert found.value == pytest.approx(roc_auc_score(conflict["label"], conflict["score"]), abs=1e-12)
    assert (found.n, found.n_pos) == (conflict.height, conflict["label"].sum())


def test_numbers_that_are_few_are_categories_and_many_are_a_scale():
    films = sites(SITES, n=40).with_columns(
        pl.Series("attribute.scanner", [1.0, 2.0, 3.0, 7.0] * 10), pl.Series("attribute.age", np.arange(40.0)),
        pl.Series("attribute.tube", [0.0, 1.0] * 20),
    )  # fmt: skip
    kinds = {name: attribute_kind(table(films), name) for name in ("site", "scanner", "age", "tube")}

    assert kinds == {"site": "categorical", "scanner": "categorical", "age": "continuous", "tube": "binary"}
    found = suggest(table(films), films, "scanner")
    assert set(found.categories) == {"1", "2", "3", "7"}


def test_a_site_with_few_training_rows_or_none_suggests_nothing():
    few = [("new", "test", 1), *[("rare", "train", 1)] * (LEAST_ROWS - 1)]
    extra = pl.DataFrame(
        {
            "sample_id": [f"x{i}" for i in range(len(few))], "split": [row[1] for row in few],
            "label": [row[2] for row in few], "score": [0.5] * len(few), "attribute.site": [row[0] for row in few],
        }
    )  # fmt: skip
    films = pl.concat([sites(SITES), extra.select(sites(SITES).columns)], how="vertical_relaxed")
    found = suggest(table(films), films, "site")

    assert np.isnan(found.values[-len(few) :]).all()
    assert "; says nothing at new, rare (under 10 training rows, or at the base rate)" in found.source


def ages(shape, n=1500, seed=0):
    """Films whose chance of the finding is ``shape`` of the age."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(20, 90, n)
    label = rng.random(n) < shape(age)
    return pl.DataFrame(
        {
            "sample_id": [f"s{i}" for i in range(n)], "split": ["train"] * (n - 300) + ["test"] * 300,
            "label": label.astype(int), "score": label + rng.normal(size=n), "attribute.age": age,
        }
    )  # fmt: skip


def test_an_age_suggests_the_finding_above_where_its_chance_passes_the_base_rate():
    films = ages(lambda age: (age - 20) / 80)
    values = suggest(table(films), films, "age").values
    age = films["attribute.age"].to_numpy()

    # True base rate: .4375, passed at 55.
    assert values[age > 60].min() == 1
    assert values[age < 50].max() == 0


def test_an_age_may_suggest_it_in_the_middle():
    films = ages(lambda age: np.where(abs(age - 55) < 15, 0.7, 0.2))
    found = suggest(table(films), films, "age")
    age = films["attribute.age"].to_numpy()

    assert found.values[abs(age - 55) < 8].min() == 1
    assert found.values[abs(age - 55) > 25].max() == 0
    assert "; it speaks for the finding from 3" in found.source


def test_unknown_ages_stay_unknown_and_beyond_the_training_rows_the_end_counts_on():
    films = ages(lambda age: (age - 20) / 80)
    old = films[-2:].with_columns(pl.Series("attribute.age", [None, 120.0]), sample_id=pl.Series(["u", "v"]))
    films = pl.concat([films, old])

    assert suggest(table(films), films, "age").values[-2:] == pytest.approx([np.nan, 1], nan_ok=True)


def test_what_is_learnt_does_not_depend_on_the_test_rows():
    films = ages(lambda age: (age - 20) / 80)
    fewer = films.filter((pl.col("split") == "train") | (pl.col("attribute.age") < 50))
    whole = dict(zip(films["sample_id"], suggest(table(films), films, "age").values, strict=True))

    found = suggest(table(fewer), fewer, "age").values
    assert found.tolist() == [whole[name] for name in fewer["sample_id"]]


def test_the_verdict_says_that_it_is_what_the_attribute_suggests():
    films = pl.concat([sites(SITES, n=2000), sites(SITES, n=2000, seed=1, split="test")])
    high = films["attribute.site"].is_in(["north", "west"]).cast(pl.Float64)
    result = audit_scores(films.with_columns(score=pl.col("score") + 2 * high), spurious="site")

    assert result.title == "Do the scores depend on what site suggests?"
    assert result.counts.composites == ("site",)
    (verdict,) = result.verdicts
    assert verdict.status == "concern"
    assert verdict.sentences[0] == (
        "Performance changes where what site suggests and finding disagree; the cause is not established."
    )


@pytest.mark.parametrize("spurious", ["site", "site=north+site=east"])
def test_a_finding_without_training_rows_of_both_classes_is_open_and_the_others_go_on(spurious):
    films = pl.concat([sites(SITES, n=1000), sites(SITES, n=1000, seed=1, split="test")])
    high = films["attribute.site"].is_in(["north", "west"]).cast(pl.Float64)
    oedema = films.with_columns(
        finding=pl.lit("edema"), score=pl.col("score") + 2 * high,
        label=pl.when(pl.col("split") == "train").then(0).otherwise(pl.col("label")),
    )  # fmt: skip
    ill = films.with_columns(finding=pl.lit("ill"), score=pl.col("score") + 2 * high).select(oedema.columns)

    result = audit_scores(pl.concat([oedema, ill]), spurious=spurious)

    statuses = {verdict.finding: verdict.status for verdict in result.verdicts}
    assert statuses == {"edema": "insufficient", "ill": "concern"}
    robust = {one.finding: one for one in result.metrics if one.name == "robust_auroc" and one.group == "robust"}
    assert robust["ill"].value is not None
    assert robust["edema"].value is None
    assert robust["edema"].reason.endswith("is not known: there are no training rows with and without edema")


@pytest.mark.parametrize(
    ("spurious", "what"), [("site", "site"), ("site=north+site=east", "the composite of 2 attributes")]
)
@pytest.mark.parametrize("skilled", [True, False])
def test_where_training_rows_are_missing_they_are_asked_for_and_no_test_patients(spurious, what, skilled):
    films = pl.concat([sites(SITES, n=1000), sites(SITES, n=1000, seed=1, split="test")])
    oedema = films.with_columns(
        finding=pl.lit("lung_edema"), score=pl.col("score") * int(skilled),
        label=pl.when(pl.col("split") == "train").then(0).otherwise(pl.col("label")),
    )  # fmt: skip
    ill = films.with_columns(finding=pl.lit("ill")).select(oedema.columns)

    result = audit_scores(pl.concat([oedema, ill]), spurious=spurious)

    verdict = next(verdict for verdict in result.verdicts if verdict.finding == "lung_edema")
    assert (verdict.status, verdict.rule) == ("insufficient", "cell" if skilled else "skill")
    assert verdict.sentences[0] == (
        f"We cannot tell: it takes training rows with and without lung edema to learn what {what} suggests."
    )
    assert "would decide" not in " ".join(verdict.sentences)
    gap = next(one for one in result.answers if (one.finding, one.check) == ("lung_edema", "gap"))
    assert (gap.n_needed, gap.cell_needed) == (None, None)
    learnt = next(verdict for verdict in result.verdicts if verdict.finding == "ill")
    assert "training rows" not in " ".join(learnt.sentences)


def test_a_small_cell_is_named_by_what_the_site_speaks_for():
    films = pl.concat([sites(SITES), sites(SITES, n=24, seed=1, split="test")])

    assert question(films, "site").smallest_cell[0] in {
        f"{who} where site speaks {way} the finding" for who in ("positives", "negatives") for way in ("for", "against")
    }


@pytest.mark.parametrize(("attribute", "has"), [("site", "east, north, south, west"), ("age", "20.")])
def test_without_training_rows_one_value_may_be_asked_and_the_message_says_so(attribute, has):
    films = sites(SITES, split="test").with_columns(pl.Series("attribute.age", 20.25 + np.arange(400)))
    message = (
        rf"'{attribute}' is not 0 and 1 \(it has: {has}.*; ask for one value against the rest, as in '{attribute}="
    )
    with pytest.raises(UsageError, match=message) as raised:
        suggest(table(films), films, attribute)
    assert "or for what it suggests, which is learnt from rows with split = train" in str(raised.value)
