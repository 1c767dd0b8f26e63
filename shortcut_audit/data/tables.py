"""Reads a CSV as people write them: all of it text, with a header, and nothing guessed about types."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from shortcut_audit.errors import InputError, UsageError, did_you_mean

SEPARATORS = (",", ";", "\t", "|")
KEY_NAMES = (
    "sample_id", "id", "uid", "image", "image_id", "image_path", "Image Index", "path", "file", "filepath", "filename",
    "img", "img_name", "SOPInstanceUID", "dicom_id",
)  # fmt: skip
"""What people call the column that says which image a row is about."""


def read_text_table(path: Path, *, separator: str | None = None, header: Sequence[str] = ()) -> pl.DataFrame:
    """Return every column as text, empty cells as null.

    A file called ``.gz`` is unpacked. UTF-8 (with or without a byte-order mark), else Latin-1. Blanks around
    column names go. Columns without a name (a row index, a trailing separator) are dropped.

    Args:
        path: the file.
        separator: one character; None takes the one of ``, ; |`` and tab that is most frequent in the header.
        header: names of the first columns, for a table whose first row is none; further columns are dropped.

    Raises:
        UsageError: the file is not there.
        InputError: it is not a table, or two columns have the same name.
    """
    try:
        raw = path.read_bytes()
        raw = _as_utf8(gzip.decompress(raw) if path.suffix == ".gz" else raw)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path}: not a whole gzip file ({error}); fetch it again") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); name an existing table") from error
    first = raw.partition(b"\n")[0].decode()
    try:
        rows = pl.read_csv(
            io.BytesIO(raw),
            has_header=False,
            infer_schema=False,
            separator=separator or max(SEPARATORS, key=first.count),
        )
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: not readable as a table ({reason}); expected a CSV with a header") from error
    if header:
        return rows.rename(dict(zip(rows.columns, header, strict=False))).select(header[: rows.width])
    return _with_header(rows, path)


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
    """Return the first column whose normalised name is one of ``names``, blanks around its cells taken off.

    Raises:
        UsageError: there is none.
    """
    column = first_column(frame, names)
    if column is None:
        raise UsageError(f"{where}: no column '{names[0]}'; the columns are: {', '.join(frame.columns)}")
    return frame[column].str.strip_chars().alias(names[0])


def normalised(name: str) -> str:
    """Return a column name without case, blanks and signs: ``Pleural_Effusion`` is ``Pleural Effusion``."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def first_column(frame: pl.DataFrame, names: Iterable[str]) -> str | None:
    """Return the first column whose normalised name is one of ``names``, in the order of the table."""
    wanted = {normalised(name) for name in names}
    return next((column for column in frame.columns if normalised(column) in wanted), None)


def _as_utf8(raw: bytes) -> bytes:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1").encode()
    return raw.removeprefix(codecs.BOM_UTF8)


def _with_header(rows: pl.DataFrame, path: Path) -> pl.DataFrame:
    names = [(name or "").strip() for name in rows.row(0)]
    kept = [(column, name) for column, name in zip(rows.columns, names, strict=True) if name]
    seen: set[str] = set()
    for _, name in kept:
        if name in seen:
            raise InputError(f"{path}: two columns are called '{name}'; give each its own name")
        seen.add(name)
    return rows[1:].select(pl.col(column).alias(name) for column, name in kept)
