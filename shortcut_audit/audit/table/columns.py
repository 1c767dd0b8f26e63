"""Strict parsing of a table's cells: what is not clearly a value is an error naming row and column.

Rows are counted from 1, without the header.
"""

from __future__ import annotations

import polars as pl

from shortcut_audit.errors import InputError

Blank = str | None
"""What a blank cell means: None that it may stay blank, a text why it may not."""


def cells(frame: pl.DataFrame, name: str) -> pl.Series:
    """Return a column as stripped text, blanks and NaN as null."""
    column = frame[name]
    if column.dtype.is_float():
        column = column.fill_nan(None)
    if column.dtype == pl.Boolean:
        column = column.cast(pl.Int8)
    text = column.cast(pl.String).str.strip_chars()
    return text.set(text == "", None)


def text_column(frame: pl.DataFrame, name: str, *, where: str) -> pl.Series:
    """Return an id column byte for byte; a blank is an error."""
    column = frame[name].cast(pl.String)
    _refuse(column, column.is_null() | (column.str.strip_chars() == ""), where, "an id must not be blank")
    return column


def number_column(frame: pl.DataFrame, name: str, *, where: str, blank: Blank = None) -> pl.Series:
    """Return a column of finite numbers.

    Raises:
        InputError: text, NaN, an infinity, or a blank where ``blank`` says why there must be none.
    """
    column = frame[name]
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        raw = column.cast(pl.Float64)
        # In a table of numbers NaN is how pandas writes a blank.
        number = raw if blank else raw.fill_nan(None)
        wrong = raw.is_not_null() & number.is_not_null() & ~number.is_finite()
        missing = number.is_null()
    else:
        text = cells(frame, name)
        number = text.cast(pl.Float64, strict=False)
        wrong = text.is_not_null() & ~number.is_finite().fill_null(value=False)
        missing = text.is_null()
    wrong = wrong.fill_null(value=False)
    comma = wrong.any() and "," in str(column[int(wrong.arg_true()[0])])
    _refuse(column, wrong, where, "expected a finite number" + ", with a point before its decimals" * comma)
    if blank:
        _refuse(column, missing, where, blank)
    return number.alias(name)


def choice_column(frame: pl.DataFrame, name: str, *, where: str, choices: tuple[str, ...]) -> pl.Series:
    """Return a column whose every cell is one of ``choices``."""
    text = cells(frame, name)
    _refuse(text, ~text.is_in(choices).fill_null(value=False), where, f"expected {' or '.join(choices)}")
    return text


def label_column(frame: pl.DataFrame, name: str, *, where: str) -> pl.Series:
    """Return labels as 0 and 1."""
    number = number_column(frame, name, where=where, blank="expected 0 or 1; leave out rows without a label")
    _refuse(frame[name], ~number.is_in([0.0, 1.0]), where, "expected 0 or 1; leave out rows without a label")
    return number.cast(pl.Int8)


def attribute_column(frame: pl.DataFrame, name: str) -> pl.Series:
    """Return an attribute: numbers where every known cell is one, else categories as text."""
    if frame[name].dtype.is_numeric():
        number = frame[name].cast(pl.Float64).fill_nan(None)
        if number.is_finite().fill_null(value=True).all():
            return number.alias(name)
    text = cells(frame, name)
    number = text.cast(pl.Float64, strict=False)
    numeric = (number.is_finite() | text.is_null()).fill_null(value=False).all()
    return (number if numeric else text).alias(name)


def _refuse(column: pl.Series, wrong: pl.Series, where: str, expected: str) -> None:
    if not wrong.any():
        return
    row = int(wrong.arg_true()[0])
    found = "blank" if column[row] is None or str(column[row]).strip() == "" else f"'{column[row]}'"
    raise InputError(f"{where}: row {row + 1}, column '{column.name}' is {found}; {expected}")
