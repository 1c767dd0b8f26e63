"""A pickle is read without anything in it being able to run."""

import os
import pickle
import random

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


def test_a_memo_that_asks_for_all_memory_is_refused_or_harmless(tmp_path):
    """Opcode r puts a value at place 4,294,967,280 of the memo."""
    (tmp_path / "t.pkl").write_bytes(b"\x80\x02}r\xf0\xff\xff\xffX\x01\x00\x00\x00a\x88s.")
    assert read_flags(tmp_path / "t.pkl") == {"a": True}


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_damaged_pickles_are_flags_or_refused(tmp_path, protocol):
    whole = pickle.dumps({f"1.2.{n}": n % 3 == 0 for n in range(40)}, protocol=protocol)
    refused = 0
    for seed in range(60):
        rng, raw = random.Random(seed), bytearray(whole)
        for _ in range(rng.randint(1, 3)):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        (tmp_path / "t.pkl").write_bytes(bytes(raw))
        try:
            read_flags(tmp_path / "t.pkl")
        except InputError:
            refused += 1
    assert refused > 5


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
