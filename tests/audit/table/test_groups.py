"""Attributes as 1 and 0, what they suggested in training, and the cells."""

import numpy as np
import polars as pl
import pytest
from audit_worlds import table

from shortcut_audit.audit.table.groups import attribute_values, count_cells, find_association
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
    ("view=latral", r"'view' never has the value 'latral' \(did you mean 'lateral'\?\); it has: ap, lateral"),
    ("vew=ap", r"there is no attribute 'vew' \(did you mean 'view'\?\)"),
])  # fmt: skip
def test_what_is_not_there_is_refused(asked, message):
    checked = attributes(tube=[1, 0, 1, 0], view=["ap", "lateral", "ap", "lateral"], age=[41, 52, 63, 70])
    with pytest.raises(UsageError, match=message):
        values(checked, asked)


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
