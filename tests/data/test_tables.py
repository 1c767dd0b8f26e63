"""CSV files as people write them."""

import pytest

from shortcut_audit.data.tables import first_column, read_text_table, require_column
from shortcut_audit.errors import InputError, UsageError


def write(tmp_path, content, encoding="utf-8"):
    path = tmp_path / "t.csv"
    path.write_bytes(content.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("id,name\n01,Müller\n", "utf-8"),
        ("id,name\n01,Müller\n", "utf-8-sig"),
        ("id,name\n01,Müller\n", "latin-1"),
        ("id;name\r\n01;Müller\r\n", "utf-8"),
        ("id\tname\n01\tMüller", "utf-8"),
        ("id|name\n01|Müller", "utf-8"),
        (" id , name \n01,Müller\n", "utf-8"),
        (",id,name\n0,01,Müller\n", "utf-8"),
        ("id,name,\n01,Müller,\n", "utf-8"),
        (";id;name;\n0;01;Müller;\n", "utf-8"),
        ('"id","name"\n"01","Müller"\n', "utf-8"),
        ("id\tname\r\n01\tMüller\r\n", "utf-16"),
        ("id,name\n01,Müller,\n", "utf-8"),
        ("id,name,,\r\n01,Müller\r\n", "utf-8"),
        ("id,name\n01,Müller\n\n\n", "utf-8"),
    ],
)
def test_separators_encodings_and_nameless_columns_do_not_matter(tmp_path, content, encoding):
    table = read_text_table(write(tmp_path, content, encoding))
    assert table.to_dict(as_series=False) == {"id": ["01"], "name": ["Müller"]}


def test_every_cell_is_text_and_empty_cells_are_null(tmp_path):
    table = read_text_table(write(tmp_path, 'a,b\n1.0,""\n,NA\n'))
    assert table.to_dict(as_series=False) == {"a": ["1.0", None], "b": [None, "NA"]}


def test_a_separator_can_be_said(tmp_path):
    table = read_text_table(write(tmp_path, "a;b,c\n1;2,3\n"), separator=";")
    assert table.columns == ["a", "b,c"]


def test_a_quoted_cell_may_hold_separators_and_line_breaks(tmp_path):
    table = read_text_table(write(tmp_path, 'a,b\n"x, y\nz",2\n'))
    assert table["a"].to_list() == ["x, y\nz"]


def test_a_header_alone_is_a_table_of_no_rows(tmp_path):
    table = read_text_table(write(tmp_path, "a,b\n"))
    assert table.columns == ["a", "b"]
    assert table.height == 0


def test_a_missing_file_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"gone\.csv: cannot be read \(No such file.*\); name an existing table"):
        read_text_table(tmp_path / "gone.csv")


def test_an_empty_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"t\.csv: not readable as a table \(.*\); expected a CSV with a header"):
        read_text_table(write(tmp_path, ""))


def test_two_columns_of_one_name_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"t\.csv: two columns are called 'a'; give each its own name"):
        read_text_table(write(tmp_path, "a,b,a\n1,2,3\n"))


def test_a_column_that_is_not_there_is_a_usage_error_with_the_nearest(tmp_path):
    table = read_text_table(write(tmp_path, "melanoma,b\n1,2\n"))
    with pytest.raises(UsageError) as caught:
        require_column(table, "melanome", where="t.csv", key="columns.labels.x")
    assert str(caught.value) == (
        "t.csv: columns.labels.x names the column 'melanome', which is not there (did you mean 'melanoma'?); "
        "the columns are: melanoma, b"
    )
    assert require_column(table, "b", where="t.csv", key="k").to_list() == ["2"]


def test_columns_are_found_whatever_their_case_and_signs(tmp_path):
    table = read_text_table(write(tmp_path, "Image Index,Pleural_Effusion\n1,2\n"))
    assert first_column(table, ["pleural effusion"]) == "Pleural_Effusion"
    assert first_column(table, ["image_index", "PLEURAL-EFFUSION"]) == "Image Index"
    assert first_column(table, ["edema"]) is None


def test_a_table_without_a_header_gets_names(tmp_path):
    table = read_text_table(write(tmp_path, "a1,x,\na2,y,\n"), header=("id", "label"))
    assert table.to_dict(as_series=False) == {"id": ["a1", "a2"], "label": ["x", "y"]}
    assert read_text_table(write(tmp_path, "a1\na2\n"), header=("id", "label")).columns == ["id"]
