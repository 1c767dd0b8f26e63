"""A table of scores is checked once and strictly; every refusal names row and column."""

import stat

import numpy as np
import polars as pl
import pytest
from audit_worlds import table, world

from shortcut_audit.audit.table.scores import ScoresTable, read_scores, write_scores
from shortcut_audit.errors import InputError, UsageError

ROWS = "sample_id,label,score,tube\na,1,0.9,1\nb,0,0.2,0\nc,0,0.4,\n"


def read(tmp_path, text):
    path = tmp_path / "scores.csv"
    path.write_text(text)
    return read_scores(path)


def test_optional_columns_have_defaults_and_each_image_is_its_own_cluster(tmp_path):
    found = read(tmp_path, ROWS)

    row = found.frame.row(0, named=True)
    assert row == {
        "sample_id": "a", "patient_id": "a", "model": "model", "finding": "finding", "split": "test", "role": "model",
        "label": 1, "score": 0.9, "attribute.tube": 1.0,
    }  # fmt: skip
    assert found.unit == "image"


def test_a_bare_column_is_an_attribute_and_blank_is_unknown(tmp_path):
    found = read(tmp_path, ROWS)

    assert found.attributes == ("tube",)
    assert found.frame["attribute.tube"].to_list() == [1.0, 0.0, None]


def test_ids_stay_byte_for_byte(tmp_path):
    found = read(tmp_path, "sample_id,patient_id,label,score\n00012,NA,1,1\n1e3,,0,0\n")

    assert found.frame["sample_id"].to_list() == ["00012", "1e3"]
    assert found.frame["patient_id"].to_list() == ["NA", "1e3"]


def test_a_categorical_attribute_stays_text_and_a_number_becomes_one(tmp_path):
    found = read(tmp_path, "sample_id,label,score,view,age\na,1,.5,ap,61\nb,0,.4, pa ,\n")

    assert found.frame["attribute.view"].to_list() == ["ap", "pa"]
    assert found.frame["attribute.age"].to_list() == [61.0, None]


@pytest.mark.parametrize(("values", "found"), [
    ([1, 0], [1.0, 0.0]), ([1.0, float("nan")], [1.0, None]), ([None, 3.5], [None, 3.5]), ([True, False], [1.0, 0.0]),
    ([float("inf"), 1.0], ["inf", "1.0"]),
])  # fmt: skip
def test_an_attribute_in_a_frame_of_numbers_is_read_as_from_text(values, found):
    frame = pl.DataFrame({"sample_id": ["a", "b"], "label": [0, 1], "score": [0.1, 0.2], "tube": values}, strict=False)

    assert ScoresTable.from_frame(frame, where="a frame").frame["attribute.tube"].to_list() == found


@pytest.mark.parametrize(("bad", "message"), [
    ("a,1,nan,1", "row 1, column 'score' is 'nan'; expected a finite number"),
    ("a,1,inf,1", "row 1, column 'score' is 'inf'; expected a finite number"),
    ("a,1,high,1", "row 1, column 'score' is 'high'; expected a finite number"),
    ("a,1,,1", "row 1, column 'score' is blank; expected a number; leave out rows that were not scored"),
    ("a,2,0.5,1", "row 1, column 'label' is '2'; expected 0 or 1; leave out rows without a label"),
    ("a,-1,0.5,1", "row 1, column 'label' is '-1'; expected 0 or 1"),
    ("a,,0.5,1", "row 1, column 'label' is blank; expected 0 or 1"),
    (",1,0.5,1", "row 1, column 'sample_id' is blank; an id must not be blank"),
])  # fmt: skip
def test_a_bad_cell_is_refused_by_row_and_column(tmp_path, bad, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path, f"sample_id,label,score,tube\n{bad}\nb,0,0.2,0\n")


def test_the_row_named_is_the_first_bad_one_counted_without_the_header(tmp_path):
    with pytest.raises(InputError, match=r"scores\.csv: row 3, column 'score' is 'x'"):
        read(tmp_path, ROWS.replace("0.4", "x"))


@pytest.mark.parametrize(("column", "value", "message"), [
    ("split", "holdout", "column 'split' is 'holdout'; expected train or val or test"),
    ("role", "boss", "column 'role' is 'boss'; expected model or control"),
    ("weight", "0", "column 'weight' is 0; expected a number above 0"),
    ("weight", "", "column 'weight' is blank; expected a number above 0"),
    ("covariate.area", "big", "column 'covariate.area' is 'big'; expected a finite number"),
    ("score_with.tube", "nan", "column 'score_with.tube' is 'nan'; expected a finite number"),
    ("reference_score", "x", "column 'reference_score' is 'x'; expected a finite number"),
])  # fmt: skip
def test_an_optional_column_is_checked_too(tmp_path, column, value, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path, f"sample_id,label,score,{column}\na,1,0.5,{value}\n")


def test_a_duplicate_is_refused_and_the_same_film_under_two_models_is_not(tmp_path):
    twice = "sample_id,model,label,score\na,one,1,0.5\na,two,1,0.5\n"
    assert read(tmp_path, twice).frame.height == 2
    with pytest.raises(InputError, match="row 3: sample_id 'a' occurs twice for model 'two' and finding 'finding'"):
        read(tmp_path, twice + "a,two,1,0.6\n")


def test_a_pair_of_which_neither_is_the_score_is_refused(tmp_path):
    head = "sample_id,label,score,tube,score_with.tube,score_without.tube\n"
    assert read(tmp_path, head + "a,1,0.5,1,0.5,0.2\nb,1,0.2,0,0.5,\n").frame.height == 2
    with pytest.raises(
        InputError, match=r"row 1, column 'score' is 0.4, but 'score_with.tube' is 0.5 and 'score_without.tube' is 0.2"
    ):
        read(tmp_path, head + "a,1,0.4,1,0.5,0.2\n")


def test_a_missing_column_is_refused_with_the_nearest_name(tmp_path):
    with pytest.raises(UsageError, match=r"there is no column 'score' \(did you mean 'scores'\?\); it has: sample_id"):
        read(tmp_path, "sample_id,label,scores\na,1,0.5\n")


def test_a_table_without_rows_is_refused(tmp_path):
    with pytest.raises(InputError, match="there are no rows; expected one row per image"):
        read(tmp_path, "sample_id,label,score\n")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"cannot be read .No such file or directory.; name an existing table"):
        read_scores(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", r"not readable as a table \(.*\); expected a CSV with a header$"),
        (b"sample_id,label,score\na,1,0.5,7,8\n", "row 1 has 5 cells and the header 3; '7' has no name: mend"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_one_line(tmp_path, raw, message):
    path = tmp_path / "scores.csv"
    path.write_bytes(raw)
    with pytest.raises(InputError, match=message):
        read_scores(path)


def test_semicolons_and_the_encoding_of_an_old_spreadsheet_do_not_matter(tmp_path):
    path = tmp_path / "scores.csv"
    path.write_bytes("sample_id;label;score;site\na;1;0.5;Süd\n".encode("latin-1"))

    assert read_scores(path).frame.select("score", "attribute.site").row(0) == (0.5, "Süd")


def test_a_comma_before_decimals_is_refused_with_what_helps(tmp_path):
    with pytest.raises(InputError, match=r"row 1, column 'score' is '0,5'; .* with a point before its decimals"):
        read(tmp_path, "sample_id;label;score\na;1;0,5\n")


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    path = tmp_path / "scores.csv"
    path.write_bytes(b"\xef\xbb\xbf" + ROWS.encode())

    assert read_scores(path).frame.height == 3


def test_what_is_written_reads_back_equal_and_only_its_owner_can_read_it(tmp_path):
    for frame in (world(n=40), world(n=40).drop("patient_id")):
        checked, path = table(frame), tmp_path / "scores.csv"
        write_scores(checked, path)
        again = read_scores(path)

        assert again.frame.equals(checked.frame)
        assert again.unit == checked.unit
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_numbers_may_come_typed_with_nan_for_blanks():
    frame = pl.DataFrame({
        "sample_id": [1, 2], "label": [True, False], "score": np.array([0.5, 0.25], np.float32),
        "attribute.tube": [1.0, float("nan")], "covariate.area": [float("nan"), 3.0],
    })  # fmt: skip
    found = ScoresTable.from_frame(frame, where="frame").frame

    assert found["label"].to_list() == [1, 0]
    assert found["attribute.tube"].to_list() == [1.0, None]
    assert found["covariate.area"].to_list() == [None, 3.0]


def test_a_typed_nan_score_is_refused():
    frame = pl.DataFrame({"sample_id": ["a", "b"], "label": [1, 0], "score": [0.5, float("nan")]})
    with pytest.raises(InputError, match="row 2, column 'score' is 'nan'"):
        ScoresTable.from_frame(frame, where="frame")


def test_scores_of_another_format_are_a_usage_error(tmp_path):
    (tmp_path / "s.parquet").write_bytes(b"PAR1")
    with pytest.raises(UsageError, match=r"s\.parquet: scores are kept as CSV beside the audit; write this table as a"):
        read_scores(tmp_path / "s.parquet")
