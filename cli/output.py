r"""What a command prints: results on the output stream, as text for people or as pure JSON.

Names in the data are the user's, so no markup is read and control characters are shown escaped:
a column called ``\x1b[2J`` must not clear the terminal.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any


def printable(text: str) -> str:
    """Return ``text`` with every character that is not printable, but for line breaks, escaped."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def emit(text: str) -> None:
    """Print ``text`` as a result; a reader that went away (``| head``) is no error."""
    try:
        print(printable(text), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def estimated(count: float) -> str:
    """Return an estimated number of things: 0.83, 4.1, 112."""
    return f"{count:,.0f}" if count >= 10 else f"{count:.2g}"


def emit_json(value: Any) -> None:
    """Print ``value`` as JSON. NaN and infinities are refused (ValueError): JSON has none."""
    emit(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False))


def emit_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under a header, columns aligned, None as a blank."""
    cells = [list(header), *([("" if cell is None else str(cell)) for cell in row] for row in rows)]
    cells = [[printable(cell) for cell in row] for row in cells]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        emit("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
