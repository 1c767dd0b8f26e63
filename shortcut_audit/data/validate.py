"""What a table must hold to be a manifest. Every check works on whole columns: a million rows take seconds.

Rows are counted from 1, the header not included. Text stays byte for byte: ``00012`` is not ``12`` and
``NA`` is a name like any other. Only an empty cell is blank.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from shortcut_audit.data.manifest import KEYS, PLAIN, PREFIXES, SPLITS
from shortcut_audit.errors import InputError, UsageError, did_you_mean

LABELS = "1, 0, -1 (uncertain) or blank (not mentioned)"
FLAGS = "1, 0 or blank (nobody looked)"
OLDEST = 120
"""Years; an age beyond was mistyped."""
SHARED_PATIENTS = "in more than one split"
"""Words by which a note of the data card is known to tell of patients that occur in two splits."""


def check_frame(frame: pl.DataFrame, *, where: str, allow_shared_patients: bool) -> tuple[pl.DataFrame, list[str]]:
    """Return the table with typed columns, and notes on what was filled in or let pass.

    A missing ``patient_id`` column or a blank in it makes the image its own patient. Types are those
    of :class:`~shortcut_audit.data.manifest.Manifest`.

    Args:
        frame: columns as in ``data/manifest.py``, of text or numbers.
        where: how messages name the table.
        allow_shared_patients: note patients that occur in two splits instead of refusing them.

    Raises:
        UsageError: an unknown or missing column.
        InputError: a duplicate or blank id, an impossible label or split, a patient in two splits.
    """
    _check_columns(frame.columns, where)
    plain = [name for name in (*KEYS, *PLAIN) if name in frame.columns]
    typed = frame.with_columns(
        *(as_text(frame[name]) for name in plain),
        *(typed_column(frame[name], kind(name), where=where) for name in frame.columns if name not in plain),
    )
    check_ids(typed["sample_id"], where=where)
    check_filled(typed["image"], where=where)
    check_split(typed["split"], where)
    typed, notes = _with_patients(typed)
    if "age" in typed.columns:
        typed, more = _with_ages(typed)
        notes += more
    shared = _shared_patients(typed)
    if shared.height and not allow_shared_patients:
        raise InputError(_shared_message(shared, where))
    if shared.height:
        notes.append(f"{_patients(shared.height)} {SHARED_PATIENTS} (dataset.allow_shared_patients)")
    return typed, notes


def as_text(column: pl.Series) -> pl.Series:
    """Return the column as text: empty cells (and NaN in a column of numbers) as null, truth values as 1 and 0."""
    if column.dtype.is_float():
        column = column.fill_nan(None)
    if column.dtype == pl.Boolean:
        column = column.cast(pl.Int8)
    text = column.cast(pl.String)
    return text.set(text == "", None)


def kind(name: str) -> str:
    """Return what a column is by its name: ``label`` of ``label.melanoma``."""
    return name.partition(".")[0]


def typed_column(column: pl.Series, kind: str, *, where: str) -> pl.Series:
    """Return a column as the type that its kind has in a manifest.

    Args:
        column: text or numbers; its name is used in messages.
        kind: a prefix of ``data/manifest.py`` ("label"), one of its columns without a prefix ("image"), or "flag": an
            attribute that can only be there or not.
        where: how messages name the table.

    Raises:
        InputError: a cell holds what cannot be of that kind.
    """
    if kind == "label":
        return _numbers(column, where, allowed=LABELS, values=(1.0, 0.0, -1.0))
    if kind == "flag":
        return _numbers(column, where, allowed=FLAGS, values=(1.0, 0.0))
    if kind == "attribute":
        return _attribute(column, where)
    if kind in ("severity", "covariate"):
        return _numbers(column, where, allowed="a number or blank")
    return as_text(column)


def _attribute(column: pl.Series, where: str) -> pl.Series:
    """Return Float64 where every cell is a number, else text; a word among 0 and 1 is a slip of the pen."""
    text = as_text(column)
    numbers = _finite(text)
    odd = numbers.is_null() & text.is_not_null()
    if not odd.any():
        return numbers
    rest = numbers.drop_nulls()
    if rest.len() and rest.is_in([0.0, 1.0]).all():
        raise InputError(
            f"{_cell(where, column.name, odd, text)}, but the other cells are 0 and 1; "
            "write 1, 0 or leave it blank (nobody looked)"
        )
    return text


def _finite(text: pl.Series) -> pl.Series:
    """Return text as Float64; what is not a finite number becomes null."""
    numbers = text.cast(pl.Float64, strict=False)
    return numbers.set(~numbers.is_finite(), None)


def _numbers(column: pl.Series, where: str, *, allowed: str, values: tuple[float, ...] = ()) -> pl.Series:
    text = as_text(column)
    numbers = _finite(text)
    bad = numbers.is_null() & text.is_not_null()
    if values:
        bad |= numbers.is_not_null() & ~numbers.is_in(values)
    if bad.any():
        raise InputError(f"{_cell(where, column.name, bad, text)}; expected {allowed}; mend the table")
    return numbers


def _cell(where: str, name: str, bad: pl.Series, text: pl.Series) -> str:
    """Name the first bad cell and say how many there are."""
    row = bad.arg_max() or 0
    more = int(bad.sum()) - 1
    others = f" ({more} more like it)" if more else ""
    return f"{where}: row {row + 1}, column '{name}' holds '{text[row]}'{others}"


def _check_columns(columns: list[str], where: str) -> None:
    for name in ("sample_id", "image", "split"):
        if name not in columns:
            raise UsageError(f"{where}: no column '{name}'; the columns are: {', '.join(columns)}")
    for name in columns:
        prefix, dot, rest = name.partition(".")
        if name in (*KEYS, *PLAIN) or (dot and rest and prefix in PREFIXES):
            continue
        known = [*KEYS, *PLAIN, *(f"{known_prefix}.{rest or name}" for known_prefix in PREFIXES)]
        raise UsageError(
            f"{where}: unknown column '{name}'{did_you_mean(name, known)}; expected {', '.join((*KEYS, *PLAIN))} "
            f"or one of {', '.join(f'{prefix}.NAME' for prefix in PREFIXES)}"
        )


def check_filled(column: pl.Series, *, where: str) -> None:
    """Refuse blank cells.

    Raises:
        InputError: naming the first such row.
    """
    blank = column.is_null() | (column.str.strip_chars() == "")
    if blank.any():
        row = (blank.arg_max() or 0) + 1
        raise InputError(f"{where}: row {row}, column '{column.name}' is blank; every row needs one")


def filled_whole(columns: Sequence[pl.Series], *, where: str) -> pl.Series:
    """Return which rows have all of some columns filled, as the corners of a box.

    Raises:
        InputError: naming the first row that has some of them and not all.
    """
    cells = pl.DataFrame([column.is_not_null() for column in columns])
    whole = cells.select(pl.all_horizontal(pl.all())).to_series()
    torn = cells.select(pl.any_horizontal(pl.all())).to_series() & ~whole
    if torn.any():
        row = torn.arg_max() or 0
        blank = next(name for name in cells.columns if not cells[name][row])
        others = ", ".join(name for name in cells.columns if name != blank)
        raise InputError(f"{where}: row {row + 1}, column '{blank}' is blank, but not all of {others}; mend the table")
    return whole


def check_ids(ids: pl.Series, *, where: str) -> None:
    """Refuse blank and repeated ids.

    Raises:
        InputError: naming the rows.
    """
    check_filled(ids, where=where)
    again = ids.is_duplicated()
    if again.any():
        twice = ids[again.arg_max() or 0]
        rows = (ids == twice).arg_true().head(2) + 1
        raise InputError(
            f"{where}: the {ids.name} '{twice}' stands in row {rows[0]} and again in row {rows[1]} "
            f"({again.sum()} rows share their id with another); ids must be unique"
        )


def check_split(split: pl.Series, where: str) -> None:
    """Refuse blanks and other words than train, val and test.

    Raises:
        InputError: naming the first such row.
    """
    check_filled(split, where=where)
    bad = ~split.is_in(SPLITS)
    if bad.any():
        raise InputError(f"{_cell(where, 'split', bad, split)}; expected train, val or test")


def _with_patients(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    if "patient_id" not in frame.columns:
        at = frame.columns.index("image") + 1
        return frame.insert_column(at, frame["sample_id"].alias("patient_id")), [
            "no patient ids: each image counts as its own patient"
        ]
    blank = frame["patient_id"].null_count()
    notes = [f"{blank} images without a patient id: each counts as its own patient"] if blank else []
    return frame.with_columns(pl.col("patient_id").fill_null(pl.col("sample_id"))), notes


def _with_ages(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Return the table without the words among its ages, and a note on them.

    Where most are numbers, whatever else stands among them is a word; among bands (60-69), what has no digit.
    """
    ages = frame["age"].str.strip_chars()
    numbers, told = _finite(ages).is_not_null(), ages.str.contains(r"\d").fill_null(False)
    if not told.any():
        return frame.with_columns(ages), []
    words = ages.is_not_null() & ~(numbers if 2 * numbers.sum() > told.sum() else told)
    if not words.any():
        return frame.with_columns(ages), []
    said = ", ".join(f"'{word}'" for word in ages.filter(words).unique(maintain_order=True).head(3).to_list())
    note = f"age is a word in {words.sum():,} of {frame.height:,} rows ({said}): not known there"
    return frame.with_columns(ages.set(words, None)), [note]


def _shared_patients(frame: pl.DataFrame) -> pl.DataFrame:
    """Return patients that occur in two splits with the splits, in order of first occurrence."""
    pairs = frame.select("patient_id", "split").unique(maintain_order=True)
    shared = pairs.filter(pl.col("patient_id").is_duplicated())
    return shared.group_by("patient_id", maintain_order=True).agg("split")


def _shared_message(shared: pl.DataFrame, where: str) -> str:
    patient, splits = shared.row(0)
    return (
        f"{where}: patient '{patient}' is in {' and '.join(splits)} ({_patients(shared.height)} "
        f"{SHARED_PATIENTS}), so one split would be judged on patients of another; move each patient to one split, or "
        "set dataset.allow_shared_patients: true to go on with a banner in the report"
    )


def _patients(number: int) -> str:
    return "1 patient is" if number == 1 else f"{number} patients are"
