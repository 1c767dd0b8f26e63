"""Tables are compared with the sums that were released beside them."""

import gzip
import hashlib

import polars as pl
import pytest

from shortcut_audit.config import Config, DatasetConfig, TableConfig
from shortcut_audit.data.checksums import Checksums, checksums
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.errors import InputError
from shortcut_audit.stages.data_check import check_data


def write(root, sums="SHA256SUMS.txt", between="  ", **contents):
    """Write files (``a__b_csv`` is ``a/b.csv``) and their sums."""
    lines = []
    for name, content in contents.items():
        path = root / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        lines.append(f"{hashlib.sha256(content).hexdigest()}{between}{path.relative_to(root).as_posix()}")
    (root / sums).write_text("\n".join(lines) + "\n")


def found(root, *more):
    (one,) = checksums([root, *more])
    return one


def test_without_sums_there_is_nothing_to_say(tmp_path):
    assert checksums([tmp_path, tmp_path / "nowhere"]) == []


@pytest.mark.parametrize("between", ["  ", " ", " *"])
@pytest.mark.parametrize("sums", ["SHA256SUMS.txt", "SHA256SUMS", "sha256sums.txt"])
def test_tables_as_released_are_named(tmp_path, sums, between):
    tables = {"a_csv": b"1", "annotations__b_csv_gz": gzip.compress(b"2"), "D_CSV": b"4"}
    write(tmp_path, sums, between, **tables, c_jpg=b"3", e_txt=b"5", f_nii_gz=b"6")
    assert found(tmp_path) == Checksums(
        file=sums, same=("a.csv", "annotations/b.csv.gz", "D.CSV"), changed=(), unpacked=()
    )
    assert checksums([tmp_path, tmp_path / "annotations", tmp_path / "annotations" / ".."]) == [found(tmp_path)]


@pytest.mark.parametrize("at", [0, 3, 6])
def test_one_byte_changed_is_said(tmp_path, at):
    write(tmp_path, a_csv=b"x,y\n1,0", b_csv=b"2")
    content = bytearray(b"x,y\n1,0")
    content[at] ^= 1
    (tmp_path / "a.csv").write_bytes(content)
    assert (found(tmp_path).changed, found(tmp_path).same) == (("a.csv",), ("b.csv",))


def test_an_unpacked_table_cannot_be_compared_and_one_that_is_not_there_is_not_missed(tmp_path):
    write(tmp_path, a_csv_gz=gzip.compress(b"1"), b_csv=b"2", c_csv=b"3")
    (tmp_path / "a.csv.gz").rename(tmp_path / "a.csv")
    (tmp_path / "b.csv").unlink()
    assert found(tmp_path) == Checksums(file="SHA256SUMS.txt", same=("c.csv",), changed=(), unpacked=("a.csv",))


def test_sums_with_a_byte_order_mark_or_with_tags_are_read(tmp_path):
    write(tmp_path, a_csv=b"1", b_csv=b"2")
    path = tmp_path / "SHA256SUMS.txt"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert found(tmp_path).same == ("a.csv", "b.csv")
    path.write_text(f"SHA256 (a.csv) = {hashlib.sha256(b'1').hexdigest()}\r\n")
    assert found(tmp_path).same == ("a.csv",)


@pytest.mark.parametrize("text", ["", "no sums\n", "ab  a.csv\n", "\0\xff\n", f"{'0' * 64}  a.csv.exe\n"])
def test_a_file_that_lists_no_table_says_so(tmp_path, text):
    (tmp_path / "SHA256SUMS.txt").write_bytes(text.encode("latin-1"))
    (tmp_path / "a.csv").write_bytes(b"1")
    assert found(tmp_path) == Checksums(file="SHA256SUMS.txt", same=(), changed=(), unpacked=())


@pytest.mark.parametrize("name", ["../a.csv", "/etc/a.csv", "b/../../a.csv", "p/q/r/a.csv", f"{'a' * 300}.csv"])
def test_names_that_lead_elsewhere_are_not_followed(tmp_path, name):
    inside = tmp_path / "inside"
    (inside / "p/q/r").mkdir(parents=True)
    for path in (tmp_path / "a.csv", inside / "p/q/r/a.csv"):
        path.write_bytes(b"2")
    (inside / "SHA256SUMS.txt").write_text(f"{hashlib.sha256(b'1').hexdigest()}  {name}\n")
    assert found(inside) == Checksums(file="SHA256SUMS.txt", same=(), changed=(), unpacked=())


def test_sums_of_another_data_set_beside_this_one_say_nothing_of_it(tmp_path):
    write(tmp_path / "other", t_csv=b"1")
    (tmp_path / "other/t.csv").write_bytes(b"2")
    write(tmp_path / "ours", t_csv=b"1")
    (tmp_path / "third").mkdir()
    config = DatasetConfig(
        name="table", root=str(tmp_path),
        table=TableConfig.model_validate({"file": "t.csv", "columns": {}}),
    )  # fmt: skip
    frame = pl.DataFrame({"sample_id": ["a"], "image": ["a.png"], "split": ["test"]})
    manifest = Manifest.from_frame(frame, card=DataCard(name="ours"), root=tmp_path, where="t.csv")
    ran = check_data(manifest, Config(dataset=config), "none")
    assert ran.checksums == ()
    ran.refuse()
    (tmp_path / "ours/t.csv").write_bytes(b"2")
    inside = config.model_copy(update={"root": str(tmp_path / "ours")})
    beside = config.model_copy(update={"table": config.table.model_copy(update={"file": "ours/t.csv"})})
    for named in (inside, beside):
        with pytest.raises(InputError, match=r"t\.csv is not the file that SHA256SUMS\.txt lists \(tables .* not: 1\)"):
            check_data(manifest, Config(dataset=named), "none").refuse()
