"""What a long step tells, and on which stream."""

import os
import sys

import pytest

from shortcut_audit import runtime
from shortcut_audit.runtime import available_memory, cap_threads, progress, say


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand."""
    now = [0.0]
    monkeypatch.setattr(runtime.time, "monotonic", lambda: now[0])
    return now


def test_information_goes_to_the_error_stream(capsys):
    say("one line")
    assert capsys.readouterr() == ("", "one line\n")


def test_without_a_terminal_there_is_one_line_every_thirty_seconds_and_one_at_the_end(clock, capsys):
    with progress("Reading films", 100, "films") as bar:
        for _ in range(100):
            clock[0] += 0.7
            bar.advance()
    assert capsys.readouterr().err.splitlines() == [
        "Reading films: 43 of 100 films, about 40 s left",
        "Reading films: 86 of 100 films, about 10 s left",
        "Reading films: 100 films in 70 s",
    ]


def test_short_work_says_one_line(clock, capsys):
    with progress("Scoring", 3) as bar:
        bar.advance(3)
    assert capsys.readouterr().err == "Scoring: 3 steps in 0 s\n"


def test_work_that_fails_does_not_say_that_it_is_done(clock, capsys):
    with pytest.raises(ZeroDivisionError), progress("Scoring", 3):
        raise ZeroDivisionError
    assert capsys.readouterr().err == ""


def test_on_a_terminal_there_is_a_bar_that_takes_words_as_they_are(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress("Scoring [bold]films", 2, "films") as bar:
        bar.advance()
        bar.advance()
    out, err = capsys.readouterr()
    assert out == ""
    assert "Scoring [bold]films" in err
    assert "2/2" in err


@pytest.mark.parametrize(
    ("given", "found"), [({}, ["3", "3", "3", "3"]), ({"OMP_NUM_THREADS": "1"}, ["1", "1", "1", "1"]),
                         ({"MKL_NUM_THREADS": "7", "OMP_NUM_THREADS": "2"}, ["2", "2", "7", "2"])],
)  # fmt: skip
def test_threads_are_limited_to_the_cores_or_to_what_the_user_said(monkeypatch, given, found):
    """One limit holds for all: torch takes MKL_NUM_THREADS before OMP_NUM_THREADS."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPJ_NUM_THREADS")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    assert cap_threads() == 3
    assert [os.environ[name] for name in names] == found


def test_the_available_memory_is_the_kernels_or_what_a_container_has_left(tmp_path, monkeypatch):
    monkeypatch.setattr(runtime, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(runtime, "CGROUP", tmp_path)
    assert available_memory() is None

    (tmp_path / "meminfo").write_text("MemTotal: 4000 kB\nMemAvailable:    3000 kB\n")
    assert available_memory() == 3000 * 1024
    (tmp_path / "memory.current").write_text("1000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert available_memory() == 3000 * 1024
    (tmp_path / "memory.max").write_text("5000\n")
    assert available_memory() == 4000
    (tmp_path / "memory.max").write_text("500\n")
    assert available_memory() == 0
    (tmp_path / "meminfo").write_text("nothing to see")
    assert available_memory() is None
