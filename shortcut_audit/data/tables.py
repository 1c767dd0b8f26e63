"""Reads tables as people write them: CSV, JSON lines or Parquet, all of it text, and nothing guessed about types."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from shortcut_audit.data.csv_table import csv_table
from shortcut_audit.data.json_lines import json_table
from shortcut_audit.data.parquet import parquet_table
from shortcut_audit.errors import InputError, UsageError, did_you_mean

KEY_NAMES = (
    "sample_id", "id", "uid", "image", "image_id", "image_path", "Image Index", "path", "file", "filepath", "filename",
    "img", "img_name", "SOPInstanceUID", "dicom_id",
)  # fmt: skip
"""What people call the column that says which image a row is about."""
JSON_LINES = (".jsonl", ".ndjson", ".json")
PARQUET = (".parquet", ".pq")


def read_text_table(path: Path, *, separator: str | None = None, header: Sequence[str] = ()) -> pl.DataFrame:
    """Return every column as text, empty cells as null.

    The ending of the name says what the file is: JSON lines (``.jsonl``, ``.ndjson``, ``.json``), Parquet
    (``.parquet``, ``.pq``), else CSV. One called ``.gz`` is unpacked. A CSV is UTF-8 (with or without a byte-order
    mark) or UTF-16, else Latin-1. Blanks around column names go. Columns without a name (a row index, a trailing
    separator) are dropped.

    Args:
        path: the file.
        separator: of a CSV, one character; None takes the one of ``, ; |`` and tab that is most frequent in the
            header.
        header: of a CSV whose first row is none, names of the first columns; further columns are dropped.

    Raises:
        UsageError: the file is not there, or a separator is said of what has none.
        InputError: it is not a table, a row has more or fewer cells than the others, or two columns have the same
            name.
    """
    kind = _kind(path)
    if separator and not is_csv(path):
        raise UsageError(f"{path}: a separator '{separator}' is said, but {kind} has none; leave it out")
    raw = _content(path)
    if kind in PARQUET:
        return _named(parquet_table(raw, where=str(path)), path)
    if kind in JSON_LINES:
        return _named(json_table(raw, where=str(path)), path)
    names, rows = csv_table(raw, where=str(path), separator=separator, header=header)
    return _named(rows, path, names)


def is_csv(path: Path) -> bool:
    """Return whether a file is read as a CSV, by the ending of its name."""
    return _kind(path) not in (*JSON_LINES, *PARQUET)


def _kind(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).suffix.lower()


def _content(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
        return gzip.decompress(raw) if path.suffix == ".gz" else raw
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path}: not a whole gzip file ({error}); fetch it again") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); name an existing table") from error


def require_column(frame: pl.DataFrame, name: str, *, where: str, key: str) -> pl.Series:
    """Return a column.

    Args:
        frame: a table.
        name: the column.
        where: how the message names the table.
        key: the config key that asked for it.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in frame.columns:
        raise UsageError(
            f"{where}: {key} names the column '{name}', which is not there{did_you_mean(name, frame.columns)}; "
            f"the columns are: {', '.join(frame.columns)}"
        )
    return frame[name]


def need_column(frame: pl.DataFrame, names: Sequence[str], *, where: str) -> pl.Series:
    """Return the first column whose normalised name is one of ``names``, blanks around its cells taken off; "" is null.

    Raises:
        UsageError: there is none.
    """
    column = first_column(frame, names)
    if column is None:
        raise UsageError(f"{where}: no column '{names[0]}'; the columns are: {', '.join(frame.columns)}")
    cells = frame[column].str.strip_chars().alias(names[0])
    return cells.set(cells == "", None)


def normalised(name: str) -> str:
    """Return a column name without case, blanks and signs: ``Pleural_Effusion`` is ``Pleural Effusion``."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def first_column(frame: pl.DataFrame, names: Iterable[str]) -> str | None:
    """Return the first column whose normalised name is one of ``names``, in the order of the table."""
    wanted = {normalised(name) for name in names}
    return next((column for column in frame.columns if normalised(column) in wanted), None)


def _named(rows: pl.DataFrame, path: Path, header: Sequence[str] | None = None) -> pl.DataFrame:
    """Return the columns that have a name, by names without blanks around them."""
    names = [name.strip() for name in header or rows.columns]
    kept = [(column, name) for column, name in zip(rows.columns, names, strict=True) if name]
    seen: set[str] = set()
    for _, name in kept:
        if name in seen:
            raise InputError(f"{path}: two columns are called '{name}'; give each its own name")
        seen.add(name)
    return rows.select(pl.col(column).alias(name) for column, name in kept)
