"""Attributes as 1 and 0, what they suggested in training, and the cells."""

import numpy as np
import polars as pl
import pytest
from audit_worlds import table
from hypothesis import given, settings
from hypothesis import strategies as st

from shortcut_audit.audit.groups import (
    attribute_values,
    composite_values,
    count_cells,
    find_association,
    is_composite,
)
from shortcut_audit.errors import UsageError


def attributes(n=4, **columns):
    frame = pl.DataFrame({
        "sample_id": [f"s{i}" for i in range(n)], "label": [i % 2 for i in range(n)], "score": [0.5] * n,
    }).with_columns(pl.Series(f"attribute.{name}", values) for name, values in columns.items())  # fmt: skip
    return table(frame)


def values(checked, attribute):
    return attribute_values(checked, checked.frame, attribute).tolist()


def test_a_binary_attribute_is_one_zero_or_unknown():
    assert values(attributes(tube=["1", "0", None, "1"]), "tube") == pytest.approx([1, 0, np.nan, 1], nan_ok=True)


def test_one_value_of_a_categorical_attribute_stands_against_the_rest():
    found = values(attributes(view=["ap", "pa", None, "lateral"]), "view=ap")

    assert found == pytest.approx([1, 0, np.nan, 0], nan_ok=True)


def test_one_value_of_a_number_may_be_asked_too():
    assert values(attributes(site=["3", "12", "3.0", "7"]), "site=3") == [1, 0, 1, 0]


@pytest.mark.parametrize(("asked", "message"), [
    ("tub", r"there is no attribute 'tub' \(did you mean 'tube'\?\); the table has: tube, view, age"),
    ("view", r"'view' is not 0 and 1 \(it has: ap, lateral\); ask for one value against the rest, as in 'view=ap'"),
    ("age", r"'age' is not 0 and 1 \(it has: 41.0, 52.0, 63.0, 70.0\)"),
    ("view=latral", r"'view' never has the value 'latral' \(did you mean 'lateral'\?\); it has: ap, lateral"),
    ("vew=ap", r"there is no attribute 'vew' \(did you mean 'view'\?\)"),
])  # fmt: skip
def test_what_is_not_there_is_refused(asked, message):
    checked = attributes(tube=[1, 0, 1, 0], view=["ap", "lateral", "ap", "lateral"], age=[41, 52, 63, 70])
    with pytest.raises(UsageError, match=message):
        values(checked, asked)


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

    assert composite_values(checked, checked.frame, "a+b")[-3:] == pytest.approx([1, 0, np.nan], nan_ok=True)


def test_a_composite_may_hold_one_value_of_an_attribute():
    checked = trained([*TRAIN, (1, "test", 1, 0), (1, "test", 0, 1)])

    assert composite_values(checked, checked.frame, "a=1+b")[-2:].tolist() == [1, 0]


def test_a_composite_that_says_nothing_belongs_to_no_cell():
    silent = [(y, "train", a, a) for y in (0, 1) for a in (0, 1)] * 3
    checked = trained([*silent, (1, "test", 1, 1)])

    assert np.isnan(composite_values(checked, checked.frame, "a+b")[-1])


@given(seed=st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_a_composite_of_one_attribute_twice_is_that_attribute_with_its_sign(seed):
    """For one binary attribute of either sign the one definition is Saab's."""
    rng = np.random.default_rng(seed)
    label, a = rng.integers(0, 2, 60), rng.integers(0, 2, 60)
    label[:2] = [0, 1]
    checked = trained([(int(y), "train", int(v), int(v)) for y, v in zip(label, a, strict=True)])
    rate1, rate0 = ((a[label == y].sum() + 0.5) / ((label == y).sum() + 1) for y in (1, 0))
    found = composite_values(checked, checked.frame, "a+b")

    expected = a if rate1 > rate0 else 1 - a
    if rate1 != rate0:
        assert found.tolist() == expected.tolist()


def test_a_composite_needs_training_rows():
    checked = trained([(1, "test", 1, 0), (0, "test", 0, 1)])
    with pytest.raises(UsageError, match="'a\\+b' asks what several attributes together suggest, which is learnt from"):
        composite_values(checked, checked.frame, "a+b")


def test_a_column_whose_name_has_a_plus_is_no_composite():
    assert is_composite("a+b", attributes(a=[1] * 4, b=[0] * 4))
    assert not is_composite("a+b", attributes(**{"a+b": [1] * 4}))


def associate(present, label, *, asked=None, train=None, patients=None):
    present, label = np.asarray(present, float), np.asarray(label, bool)
    train = np.ones(len(label), bool) if train is None else train
    patients = np.arange(len(label)) if patients is None else patients
    return find_association(present, label, patients, train, asked=asked, confidence=0.95)


LABEL = np.arange(200) < 100


@pytest.mark.parametrize(
    ("rate1", "rate0", "sign"), [(0.8, 0.2, 1), (0.2, 0.8, -1), (0.5, 0.5, None), (0.55, 0.5, None)]
)
def test_the_sign_comes_from_the_training_rows(rate1, rate0, sign):
    present = np.r_[np.arange(100) < 100 * rate1, np.arange(100) < 100 * rate0]

    assert associate(present, LABEL, asked="positive").sign == sign


def test_an_uncertain_sign_says_so_with_its_numbers():
    source = associate(np.arange(200) % 2, LABEL).source

    assert source.startswith("the sign of the training association is uncertain: P(a|y=1) 0.500, P(a|y=0) 0.500")


def test_two_training_rows_are_no_evidence_of_a_sign():
    assert associate([1, 0], [1, 0]).sign is None


def test_many_films_of_few_patients_are_no_evidence_of_a_sign():
    present = np.r_[np.arange(100) < 70, np.arange(100) < 50]

    assert associate(present, LABEL).sign == 1
    assert associate(present, LABEL, patients=np.arange(200) // 10).sign is None


@pytest.mark.parametrize(("asked", "sign", "source"), [
    ("negative", -1, "negative, as given"), ("positive", 1, "positive, as given"), (None, 1, "taken as positive"),
])  # fmt: skip
def test_without_training_rows_the_user_says_the_sign_else_it_is_positive(asked, sign, source):
    found = associate(np.ones(200), LABEL, asked=asked, train=np.zeros(200, bool))

    assert (found.sign, found.source.startswith(source)) == (sign, True)


def test_cells_count_images_and_patients_and_an_empty_cell_is_there_with_zero():
    label = np.array([1, 1, 0, 0, 1], bool)
    found = count_cells("f", "tube", label, np.array([1, 1, 0, np.nan, 0]), np.array([7, 7, 8, 9, 8]))

    assert [(c.label, c.value, c.images, c.patients) for c in found] == [
        (1, "1", 2, 1), (1, "0", 1, 1), (0, "1", 0, 0), (0, "0", 1, 1),
    ]  # fmt: skip
