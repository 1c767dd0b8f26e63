"""Reads Parquet as text.

A damaged file makes the decoder of polars abort the whole process, so another process decodes it. Parquet as most
programs write it has no checksums: a byte that flips within a value is not noticed, as in a CSV.
"""

from __future__ import annotations

import re
import subprocess
import sys

import polars as pl

from shortcut_audit.errors import InputError

_DECODE = "import sys, polars; polars.read_parquet(sys.stdin.buffer.read()).write_ipc(sys.stdout.buffer)"
_INDEX = re.compile(r"__index_level_\d+__")
"""How pandas calls an index without a name."""
_EXACT = 2**53
"""From here on, a float does not keep every whole number (one of 32 bits from 2**24)."""
_TEXTS = (pl.String, pl.Categorical, pl.Enum, pl.Date, pl.Datetime, pl.Null)


def parquet_table(raw: bytes, *, where: str) -> pl.DataFrame:
    """Return every column as text; empty cells and NaN are null, truth values 1 and 0.

    Whole numbers are written without a point also where the column is of floats: pandas makes floats of a column
    of integers that has a gap.

    Args:
        raw: the file.
        where: how messages name the file.

    Raises:
        InputError: no Parquet, damaged, or a column that is no text, naming its first row that is none.
    """
    done = subprocess.run([sys.executable, "-I", "-c", _DECODE], input=raw, capture_output=True, check=False)
    if done.returncode:
        raise InputError(f"{where}: not readable as Parquet: another format, or damaged; write or fetch it again")
    frame = pl.read_ipc(done.stdout)
    return frame.select(_text(column, where) for column in frame if not _INDEX.fullmatch(column.name))


def _text(column: pl.Series, where: str) -> pl.Series:
    kind = column.dtype
    if kind.is_float():
        column = _floats(column, where)
    elif kind == pl.Boolean:
        column = column.cast(pl.Int8)
    elif kind == pl.Binary:
        column = _from_bytes(column, where)
    elif not (kind.is_numeric() or kind.base_type() in _TEXTS):
        _refuse(column, column.is_not_null(), where, f"a value of type {kind}")
        column = pl.Series(column.name, [None] * len(column))
    text = column.cast(pl.String)
    return text.set(text == "", None)


def _from_bytes(column: pl.Series, where: str) -> pl.Series:
    """Return text that a program wrote without saying that it is text."""
    made: list[str | None] = []
    for row, value in enumerate(column):
        try:
            made.append(None if value is None else value.decode())
        except UnicodeDecodeError:
            raise _refusal(column, row, where, "bytes that are no text") from None
    return pl.Series(column.name, made, dtype=pl.String)


def _floats(column: pl.Series, where: str) -> pl.Series:
    """Return a column of floats, as integers if all are whole."""
    column = column.fill_nan(None)
    if column.is_infinite().any() or not (column == column.round()).all():
        return column
    vague = (column.abs() >= (2**24 if column.dtype == pl.Float32 else _EXACT)).fill_null(False)
    _refuse(column, vague, where, "a whole number with more digits than a float keeps")
    return column.cast(pl.Int64)


def _refuse(column: pl.Series, bad: pl.Series, where: str, what: str) -> None:
    if bad.any():
        raise _refusal(column, bad.arg_max() or 0, where, what)


def _refusal(column: pl.Series, row: int, where: str, what: str) -> InputError:
    return InputError(
        f"{where}: row {row + 1}, column '{column.name}' holds {what}; write the column as text or leave it out"
    )
