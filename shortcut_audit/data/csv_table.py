"""Reads CSV: every cell as text. A row with more or fewer cells than the others is refused: its cells have moved."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence

import numpy as np
import polars as pl

from shortcut_audit.errors import InputError
from shortcut_audit.shapes import Ints

SEPARATORS = (",", ";", "\t", "|")
BLOCK = 2**22
"""Bytes that are counted at a time."""
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NOT_ASCII = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
"""A character of several bytes in UTF-8; in Latin-1 such letters do not follow each other."""


def csv_table(
    raw: bytes, *, where: str, separator: str | None = None, header: Sequence[str] = ()
) -> tuple[list[str], pl.DataFrame]:
    """Return the names of the columns (blank where there is none) and the rows, every cell as text.

    Rows are counted from 1, the header not included; a line break within quotation marks ends none.

    Args:
        raw: the file; UTF-8 or UTF-16, with or without a byte-order mark, else Latin-1.
        where: how messages name the file.
        separator: None takes the one of ``SEPARATORS`` that is most frequent in the first line.
        header: names of the first columns where the first row is none; further columns are dropped.

    Raises:
        InputError: no table, naming the row that is none: a quotation mark without its partner, bytes of two
            encodings, or another number of cells than in the other rows or in the header.
    """
    raw = _as_utf8(raw, where, bare=bool(header))
    if raw.endswith((b"\n\n", b"\n\r\n")):
        raw = raw.rstrip(b"\r\n")  # blank lines at the end are no rows
    bare = bool(header)
    first = raw[: raw.find(b"\n") if b"\n" in raw else None]
    mark = separator or max(SEPARATORS, key=first.decode().count)
    cells, closed = cell_counts(raw, mark)
    if not closed:
        raise InputError(_unreadable(raw, mark, where, bare, "a quotation mark without its partner"))
    _refuse_moved(cells if bare else cells[1:], where)
    if short := int(cells.max(initial=1) - cells[0]) if len(cells) else 0:
        raw = first.removesuffix(b"\r") + mark.encode() * short + raw[len(first) :]
    try:
        rows = pl.read_csv(io.BytesIO(raw), has_header=False, infer_schema=False, separator=mark)
    except pl.exceptions.PolarsError as error:
        raise InputError(_unreadable(raw, mark, where, bare, str(error).splitlines()[0])) from error
    if b'""' in raw:
        rows = rows.with_columns(pl.when(pl.all() != "").then(pl.all()))  # a quoted blank is blank
    if bare:
        return list(header[: rows.width]), rows[:, : len(header)]
    names = [(name or "").strip() for name in rows.row(0)]
    _refuse_beyond(names, rows[1:], int(cells[0]), int(cells[-1]), where)
    return names, rows[1:]


def cell_counts(raw: bytes, separator: str) -> tuple[Ints, bool]:
    """Return how many cells each row has, and whether every quotation mark has its partner."""
    codes = np.frombuffer(raw, dtype=np.uint8)
    counts: list[Ints] = []
    carried, open_quote, ended = 0, 0, 0
    for start in range(0, len(codes), BLOCK):
        block = codes[start : start + BLOCK]
        is_mark, is_break, is_quote = (block == ord(sign) for sign in (separator, "\n", '"'))
        if open_quote or is_quote.any():
            inside = (np.cumsum(is_quote, dtype=np.int32) + open_quote) % 2
            open_quote = int(inside[-1])
            is_mark, is_break = is_mark & (inside == 0), is_break & (inside == 0)
        marks = np.cumsum(is_mark, dtype=np.int32)
        breaks = np.flatnonzero(is_break)
        counts.append(np.diff(np.concatenate([[-carried], marks[breaks]])))
        carried += int(marks[-1])
        if len(breaks):
            carried, ended = int(marks[-1] - marks[breaks[-1]]), start + int(breaks[-1]) + 1
    if ended < len(codes):
        counts.append(np.array([carried]))
    return np.concatenate([*counts, np.zeros(0, dtype=np.int64)]) + 1, not open_quote


def _refuse_moved(cells: Ints, where: str) -> None:
    if not len(cells) or (cells == cells[0]).all():
        return
    usual = int(np.bincount(cells).argmax())
    row = int((cells != usual).argmax())
    raise InputError(
        f"{where}: row {row + 1} has {_cells(cells[row])} and the other rows {usual}, so that what stands in it has "
        "moved; mend the row (a separator within a cell needs quotation marks around the cell)"
    )


def _refuse_beyond(names: Sequence[str], rows: pl.DataFrame, named: int, wide: int, where: str) -> None:
    """Refuse names without cells and cells without a name, but for blank ones: a trailing separator is harmless."""
    if rows.height and any(names[wide:]):
        raise InputError(
            f"{where}: the header has {_cells(named)} and the rows {wide}, so that names have moved; mend the header"
        )
    for column in rows.columns[named:]:
        filled = rows[column].is_not_null()
        if filled.any():
            row = filled.arg_max() or 0
            raise InputError(
                f"{where}: row {row + 1} has {_cells(wide)} and the header {named}; '{rows[column][row]}' has no name: "
                "mend the header, or leave that cell out"
            )


def _cells(number: int) -> str:
    return "1 cell" if number == 1 else f"{number} cells"


def _unreadable(raw: bytes, separator: str, where: str, bare: bool, reason: str) -> str:
    row = _strict_stop(raw.decode(), separator)
    place = "" if row is None else f"row {row + bare}: " if row + bare else "the header: "
    return f"{where}: {place}not readable as a table ({reason}); expected a CSV with a header"


def _strict_stop(text: str, separator: str) -> int | None:
    """Return the row, from 0, in which Python's strict reader finds a stray quotation mark; None if it cannot tell."""
    row, doubled = -1, '""' in text
    try:
        for row, cells in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)):
            if not doubled and any('"' in cell for cell in cells):
                return row
    except csv.Error:
        return row + 1
    return None


def _as_utf8(raw: bytes, where: str, *, bare: bool) -> bytes:
    if raw.startswith(_UTF16):
        return raw.decode("utf-16", errors="replace").encode()
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        if _NOT_ASCII.search(raw):
            row = raw.count(b"\n", 0, error.start) + bare
            raise InputError(
                f"{where}: {f'row {row}' if row else 'the header'} is not UTF-8 (byte {error.start + 1} of the file), "
                "and other parts of the file are; write the whole of it in UTF-8"
            ) from error
        return raw.decode("latin-1").encode()
    return raw.removeprefix(codecs.BOM_UTF8)
