"""Tables are compared with the sums that were released beside them."""

import gzip
import hashlib

import pytest
from trees.table_tree import write_table_tree

from shortcut_audit.config import DatasetConfig, TableConfig
from shortcut_audit.data.checksums import compared
from shortcut_audit.data.datasets import open_dataset


def write(root, sums="SHA256SUMS.txt", between="  ", **contents):
    """Write files (``a__b_csv`` is ``a/b.csv``) and their sums."""
    lines = []
    for name, content in contents.items():
        path = root / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        lines.append(f"{hashlib.sha256(content).hexdigest()}{between}{path.relative_to(root).as_posix()}")
    (root / sums).write_text("\n".join(lines) + "\n")


def test_without_sums_there_is_nothing_to_say(tmp_path):
    assert compared(tmp_path) == []
    assert compared(tmp_path / "nowhere") == []


@pytest.mark.parametrize("between", ["  ", " ", " *"])
@pytest.mark.parametrize("sums", ["SHA256SUMS.txt", "SHA256SUMS", "sha256sums.txt"])
def test_tables_as_released_are_named(tmp_path, sums, between):
    write(tmp_path / "release", sums, between, a_csv=b"1", annotations__b_csv_gz=gzip.compress(b"2"), c_jpg=b"3")
    for root in (tmp_path / "release", tmp_path):
        assert compared(root) == [f"as {sums} lists them: a.csv, annotations/b.csv.gz"]


@pytest.mark.parametrize("at", [0, 3, 6])
def test_one_byte_changed_is_said(tmp_path, at):
    write(tmp_path, a_csv=b"x,y\n1,0", b_csv=b"2")
    content = bytearray(b"x,y\n1,0")
    content[at] ^= 1
    (tmp_path / "a.csv").write_bytes(content)
    assert compared(tmp_path) == [
        "a.csv: not the file that SHA256SUMS.txt lists; it was changed or broke off, fetch it again",
        "as SHA256SUMS.txt lists them: b.csv",
    ]


def test_an_unpacked_table_cannot_be_compared_and_one_that_is_not_there_is_not_missed(tmp_path):
    write(tmp_path, a_csv_gz=gzip.compress(b"1"), b_csv=b"2", c_csv=b"3")
    (tmp_path / "a.csv.gz").rename(tmp_path / "a.csv")
    (tmp_path / "b.csv").unlink()
    assert compared(tmp_path) == [
        "as SHA256SUMS.txt lists them: c.csv",
        "unpacked, so not compared with SHA256SUMS.txt: a.csv",
    ]


@pytest.mark.parametrize("text", ["", "no sums\n", "ab  a.csv\n", "\0\xff\n", f"{'0' * 64}  a.csv.exe\n"])
def test_a_file_that_lists_no_table_says_so(tmp_path, text):
    (tmp_path / "SHA256SUMS.txt").write_bytes(text.encode("latin-1"))
    (tmp_path / "a.csv").write_bytes(b"1")
    assert compared(tmp_path) == ["SHA256SUMS.txt lists no table that is here"]


@pytest.mark.parametrize("name", ["../a.csv", "/etc/a.csv", "b/../../a.csv"])
def test_names_that_lead_out_of_the_folder_are_not_followed(tmp_path, name):
    (tmp_path / "a.csv").write_bytes(b"1")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "SHA256SUMS.txt").write_text(f"{hashlib.sha256(b'1').hexdigest()}  {name}\n")
    assert compared(inside) == ["SHA256SUMS.txt lists no table that is here"]


def test_the_notes_of_a_data_set_tell_it(tmp_path):
    write_table_tree(tmp_path, rows=12)
    columns = {"image": "picture", "sample": "case", "split": "set", "labels": {"cancer": "malignant"}}
    table = TableConfig.model_validate({"file": "cases.csv", "columns": columns})
    config = DatasetConfig(name="table", root=str(tmp_path), table=table)
    digest = hashlib.sha256((tmp_path / "cases.csv").read_bytes()).hexdigest()
    (tmp_path / "SHA256SUMS.txt").write_text(f"{digest}  cases.csv\n")
    assert "as SHA256SUMS.txt lists them: cases.csv" in open_dataset(config).card.notes
    lines = (tmp_path / "cases.csv").read_text().splitlines()
    (tmp_path / "cases.csv").write_text("\n".join(lines[:-1]) + "\n")
    assert any(note.startswith("cases.csv: not the file that") for note in open_dataset(config).card.notes)
