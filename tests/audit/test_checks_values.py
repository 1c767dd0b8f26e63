"""AUROC within each value of a categorical attribute, and where nobody knows the attribute."""

import numpy as np
import polars as pl
import pytest
from audit_worlds import question, world
from sklearn.metrics import roc_auc_score

from shortcut_audit.audit.checks.values import values
from shortcut_audit.audit.table.subgroups import MOST_GROUPS


def with_sites(sites, n=600):
    rng = np.random.default_rng(0)
    films = pl.concat([world(1, n=n, paired=False, split="train"), world(2, n=n, paired=False)])
    return films.with_columns(pl.Series("attribute.site", rng.choice(sites, 2 * n)))


def test_every_site_has_a_row_of_its_own_equal_to_the_auroc_of_its_images():
    films = with_sites(["north", "south", "west"])
    found = {metric.group: metric for metric in values(question(films, "site")).metrics}

    assert set(found) == {"within:site=north", "within:site=south", "within:site=west"}
    for site in ("north", "south", "west"):
        inside = films.filter((pl.col("split") == "test") & (pl.col("attribute.site") == site))
        expected = roc_auc_score(inside["label"], inside["score"])
        assert found[f"within:site={site}"].value == pytest.approx(expected, abs=1e-12)


def test_of_many_sites_those_with_the_most_images_are_shown():
    found = values(question(with_sites([f"s{i}" for i in range(200)] + ["large"] * 50), "site")).metrics
    found = [metric for metric in found if metric.group.startswith("within:site=")]

    assert len(found) == MOST_GROUPS
    assert found[0].group == "within:site=large"


def test_unknown_attributes_are_a_row_of_their_own_with_their_counts():
    films = world(n=600, paired=False).with_columns(
        pl.when(pl.int_range(pl.len()) < 150).then(None).otherwise(pl.col("attribute.tube")).alias("attribute.tube")
    )
    (found,) = values(question(films)).metrics

    inside = films[:150]
    assert (found.group, found.n) == ("within:unknown", 150)
    assert found.value == pytest.approx(roc_auc_score(inside["label"], inside["score"]), abs=1e-12)


def test_unknown_attributes_of_one_class_have_counts_and_no_number():
    films = world(n=600, paired=False).with_columns(
        pl.when(pl.col("label") == 1).then(None).otherwise(pl.col("attribute.tube")).alias("attribute.tube")
    )
    (found,) = values(question(films)).metrics

    assert (found.value, found.n_neg, found.reason) == (None, 0, "there are no negatives in this group")
    assert found.n_pos == films["label"].sum()


def test_a_binary_attribute_that_is_known_everywhere_adds_nothing():
    assert values(question(world(n=100, paired=False))).metrics == ()
