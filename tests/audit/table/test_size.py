"""How large a table is and how much memory its audit takes, said before it is read."""

import subprocess
import sys

import polars as pl
import pytest
from audit_worlds import world

from shortcut_audit.audit.table import size
from shortcut_audit.audit.table.size import announce, look

PEAK = """
import sys
from shortcut_audit.audit.table.question import Setting
from shortcut_audit.audit.table.scores import read_scores
from shortcut_audit.audit.run import audit_table
from shortcut_audit.config import EvaluateConfig
from shortcut_audit.provenance import collect_provenance
from pathlib import Path
audit_table(
    read_scores(Path(sys.argv[1])),
    Setting(limits=EvaluateConfig(spurious=["tube"]), pairs="exact", test_design="natural"),
    dataset={}, provenance=collect_provenance(command="", config={}, seed=None, inputs={}),
)
# Of this program alone: getrusage counts what started it as well.
print(*(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.fixture
def scores(tmp_path):
    path = tmp_path / "scores.csv"
    world(0, n=500, paired=False).write_csv(path)
    return path


def test_columns_are_counted_whatever_separates_them(tmp_path):
    (tmp_path / "scores.csv").write_text("sample_id;label;score\na;1;0.5\n")

    assert look(tmp_path / "scores.csv").columns == 3


def test_rows_and_columns_of_a_small_table_are_counted(scores, tmp_path):
    found, other = look(scores), tmp_path / "other.csv"
    other.write_text("sample_id,label,score\na,1,.5\nb,0,.2")

    assert (found.rows, found.columns, found.bytes) == (500, 7, scores.stat().st_size)
    assert look(other).rows == 2
    other.write_text("sample_id,label,score\n")
    assert look(other).rows == 0


def test_rows_of_a_large_table_are_told_from_its_first_lines(scores, monkeypatch):
    monkeypatch.setattr(size, "HEAD", 4000)

    assert look(scores).rows == pytest.approx(500, rel=0.05)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells the peak of one program")
def test_what_is_said_is_what_an_audit_takes(tmp_path):
    """At this size most of it is the program; see docs/log.md for up to 10,000,000 rows."""
    path = tmp_path / "scores.csv"
    world(0, n=150_000, films_per_patient=3).write_csv(path)
    ran = subprocess.run([sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, check=True)

    assert int(ran.stdout) * 1024 / look(path).memory(1) == pytest.approx(1, abs=0.4)


def test_each_row_column_attribute_and_byte_counts():
    table = size.TableSize(rows=10**7, columns=5, bytes=4 * 10**8)

    assert table.memory(1) == size.BASE + 10**7 * (226 + 5 * 38 + 34) + 8 * 10**8


def test_a_large_table_says_its_memory_and_a_small_one_nothing(scores, monkeypatch, capsys):
    monkeypatch.setattr(size, "available_memory", lambda: 2**40)
    announce(scores, 1)
    assert capsys.readouterr().err == ""

    monkeypatch.setattr(size, "HEAVY", 1)
    announce(scores, 1)
    assert capsys.readouterr().err == (
        f"{scores}: about 500 rows of 7 columns; the audit needs about 0.1 GiB of memory\n"
    )


def test_where_there_is_less_memory_it_says_what_to_do(scores, monkeypatch, capsys):
    monkeypatch.setattr(size, "available_memory", lambda: 2**26)
    announce(scores, 1)

    assert capsys.readouterr().err.splitlines()[1] == (
        "warning: 0.1 GiB of memory is available; if the audit is stopped for it, leave out columns that nobody asks "
        "about, audit one finding or one model at a time, or take a larger machine"
    )


def test_a_system_that_tells_no_memory_and_a_file_that_is_not_there_make_no_noise(scores, monkeypatch, capsys):
    monkeypatch.setattr(size, "available_memory", lambda: None)
    announce(scores, 1)
    announce(scores.with_name("none.csv"), 1)

    assert capsys.readouterr().err == ""


def test_a_quoted_line_break_only_makes_the_estimate_larger(tmp_path):
    path = tmp_path / "scores.csv"
    pl.DataFrame({"sample_id": ["a\nb", "c"], "label": [0, 1], "score": [0.1, 0.2]}).write_csv(path)

    assert look(path).rows == 3


def test_a_large_file_without_lines_is_no_table_and_no_error_either(tmp_path, monkeypatch):
    monkeypatch.setattr(size, "HEAD", 4)
    (tmp_path / "s.csv").write_bytes(b"x" * 9)
    assert look(tmp_path / "s.csv").rows == 0
