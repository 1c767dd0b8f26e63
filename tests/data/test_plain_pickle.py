"""A pickle is read without anything in it being able to run."""

import os
import pickle

import pytest

from shortcut_audit.data.plain_pickle import read_flags
from shortcut_audit.errors import InputError, UsageError


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("harmed",)


def test_a_dict_of_flags_is_read(tmp_path):
    (tmp_path / "t.pkl").write_bytes(pickle.dumps({"1.2": True, "NA": False}))
    assert read_flags(tmp_path / "t.pkl") == {"1.2": True, "NA": False}


def test_a_pickle_that_could_run_code_is_refused_and_does_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.pkl").write_bytes(pickle.dumps({"a": Harmful()}))
    with pytest.raises(
        InputError, match=r"not a pickle of plain values \(it names posix\.mkdir, which could run code\)"
    ):
        read_flags(tmp_path / "t.pkl")
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps({"a": True})[:-3]])
def test_what_is_no_pickle_is_refused(tmp_path, content):
    (tmp_path / "t.pkl").write_bytes(content)
    with pytest.raises(InputError, match=r"t\.pkl: not a pickle of plain values .*; fetch the file again"):
        read_flags(tmp_path / "t.pkl")


@pytest.mark.parametrize("value", [[1], {"a": 1}, {1: True}])
def test_other_values_are_refused(tmp_path, value):
    (tmp_path / "t.pkl").write_bytes(pickle.dumps(value))
    with pytest.raises(InputError, match="expected a dict of image ids to True or False, found"):
        read_flags(tmp_path / "t.pkl")


def test_a_missing_file_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"t\.pkl: cannot be read"):
        read_flags(tmp_path / "t.pkl")


def test_the_real_tube_labels(real_data):
    tubes = read_flags(real_data / "annotations" / "siim" / "cxr_tube_dict.pkl")
    assert (len(tubes), sum(tubes.values())) == (1951, 525)
