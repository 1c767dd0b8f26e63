"""Hashes, whole files, guarded paths, and what has to be known to make an output again."""

import hashlib
import os
import stat
from itertools import product
from pathlib import Path

import pytest

from shortcut_audit import provenance
from shortcut_audit.errors import InputError, OutputError
from shortcut_audit.provenance import (
    PRIVATE,
    PathGuard,
    collect_provenance,
    command_line,
    copy_private,
    fingerprint,
    guard_path,
    sha256_bytes,
    sha256_file,
    write_atomic,
    write_json,
    write_table,
)


def test_a_file_is_hashed_as_its_bytes_are(tmp_path):
    data = os.urandom((1 << 20) + 17)
    (tmp_path / "large").write_bytes(data)
    assert sha256_file(tmp_path / "large") == sha256_bytes(data) == hashlib.sha256(data).hexdigest()


def test_a_fingerprint_does_not_depend_on_the_order_of_keys_but_on_values():
    assert fingerprint({"a": 1, "b": [2, "é"]}) == fingerprint({"b": [2, "é"], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})
    with pytest.raises(ValueError, match="JSON"):
        fingerprint({"a": float("nan")})


def test_what_is_known_of_this_process_is_collected():
    found = collect_provenance(command="audit demo", config={"seed": 1}, seed=1, inputs={"manifest": "ab"})
    assert (found.command, found.config, found.seed, found.inputs) == (
        "audit demo",
        {"seed": 1},
        1,
        {"manifest": "ab"},
    )
    assert found.packages["numpy"].startswith("2.")
    assert found.created.endswith("Z")


def test_a_package_that_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setattr(provenance, "REPORTED_PACKAGES", ("numpy", "no-such-package"))
    assert list(collect_provenance(command="", config={}, seed=None, inputs={}).packages) == ["numpy"]


def test_without_git_there_is_no_commit(monkeypatch):
    def fails(*_, **__):
        raise OSError("no git")

    monkeypatch.setattr(provenance.subprocess, "run", fails)
    assert collect_provenance(command="", config={}, seed=None, inputs={}).commit is None


def test_the_command_is_told_without_the_folder_of_the_program(monkeypatch):
    monkeypatch.setattr("sys.argv", ["somewhere/bin/audit", "demo", "--seed", "1"])
    assert command_line() == "audit demo --seed 1"


def test_a_file_is_written_whole_with_its_mode_and_nothing_beside_it(tmp_path):
    write_atomic(tmp_path / "new" / "ids.csv", "é", mode=PRIVATE)
    assert (tmp_path / "new" / "ids.csv").read_bytes() == "é".encode()
    assert stat.S_IMODE((tmp_path / "new" / "ids.csv").stat().st_mode) == PRIVATE
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["ids.csv"]


def test_where_writing_fails_the_old_file_stays_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "kept.txt"
    write_atomic(path, "old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(provenance.os, "fsync", full)
    with pytest.raises(OutputError, match=r"kept.txt could not be written: No space left on device; free some space"):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["kept.txt"]


def test_a_folder_that_is_a_file_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"x.txt could not be written: .* choose another folder with --out"):
        write_atomic(tmp_path / "file" / "x.txt", "new")


def test_json_is_readable_and_never_holds_nan(tmp_path):
    write_json(tmp_path / "a.json", {"é": None})
    assert (tmp_path / "a.json").read_text() == '{\n "é": null\n}\n'
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "b.json", {"x": float("nan")})
    assert not (tmp_path / "b.json").exists()


def test_a_table_has_blank_cells_for_what_is_not_known(tmp_path):
    write_table(tmp_path / "t.csv", ["id", "value"], [["a,b", None], ['"', 0]], mode=PRIVATE)
    assert (tmp_path / "t.csv").read_text() == 'id,value\n"a,b",\n"""",0\n'


@pytest.mark.parametrize("name", ["a/b.png", "./b.png", "a\\b.png", "a/../b.png"])
def test_a_name_under_the_root_is_taken(tmp_path, name):
    assert guard_path(tmp_path, name, where="row 1").is_relative_to(tmp_path.resolve())


def test_an_absolute_name_is_taken_as_it_is(tmp_path):
    absolute = tmp_path / "elsewhere.png"
    assert guard_path(tmp_path / "root", str(absolute), where="row 1") == absolute


@pytest.mark.parametrize("name", ["../secret", "a/../../secret", "..\\secret", "link/secret"])
def test_a_name_that_leaves_the_root_is_refused(tmp_path, name):
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    message = r"row 7, column 'image': the path '.*' leads out of .*root; write an absolute path if that is meant"
    with pytest.raises(InputError, match=message):
        guard_path(root, name, where="row 7, column 'image'")


def test_many_names_under_one_guard_mean_what_the_system_says_they_mean(tmp_path):
    """Links within the root, links out of it and back, links to links, loops of names, files that are not there."""
    root, out = tmp_path / "root", tmp_path / "out"
    (root / "a" / "b").mkdir(parents=True)
    out.mkdir()
    (root / "inner").symlink_to(root / "a")
    (root / "again").symlink_to(root / "inner")
    (root / "leaves").symlink_to(out)
    (out / "returns").symlink_to(root / "a" / "b")
    (root / "a" / "file.png").symlink_to(out / "secret.png")
    tops = ("a", "inner", "again", "leaves", "nothing", ".", "..", "", "a\\b")
    names = ["/".join(parts) for parts in product(tops, ("b", "..", "returns", "", "b/../../a"), ("x.png", "file.png"))]
    guard = PathGuard(root)
    taken = 0
    for name in names:
        meant = (root.resolve() / name.replace("\\", "/")).resolve()
        if Path(name).is_absolute():
            assert guard(name, where="row 1") == Path(name)
        elif meant.is_relative_to(root.resolve()):
            assert guard(name, where="row 1") == meant
            taken += 1
        else:
            with pytest.raises(InputError, match="leads out of"):
                guard(name, where="row 1")

    assert 20 < taken < len(names) - 20


def test_a_link_within_a_folder_that_was_looked_at_is_still_refused(tmp_path):
    (tmp_path / "root" / "a").mkdir(parents=True)
    (tmp_path / "root" / "a" / "link.png").symlink_to(tmp_path / "secret.png")
    guard = PathGuard(tmp_path / "root")
    guard("a/first.png", where="row 1")

    with pytest.raises(InputError, match=r"row 2: the path 'a/link.png' leads out of"):
        guard("a/link.png", where="row 2")


def test_a_nul_character_is_refused(tmp_path):
    with pytest.raises(InputError, match="row 7: the path holds a NUL character; mend the table"):
        guard_path(tmp_path, "a\0b", where="row 7")


def test_a_table_with_ids_is_copied_whole_and_for_its_owner_alone(tmp_path):
    (tmp_path / "given.csv").write_bytes(b"sample_id\nx\n" * 1000)
    copy_private(tmp_path / "given.csv", tmp_path / "scores.csv")
    copy_private(tmp_path / "scores.csv", tmp_path / "scores.csv")

    assert (tmp_path / "scores.csv").read_bytes() == (tmp_path / "given.csv").read_bytes()
    assert stat.S_IMODE((tmp_path / "scores.csv").stat().st_mode) == PRIVATE
    assert len(list(tmp_path.iterdir())) == 2


def test_a_copy_that_fails_leaves_nothing_and_says_so(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    (tmp_path / "given.csv").write_text("x")
    monkeypatch.setattr(provenance.shutil, "copyfileobj", full)
    with pytest.raises(
        OutputError, match=r"scores\.csv could not be written: No space left on device; free some space"
    ):
        copy_private(tmp_path / "given.csv", tmp_path / "scores.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["given.csv"]
