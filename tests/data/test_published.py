"""A table that is not what was published says so."""

import polars as pl
import pytest

from shortcut_audit.data.published import Published, positives

WHOLE = pl.DataFrame(
    {"patient_id": ["a", "a", "b", "c"], "label.edema": [1.0, 0.0, -1.0, None], "view": ["PA", "AP", "PA", None]}
)
SAID = Published(
    table="t.csv",
    rows=4,
    patients=3,
    source="Ours 2020",
    values={"label.edema": {"1": 1, "0": 1, "-1": 1}, "view": {"PA": 2, "AP": 1}},
)


def changed(**columns):
    return WHOLE.with_columns(**{name: pl.Series(values) for name, values in columns.items()})


def test_the_whole_of_it_is_as_published():
    assert SAID.notes(WHOLE) == ["t.csv has 4 rows and values as published (Ours 2020)"]


def test_one_row_less_is_said():
    assert SAID.notes(WHOLE[1:]) == ["t.csv has 3 rows, 1 fewer than the 4 published (Ours 2020)"]


def test_one_row_more_is_said_with_the_values_that_are_too_many():
    notes = SAID.notes(pl.concat([WHOLE, WHOLE[:1]]))
    assert notes == [
        "t.csv has 5 rows, 1 more than the 4 published (Ours 2020)",
        "t.csv: edema = 1 in 2 rows, published: 1",
        "t.csv: view = PA in 3 rows, published: 2",
    ]


def test_one_label_flipped_is_said():
    notes = SAID.notes(changed(**{"label.edema": [0.0, 0.0, -1.0, None]}))
    assert notes == [
        "t.csv has 4 rows as published (Ours 2020)",
        "t.csv: edema = 1 in 0 rows, published: 1",
        "t.csv: edema = 0 in 2 rows, published: 1",
    ]


def test_a_part_that_has_more_of_a_value_than_the_whole_was_changed():
    part = changed(**{"label.edema": [1.0, 1.0, -1.0, None]})[:2]
    assert "t.csv: edema = 1 in 2 rows, published: 1" in SAID.notes(part)


def test_other_patients_are_said_of_the_whole_only():
    other = changed(patient_id=["a", "b", "c", "d"])
    assert SAID.notes(other)[-1] == "t.csv: 4 patients, published: 3"
    assert not any("patients" in note for note in SAID.notes(other[:3]))


def test_a_column_that_is_missing_is_said():
    assert "t.csv: edema is not there, but was published" in SAID.notes(WHOLE.drop("label.edema"))


@pytest.mark.parametrize("name", ["edema", "lung_lesion"])
def test_positives_are_counts_of_ones(name):
    assert positives({name: 3}) == {f"label.{name}": {"1": 3}}


def test_labels_that_nobody_counted_are_named_as_a_change_would_not_be_seen():
    uncounted = Published(table="t.csv", rows=4, source="Ours 2020")
    told = (
        "occurs is not known to us, so no count tells a changed label; SHA256SUMS.txt or 'audit data check --against' "
        "an earlier manifest does"
    )
    assert uncounted.notes(WHOLE) == [
        "t.csv has 4 rows as published (Ours 2020)",
        f"t.csv: how often each label {told}",
    ]
    more = WHOLE.with_columns(pl.lit(1.0).alias("label.fracture"))
    assert SAID.notes(more)[-1] == f"t.csv: how often fracture {told}"
    assert not any(told in note for note in SAID.notes(WHOLE))
