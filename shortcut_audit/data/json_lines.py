"""Reads JSON lines: one object a line, its cells as text, byte for byte as they are written."""

from __future__ import annotations

import codecs
import json
from typing import Any

import polars as pl

from shortcut_audit.errors import InputError


def json_table(raw: bytes, *, where: str) -> pl.DataFrame:
    """Return every column as text. A missing key, null and an empty text are null; numbers keep their spelling.

    Rows are counted from 1, empty lines not. Columns come in the order in which they are first met.

    Args:
        raw: the file; UTF-8, with or without a byte-order mark.
        where: how messages name the file.

    Raises:
        InputError: naming the row: not UTF-8, not an object, a key that stands twice, a list or an object as a cell.
    """
    columns: dict[str, list[str | None]] = {}
    rows = 0
    for line in raw.removeprefix(codecs.BOM_UTF8).split(b"\n"):
        if not line.strip():
            continue
        rows += 1
        for name, value in _row(line, f"{where}: row {rows}").items():
            cells = columns.setdefault(name, [])
            cells += [None] * (rows - 1 - len(cells))
            cells.append(value)
    if not columns:
        raise InputError(f"{where}: no row; expected JSON lines, one object a line")
    return pl.DataFrame(
        {name: pl.Series(cells + [None] * (rows - len(cells)), dtype=pl.String) for name, cells in columns.items()}
    )


def _row(line: bytes, where: str) -> dict[str, str | None]:
    try:
        row = _DECODER.decode(line.decode())
        if not isinstance(row, dict):
            raise InputError(f"{where} is no object; expected JSON lines, as {{'image': 'a.png', 'label': 1}} each")
        if b"\\" in line:
            json.dumps(row, ensure_ascii=False).encode()  # Half of a surrogate pair is no text.
        return {name: value or None if type(value) is str else _cell(value, name) for name, value in row.items()}
    except UnicodeDecodeError as error:
        raise InputError(f"{where} is not UTF-8 (byte {error.start + 1}); write the file in UTF-8") from error
    except _NoCellError as error:
        raise InputError(f"{where}, {error}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is not JSON ({error}); expected one object a line") from error


class _NoCellError(Exception):
    """What is wrong with a row that is JSON."""


def _object(items: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(items)
    if len(made) < len(items):
        names = [name for name, _ in items]
        twice = next(name for name in names if names.count(name) > 1)
        raise _NoCellError(f"the key '{twice}' stands twice; keep one of them")
    return made


def _cell(value: Any, name: str) -> str | None:
    if isinstance(value, bool):
        return str(int(value))
    if value is None:
        return None
    raise _NoCellError(
        f"column '{name}' holds {'a list' if isinstance(value, list) else 'an object'}; "
        "expected text, a number, true, false or null; leave the key out or write its value as text"
    )


# Numbers stay as they are spelt: 1e5 and 12345678901234567890 are ids somewhere.
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=str, parse_float=str, parse_constant=str)
