"""Parquet: values as text, or column and row are named. A damaged file never ends the program."""

import datetime as dt
import decimal
import io
import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortcut_audit.data.parquet import parquet_table
from shortcut_audit.data.tables import read_text_table
from shortcut_audit.errors import InputError

NAMES = st.sampled_from(["00012", "12", "NA", "nan", "1e5", "-1", "é", "a b", "None", "x#y"]) | st.text(min_size=1)


def packed(columns, **schema):
    stream = io.BytesIO()
    pl.DataFrame(columns, schema_overrides=schema).write_parquet(stream)
    return stream.getvalue()


def columns(raw):
    return parquet_table(raw, where="t.parquet").to_dict(as_series=False)


def test_values_become_the_text_that_they_are():
    raw = packed(
        {
            "id": ["00012", "NA", ""],
            "number": [2**64 - 1, 0, None],
            "gap": [1.0, None, float("nan")],
            "share": [0.1, 1e-7, 2.0],
            "huge": [1e300, float("inf"), 1.0],
            "known": [True, None, False],
            "word": ["a", "b", None],
            "bytes": [b"a", "é".encode(), None],
            "day": [dt.date(2020, 1, 31), None, None],
            "exact": [decimal.Decimal("1.10"), None, None],
            "nothing": [None, None, None],
            "__index_level_0__": [7, 8, 9],
        },
        number=pl.UInt64,
        word=pl.Categorical,
    )
    assert columns(raw) == {
        "id": ["00012", "NA", None],
        "number": ["18446744073709551615", "0", None],
        "gap": ["1", None, None],
        "share": ["0.1", "1e-7", "2.0"],
        "huge": ["1e+300", "inf", "1.0"],
        "known": ["1", None, "0"],
        "word": ["a", "b", None],
        "bytes": ["a", "é", None],
        "day": ["2020-01-31", None, None],
        "exact": ["1.10", None, None],
        "nothing": [None, None, None],
    }


@pytest.mark.parametrize(
    ("cells", "kind", "message"),
    [
        ([None, [1]], pl.List(pl.Int64), r"row 2, column 'a' holds a value of type List\(Int64\); write the column"),
        ([{"b": 1}], pl.Struct({"b": pl.Int64}), r"t\.parquet: row 1, column 'a' holds a value of type Struct"),
        ([None, dt.timedelta(1)], pl.Duration, r"row 2, column 'a' holds a value of type Duration"),
        ([b"a", b"\xff"], pl.Binary, r"row 2, column 'a' holds bytes that are no text; write the column as text or"),
        ([1.0, 2.0**53], pl.Float64, r"row 2, column 'a' holds a whole number with more digits than a float keeps"),
        ([1.0, 2.0**24], pl.Float32, r"row 2, column 'a' holds a whole number with more digits than a float keeps"),
    ],
)
def test_what_is_no_text_is_refused_naming_column_and_row(cells, kind, message):
    with pytest.raises(InputError, match=message):
        columns(packed({"a": cells}, a=kind))


@settings(max_examples=4, deadline=None)
@given(names=st.lists(NAMES, min_size=1, max_size=40), data=st.data())
def test_any_ids_and_labels_come_back_byte_for_byte(names, data):
    labels = data.draw(st.lists(st.sampled_from(["1", "0", "-1", None]), min_size=len(names), max_size=len(names)))
    assert columns(packed({"id": names, "y": labels}, y=pl.String)) == {"id": names, "y": labels}


def test_a_damaged_file_is_read_or_refused_and_never_ends_the_program():
    raw = packed({"id": [f"{n:05d}" for n in range(50)], "y": [n % 2 for n in range(50)]})
    refused = 0
    for seed in range(6):
        rng, damaged = random.Random(seed), bytearray(raw)
        damaged[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
        try:
            columns(bytes(damaged))
        except InputError as error:
            refused += "not readable as Parquet: another format, or damaged; write or fetch it again" in str(error)
    assert refused


@pytest.mark.parametrize("raw", [b"", b"id,y\n1,2\n", b"PAR1" * 9])
def test_what_is_no_parquet_is_refused(tmp_path, raw):
    (tmp_path / "t.pq").write_bytes(raw)
    with pytest.raises(InputError, match=r"t\.pq: not readable as Parquet: another format, or damaged"):
        read_text_table(tmp_path / "t.pq")


def test_blanks_around_names_go(tmp_path):
    (tmp_path / "t.parquet").write_bytes(packed({" id ": ["00012"]}))
    assert read_text_table(tmp_path / "t.parquet").to_dict(as_series=False) == {"id": ["00012"]}
