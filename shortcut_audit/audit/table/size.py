"""How large a table is and how much memory its audit takes, said before it is read.

The memory is a formula fitted to measured peaks (docs/log.md): what a row holds whatever its columns (numbers
of the patient, ranks, sums over patients), what each column and each attribute asked about adds to it, and the
file twice, once as bytes and once as text. From 100,000 to 10,000,000 rows of one finding it was right within a
fifth; several findings, whose numbers are not all there at one time, take less.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shortcut_audit.data.csv_table import SEPARATORS
from shortcut_audit.runtime import available_memory, say

BASE = 130 * 2**20
ROW, COLUMN, ASKED = 226, 38, 34
"""Bytes: of the program itself; of a row, and what each column and each attribute asked about adds to it."""
HEAD = 4 * 2**20
"""Bytes of the file that are looked at; the rest is taken to have lines as long."""
HEAVY = 2**30
"""Memory from which it is said."""


@dataclass(frozen=True, kw_only=True)
class TableSize:
    """Size of a CSV: about how many rows, how many columns, how many bytes."""

    rows: int
    columns: int
    bytes: int

    def memory(self, attributes: int) -> int:
        """Return about how many bytes of memory the audit of so many attributes takes at most."""
        return BASE + self.rows * (ROW + COLUMN * self.columns + ASKED * attributes) + 2 * self.bytes


def look(path: Path) -> TableSize:
    """Return the size of a table from its first lines and its length.

    Raises:
        OSError: it cannot be read.
    """
    length = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    header, _, lines = head.partition(b"\n")
    whole = lines.count(b"\n") + (length <= HEAD and not lines.endswith(b"\n") and bool(lines))
    rows = whole if length <= HEAD else round(whole * (length - len(header)) / max(len(lines), 1))
    return TableSize(rows=rows, columns=max(header.count(mark.encode()) for mark in SEPARATORS) + 1, bytes=length)


def announce(path: Path, attributes: int) -> None:
    """Say on the error stream how much memory a large table takes, and what to do where there is not so much.

    A file that cannot be read says nothing here: reading it says what is wrong.
    """
    try:
        size = look(path)
    except OSError:
        return
    needed, there = size.memory(attributes), available_memory()
    if needed >= HEAVY or (there is not None and needed > there):
        about = f"{path}: about {size.rows:,} rows of {size.columns} columns"
        say(f"{about}; the audit needs about {_gib(needed)} of memory")
    if there is not None and needed > there:
        say(
            f"warning: {_gib(there)} of memory is available; if the audit is stopped for it, leave out columns that "
            "nobody asks about, audit one finding or one model at a time, or take a larger machine"
        )


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"
