"""Rows of a CSV whose cells have moved are refused: a label would be read as its neighbour's."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortcut_audit.data import csv_table as module
from shortcut_audit.data.csv_table import cell_counts, csv_table
from shortcut_audit.errors import InputError

MOVED = "so that what stands in it has moved"


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"id,a,b\n1,0,1\n2,01\n3,0,1\n", f"t: row 2 has 2 cells and the other rows 3, {MOVED}; mend the row"),
        (b"id,a,b\n1,0,1\n2,0,0,1\n3,0,1", f"t: row 2 has 4 cells and the other rows 3, {MOVED}"),
        (b"id,a,b\n1,0,1\n\n3,0,1\n", f"t: row 2 has 1 cell and the other rows 3, {MOVED}"),
        (b'id,a,b\n1,"0,\n0",1\n2,01\n3,0,1\n', "t: row 2 has 2 cells"),
        (b"id,a,b,c\n1,0,1\n2,0,1\n", "t: the header has 4 cells and the rows 3, so that names have moved"),
        (b"a,b\nr1,0,1\nr2,0,\n", "t: row 1 has 3 cells and the header 2; '1' has no name: mend the header"),
        (b'id,a\n1,0\n"2,0\n3,0\n', "t: row 2: not readable as a table .a quotation mark without its partner."),
        (b'id,a\n1,0\n"2"x,0\n3,0\n', "t: row 2: not readable as a table"),
        (b'id,a\n1,0\n2,5" x 3\n3,0\n', "t: row 2: not readable as a table"),
        (b'id,"a\n1,0\n2,0\n', "t: the header: not readable as a table"),
        (b"id,a\n\xc3\xa9,1\n\xff,2\n", "t: row 2 is not UTF-8 .byte 11 of the file., and other parts of the file"),
        (b"\xff\xc3\xa9,a\n1,2\n", "t: the header is not UTF-8"),
    ],
)
def test_what_has_moved_is_refused_naming_the_row(raw, message):
    with pytest.raises(InputError, match=message):
        csv_table(raw, where="t")


def test_rows_of_a_table_without_header_are_counted_from_its_first_line():
    with pytest.raises(InputError, match="t: row 2 has 3 cells and the other rows 2"):
        csv_table(b"a,1\nb,0,\nc,1\n", where="t", header=("id", "label"))
    with pytest.raises(InputError, match="t: row 1: not readable"):
        csv_table(b'"a,1\nb,0\n', where="t", header=("id", "label"))


def test_brackets_with_commas_in_a_header_may_be_longer_than_the_rows_by_blanks():
    names, rows = csv_table(b"Image Index,Bbox [x,y],,\na.png,1,2\n", where="t")
    assert names == ["Image Index", "Bbox [x", "y]", "", ""]
    assert rows.row(0)[:3] == ("a.png", "1", "2")


TEXT = st.text(st.sampled_from('ab1,;"\n\té '), max_size=6)


@settings(deadline=None, max_examples=60)
@given(
    rows=st.integers(1, 5).flatmap(lambda n: st.lists(st.lists(TEXT, min_size=n, max_size=n), min_size=1, max_size=6)),
    last=st.sampled_from(["", "\n"]),
)
def test_cells_are_counted_as_python_counts_them_whatever_the_block(rows, last):
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    raw = written.getvalue().removesuffix(last).encode()
    whole = cell_counts(raw, ",")
    assert whole[0].tolist() == [len(row) for row in rows]
    assert whole[1]
    kept, module.BLOCK = module.BLOCK, 3
    try:
        assert np.array_equal(cell_counts(raw, ",")[0], whole[0])
    finally:
        module.BLOCK = kept


@settings(deadline=None, max_examples=40)
@given(cells=st.lists(st.tuples(TEXT, TEXT), min_size=2, max_size=6))
def test_quoted_cells_come_back_byte_for_byte(cells):
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([("id", "text"), *cells])
    names, rows = csv_table(written.getvalue().encode(), where="t")
    assert names == ["id", "text"]
    assert [tuple(cell or "" for cell in row) for row in rows.iter_rows()] == cells
