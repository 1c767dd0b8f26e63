"""JSON lines: cells as they are spelt, or the row is named."""

import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortcut_audit.data.json_lines import json_table
from shortcut_audit.data.tables import read_text_table
from shortcut_audit.errors import InputError, UsageError

CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(),
    st.sampled_from(["00012", "NA", "nan", "1e5", "-1", "a\u2028b", "\ufeffx", '"', "\\", "\0", "é"]),
)  # fmt: skip


def columns(raw):
    return json_table(raw, where="t.jsonl").to_dict(as_series=False)


def test_numbers_keep_their_spelling_and_text_stays_as_it_is():
    raw = b'{"id": "00012", "y": 1.0, "n": 1e5}\n{"id": "NA", "y": -1, "n": 12345678901234567890}\n'
    assert columns(raw) == {"id": ["00012", "NA"], "y": ["1.0", "-1"], "n": ["1e5", "12345678901234567890"]}


def test_truth_values_are_numbers_and_what_is_not_there_is_null():
    raw = b'{"a": true, "b": ""}\n{"c": "x", "a": false}\n{"b": null, "c": "y"}'
    assert columns(raw) == {"a": ["1", "0", None], "b": [None, None, None], "c": [None, "x", "y"]}


@pytest.mark.parametrize("raw", [b'\xef\xbb\xbf{"a":"1"}\n', b'{"a":"1"}\r\n\r\n', b'\n {"a" : "1"}', b'{"a":1}'])
def test_byte_order_marks_line_ends_and_empty_lines_do_not_matter(raw):
    assert columns(raw) == {"a": ["1"]}


def test_a_line_separator_within_a_text_ends_no_row():
    assert columns('{"a": "x\u2028y"}\n{"a": "z"}'.encode()) == {"a": ["x\u2028y", "z"]}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'{"a": 1}\n[1]', r"t\.jsonl: row 2 is no object; expected JSON lines, as \{'image'"),
        (b'[{"a": 1},', r"row 1 is not JSON \(.*\); expected one object a line"),
        (b'{"a": 1}\n\n{"a": 1, "a": 2}', r"row 2, the key 'a' stands twice; keep one of them"),
        (b'{"a": [1]}', r"row 1, column 'a' holds a list; expected text, a number, true, false or null; leave the key"),
        (b'{"a": {"b": 1}}', r"row 1, column 'a' holds an object; expected text"),
        (b'{"a": "\xe9"}', r"row 1 is not UTF-8 \(byte 8\); write the file in UTF-8"),
        (b'{"a": "\\ud800"}', r"row 1 is not JSON \(.*surrogates not allowed\)"),
        (b'{"\\ud800": "a"}', r"row 1 is not JSON \(.*surrogates not allowed\)"),
        (b'{"a": 00012}', r"row 1 is not JSON"),
        (b"[" * 100_000, r"row 1 is not JSON \(maximum recursion depth"),
        (b"\n", r"t\.jsonl: no row; expected JSON lines, one object a line"),
    ],
)
def test_what_is_no_row_of_cells_is_refused_naming_the_row(raw, message):
    with pytest.raises(InputError, match=message):
        columns(raw)


@settings(max_examples=50, deadline=None)
@given(
    rows=st.lists(st.fixed_dictionaries({"id": CELLS, "label": CELLS}), min_size=1, max_size=5), escaped=st.booleans()
)
def test_any_cells_come_back(rows, escaped):
    lines = [json.dumps(row, ensure_ascii=escaped) for row in rows]

    def expected(value):
        return str(int(value)) if isinstance(value, bool) else (None if value in (None, "") else str(value))

    found = columns("\n".join(lines).encode())
    assert found == {name: [expected(row[name]) for row in rows] for name in ("id", "label")}


@settings(deadline=None)
@given(raw=st.binary(max_size=60) | st.lists(st.sampled_from(b'{}[]":,\\0Aue \n'), max_size=40).map(bytes))
def test_any_bytes_are_a_table_or_refused(raw):
    try:
        table = json_table(raw, where="t.jsonl")
    except InputError:
        return
    assert table.width
    assert table.write_csv()


@pytest.mark.parametrize("ending", ["jsonl", "NDJSON", "json", "jsonl.gz"])
def test_the_name_says_what_a_file_is(tmp_path, ending):
    path = tmp_path / f"t.{ending}"
    raw = b'{" id ": "00012", "": 3}\n'
    path.write_bytes(gzip.compress(raw) if ending.endswith("gz") else raw)
    assert read_text_table(path).to_dict(as_series=False) == {"id": ["00012"]}


def test_two_keys_that_differ_by_blanks_are_refused(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"a": 1, "a ": 2}')
    with pytest.raises(InputError, match=r"t\.jsonl: two columns are called 'a'; give each its own name"):
        read_text_table(tmp_path / "t.jsonl")


def test_a_separator_of_json_lines_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"t\.jsonl: a separator ';' is said, but \.jsonl has none; leave it out"):
        read_text_table(tmp_path / "t.jsonl", separator=";")
