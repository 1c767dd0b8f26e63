"""What a table must hold to be a manifest."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shortcut_audit.data.manifest import DataCard, Manifest, read_manifest
from shortcut_audit.data.validate import SHARED_PATIENTS, check_frame
from shortcut_audit.errors import InputError, UsageError


def table(**columns):
    rows = len(next(iter(columns.values()), "abc"))
    base = {
        "sample_id": [f"s{row}" for row in range(rows)],
        "image": [f"{row}.png" for row in range(rows)],
        "patient_id": [f"p{row}" for row in range(rows)],
        "split": ["train"] * rows,
    }
    return pl.DataFrame({**base, **columns})


def check(frame, *, shared=False):
    return check_frame(frame, where="t.csv", allow_shared_patients=shared)


def test_ids_stay_byte_for_byte():
    ids = ["00012", "NA", " 7 ", "nan", "1e3"]
    checked, _ = check(table(sample_id=ids, patient_id=ids))
    assert checked["sample_id"].to_list() == ids
    assert checked["patient_id"].to_list() == ids


def test_without_patient_ids_each_image_is_its_own_patient_and_a_note_says_so():
    checked, notes = check(table(sample_id=["a", "b"]).drop("patient_id"))
    assert checked["patient_id"].to_list() == ["a", "b"]
    assert checked.columns[:4] == ["sample_id", "image", "patient_id", "split"]
    assert notes == ["no patient ids: each image counts as its own patient"]


def test_a_blank_patient_id_makes_the_image_its_own_patient():
    checked, notes = check(table(patient_id=["p", None, ""]))
    assert checked["patient_id"].to_list() == ["p", "s1", "s2"]
    assert notes == ["2 images without a patient id: each counts as its own patient"]


def test_labels_become_numbers_and_blanks_stay_unknown():
    checked, notes = check(table(**{"label.edema": ["1.0", "0", "-1", "", None]}))
    assert checked["label.edema"].to_list() == [1.0, 0.0, -1.0, None, None]
    assert notes == []


def test_nan_in_a_column_of_numbers_is_a_blank():
    checked, _ = check(table(**{"label.edema": [1.0, float("nan")], "severity.edema": [float("nan"), 2.5]}))
    assert checked["label.edema"].to_list() == [1.0, None]
    assert checked["severity.edema"].to_list() == [None, 2.5]


@pytest.mark.parametrize("cell", ["2", "yes", "0.5", "nan", "inf", " "])
def test_a_label_outside_the_allowed_values_is_refused_naming_row_and_column(cell):
    expected = rf"t\.csv: row 2, column 'label\.edema' holds '{cell}'; expected 1, 0, -1 \(uncertain\) or blank"
    with pytest.raises(InputError, match=expected):
        check(table(**{"label.edema": ["1", cell, "0"]}))


def test_the_message_counts_further_bad_cells():
    with pytest.raises(InputError, match=r"holds '7' \(2 more like it\)"):
        check(table(**{"label.edema": ["7", "8", "9", "1"]}))


@given(st.lists(st.sampled_from(["1", "0", "-1", "1.0", "0.0", "-1.0", ""]), min_size=1, max_size=20))
def test_every_mixture_of_allowed_labels_is_accepted(cells):
    checked, _ = check(table(**{"label.x": cells}))
    assert checked["label.x"].to_list() == [float(cell) if cell else None for cell in cells]


@pytest.mark.parametrize(("name", "cell"), [("severity.edema", "large"), ("covariate.area", "inf")])
def test_severities_and_covariates_are_finite_numbers(name, cell):
    with pytest.raises(InputError, match=rf"row 1, column '{name}' holds '{cell}'; expected a number or blank"):
        check(table(**{name: [cell, "1"]}))


def manifest(frame, **kwargs):
    return Manifest.from_frame(frame, card=DataCard(name="t"), root=Path(), where="t.csv", **kwargs)


def test_attributes_are_binary_categorical_or_continuous_by_their_cells():
    made = manifest(
        table(**{
            "attribute.tube": ["1", "0", None],
            "attribute.view": ["ap", "pa", ""],
            "attribute.dose": ["0.5", "2", "1"],
            "attribute.scanner": ["500", "DX-1", "501"],
            "attribute.nobody": [None, "", None],
        })
    )  # fmt: skip
    types = [made.attribute_type(name) for name in ("tube", "view", "dose", "scanner")]
    assert types == ["binary", "categorical", "continuous", "categorical"]
    assert made.frame["attribute.tube"].to_list() == [1.0, 0.0, None]
    assert made.frame["attribute.view"].to_list() == ["ap", "pa", None]
    assert made.frame["attribute.nobody"].null_count() == 3


@pytest.mark.parametrize("cell", ["unknown", "nan", "?"])
def test_a_word_among_zeros_and_ones_is_refused(cell):
    with pytest.raises(InputError, match=r"row 3, column 'attribute\.tube' holds .+ but the other cells are 0 and 1"):
        check(table(**{"attribute.tube": ["1", "0", cell]}))


def test_truth_values_count_as_one_and_zero():
    checked, _ = check(table(**{"attribute.tube": [True, False, None]}))
    assert checked["attribute.tube"].to_list() == [1.0, 0.0, None]


def test_nan_in_an_attribute_of_numbers_is_a_blank_and_categories_are_read_by_name():
    view = pl.Series(["pa", "ap", "pa"], dtype=pl.Categorical)
    grade = pl.Series(["7", "9", "7"], dtype=pl.Categorical)
    checked, _ = check(table(**{"attribute.tube": [1.0, float("nan"), 0.0], "attribute.v": view, "attribute.g": grade}))
    assert checked["attribute.tube"].to_list() == [1.0, None, 0.0]
    assert checked["attribute.v"].to_list() == ["pa", "ap", "pa"]
    assert checked["attribute.g"].to_list() == [7.0, 9.0, 7.0]


def test_a_repeated_id_is_refused_naming_both_rows():
    with pytest.raises(InputError, match=r"the sample_id 'b' stands in row 2 and again in row 4 \(2 rows share"):
        check(table(sample_id=["a", "b", "c", "b"]))


@pytest.mark.parametrize("column", ["sample_id", "image", "split"])
@pytest.mark.parametrize("cell", ["", None, "  "])
def test_a_blank_key_is_refused(column, cell):
    with pytest.raises(InputError, match=rf"t\.csv: row 2, column '{column}' is blank; every row needs one"):
        check(table(**{column: ["train", cell]}))


def test_an_unknown_split_is_refused():
    with pytest.raises(InputError, match=r"row 1, column 'split' holds 'dev'; expected train, val or test"):
        check(table(split=["dev", "test"]))


@pytest.mark.parametrize("column", ["sample_id", "image", "split"])
def test_a_missing_column_is_a_usage_error(column):
    with pytest.raises(UsageError, match=rf"t\.csv: no column '{column}'; the columns are: "):
        check(table(sample_id=["a"]).drop(column))


@pytest.mark.parametrize(
    ("name", "guess"), [("lable.edema", "label.edema"), ("patient", "patient_id"), ("label.", ""), ("edema", "")]
)
def test_an_unknown_column_is_a_usage_error_with_the_nearest_name(name, guess):
    with pytest.raises(UsageError) as caught:
        check(table(**{name: ["1"]}))
    assert f"unknown column '{name}'" in str(caught.value)
    assert (f"did you mean '{guess}'?" in str(caught.value)) == bool(guess)


def test_a_patient_in_two_splits_is_refused_naming_patient_and_config_key():
    frame = table(patient_id=["p", "q", "p", "q", "r"], split=["train", "train", "test", "val", "test"])
    with pytest.raises(InputError) as caught:
        check(frame)
    assert "patient 'p' is in train and test (2 patients are in more than one split)" in str(caught.value)
    assert "dataset.allow_shared_patients: true" in str(caught.value)


def test_a_patient_in_two_splits_is_noted_where_that_is_allowed():
    frame = table(patient_id=["p", "p"], split=["train", "test"])
    _, notes = check(frame, shared=True)
    assert notes == ["1 patient is in more than one split (dataset.allow_shared_patients)"]
    assert SHARED_PATIENTS in notes[0]


def test_a_saved_manifest_reads_back_equal_with_its_notes_said_once(tmp_path):
    frame = table(
        sample_id=["00012", "NA", "c"], patient_id=["p", "p", ""], split=["train", "test", "val"],
        **{"label.edema": ["1", "-1", ""], "attribute.view": ["ap", "", "pa"], "mask.lung": ["m.png", None, ""]},
    )  # fmt: skip
    made = manifest(frame, allow_shared_patients=True)
    made.save(tmp_path)
    again = read_manifest(tmp_path)
    assert again.frame.equals(made.frame)
    assert again.card.notes == made.card.notes
    assert again.fingerprint == made.fingerprint


def test_a_manifest_with_a_relative_root_reads_back_from_another_folder(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    made = Manifest.from_frame(table(), card=DataCard(name="made"), root=Path("films"), where="films.csv")
    expected = made.images()
    made.save(Path("films"))
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert read_manifest(tmp_path / "films").images() == expected
    assert expected[0].is_relative_to(tmp_path.resolve() / "films")


@given(st.permutations(range(6)))
def test_the_order_of_rows_decides_nothing(order):
    frame = table(**{"label.x": ["1", "0", "-1", "", "1", "0"], "attribute.a": ["1", "", "0", "1", "1", "0"]})
    straight, _ = check(frame)
    shuffled, _ = check(frame[list(order)])
    assert shuffled.equals(straight[list(order)])


def test_a_word_among_ages_is_an_age_that_is_not_known_and_a_note_says_so():
    checked, notes = check(table(age=["61", "unknown", "45.5", None, "5o"]))
    assert checked["age"].to_list() == ["61", None, "45.5", None, None]
    assert notes == ["age is a word in 2 of 5 rows ('unknown', '5o'): not known there"]
    among_bands, _ = check(table(age=["20-40", "unknown", "90"]))
    assert among_bands["age"].to_list() == ["20-40", None, "90"]


@pytest.mark.parametrize("ages", [["60-69", "70-79", None], ["0", "20-40", "90+"], ["old", "young", None]])
def test_bands_of_ages_stay_words(ages):
    checked, notes = check(table(age=ages))
    assert (checked["age"].to_list(), notes) == (ages, [])


def test_blanks_around_an_age_do_not_make_it_a_word():
    checked, notes = check(table(age=[" 60", "45 ", "61"]))
    assert (checked["age"].to_list(), notes) == (["60", "45", "61"], [])


def test_a_file_that_is_no_manifest_is_named_with_the_reason(tmp_path):
    (tmp_path / "manifest.csv").write_text("id\n1\n")
    with pytest.raises(
        InputError, match=r"manifest\.csv: not readable as what .* \(manifest\.json: No such file or dir"
    ):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(InputError, match=r"writes \(no key 'root'\); write it again into an empty folder"):
        read_manifest(tmp_path)
