"""The scores table: every number of the audit comes from here, and from nothing else.

One row per (sample_id, model, finding). Columns, as in a CSV of a user's own:

    sample_id, label (0 or 1), score        needed
    patient_id, model, finding, split       optional: the sample itself, 'model', 'finding', 'test'
    role                                    'model', or 'control' for a score that is printed beside
    weight                                  above 0; 1 if not given
    attribute.<name>, or just <name>        0 and 1, a category or a number; blank: nobody looked
    score_with.<attribute>                  the score of the same image with the attribute switched on
    score_without.<attribute>               ... switched off
    score_control.<attribute>               ... with the same edit on a place without the attribute
    reference_score                         the score of a matched model that never saw the association
    severity.<finding>, covariate.<name>    numbers
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from shortcut_audit.audit.columns import (
    attribute_column,
    choice_column,
    label_column,
    number_column,
    text_column,
)
from shortcut_audit.audit.metrics import Unit
from shortcut_audit.errors import InputError, UsageError, did_you_mean
from shortcut_audit.provenance import PRIVATE, write_atomic

NEEDED = ("sample_id", "label", "score")
OPTIONAL = {"model": "model", "finding": "finding", "split": "test", "role": "model"}
STATES = ("score_with", "score_without", "score_control")
NUMBERS = (*STATES, "severity", "covariate")
SAME_SCORE = 1e-6
"""Two scores of one film differ by less than this where only the printing differs."""


@dataclass(frozen=True, kw_only=True)
class ScoresTable:
    """A checked table of scores; one that exists is valid.

    ``unit`` is ``image`` where the table names no patients: each image is then its own cluster.
    """

    frame: pl.DataFrame
    unit: Unit

    @classmethod
    def from_frame(cls, frame: pl.DataFrame, *, where: str) -> ScoresTable:
        """Check a table and make it a scores table.

        Args:
            frame: columns as in the module's docstring; any other column is taken as an attribute.
            where: how messages name the table ("scores.csv").

        Raises:
            UsageError: a needed column is missing.
            InputError: a score that is blank, text or not finite; a label outside 0 and 1; a duplicate;
                a pair of states of which neither is the score.
        """
        for name in NEEDED:
            if name not in frame.columns:
                have = ", ".join(frame.columns)
                guess = did_you_mean(name, frame.columns)
                raise UsageError(f"{where}: there is no column '{name}'{guess}; it has: {have}")
        if not frame.height:
            raise InputError(f"{where}: there are no rows; expected one row per image")
        checked = pl.DataFrame([*_keys(frame, where), *_values(frame, where)])
        _refuse_duplicates(checked, where)
        for name in checked.columns:
            if name.startswith("score_with."):
                _refuse_strange_pairs(checked, name.removeprefix("score_with."), where)
        return cls(frame=checked, unit="patient" if "patient_id" in frame.columns else "image")

    def names(self, prefix: str) -> tuple[str, ...]:
        """Return what follows ``prefix.`` in the columns, in order."""
        start = prefix + "."
        return tuple(name.removeprefix(start) for name in self.frame.columns if name.startswith(start))

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the attributes, in column order."""
        return self.names("attribute")

    def values(self, name: str) -> tuple[str, ...]:
        """Return the distinct known values of a plain column (``model``, ``finding``), in order of rows."""
        return tuple(self.frame[name].unique(maintain_order=True).to_list())


def _keys(frame: pl.DataFrame, where: str) -> list[pl.Series]:
    sample = text_column(frame, "sample_id", where=where)
    patient = sample.alias("patient_id")
    if "patient_id" in frame.columns:
        named = frame["patient_id"].cast(pl.String)
        # A blank patient is one of its own.
        patient = named.set(named.str.strip_chars() == "", None).zip_with(named.is_not_null(), sample)
        patient = patient.alias("patient_id")
    plain = [
        text_column(frame, name, where=where) if name in frame.columns else pl.repeat(value, frame.height, eager=True)
        for name, value in OPTIONAL.items()
    ]
    keys = [sample, patient, *(series.alias(name) for series, name in zip(plain, OPTIONAL, strict=True))]
    checked = pl.DataFrame(keys)
    choice_column(checked, "split", where=where, choices=("train", "val", "test"))
    choice_column(checked, "role", where=where, choices=("model", "control"))
    return keys


def _values(frame: pl.DataFrame, where: str) -> list[pl.Series]:
    blank = "expected a number; leave out rows that were not scored"
    values = [
        label_column(frame, "label", where=where),
        number_column(frame, "score", where=where, blank=blank),
    ]
    if "weight" in frame.columns:
        weight = number_column(frame, "weight", where=where, blank="expected a number above 0")
        if (weight <= 0).any():
            row = int((weight <= 0).arg_true()[0])
            raise InputError(f"{where}: row {row + 1}, column 'weight' is {weight[row]:g}; expected a number above 0")
        values.append(weight)
    for name in frame.columns:
        prefix, dot, _ = name.partition(".")
        if name == "reference_score" or (dot and prefix in NUMBERS):
            values.append(number_column(frame, name, where=where))
        elif dot and prefix == "attribute":
            values.append(attribute_column(frame, name))
        elif name not in (*NEEDED, *OPTIONAL, "patient_id", "weight") and f"attribute.{name}" not in frame.columns:
            values.append(attribute_column(frame, name).alias(f"attribute.{name}"))
    return values


def _refuse_duplicates(frame: pl.DataFrame, where: str) -> None:
    keys = ["sample_id", "model", "finding"]
    again = ~frame.select(pl.struct(keys).is_first_distinct()).to_series()
    if again.any():
        row = int(again.arg_true()[0])
        sample, model, finding = frame.select(keys).row(row)
        raise InputError(
            f"{where}: row {row + 1}: sample_id '{sample}' occurs twice for model '{model}' and finding '{finding}'; "
            "keep one row per image, model and finding"
        )


def _refuse_strange_pairs(frame: pl.DataFrame, attribute: str, where: str) -> None:
    """Of a pair one state is the film as it is, so one of the two scores must be ``score``."""
    with_, without = f"score_with.{attribute}", f"score_without.{attribute}"
    if without not in frame.columns:
        return

    def differs(name: str) -> pl.Expr:
        return (pl.col(name) - pl.col("score")).abs() > SAME_SCORE * (1 + pl.col("score").abs())

    strange = frame.select((differs(with_) & differs(without)).fill_null(value=False)).to_series()
    if strange.any():
        row = int(strange.arg_true()[0])
        score, on, off = frame.select("score", with_, without).row(row)
        raise InputError(
            f"{where}: row {row + 1}, column 'score' is {score:g}, but '{with_}' is {on:g} and '{without}' is {off:g}; "
            "one of the two must be the score of the image as it is"
        )


def read_scores(path: Path) -> ScoresTable:
    """Read a CSV of scores.

    Raises:
        UsageError: the file cannot be read, or a needed column is missing.
        InputError: not a CSV, or a cell that must not be guessed at.
    """
    try:
        frame = pl.read_csv(path.read_bytes(), infer_schema=False)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error}); name an existing file") from error
    except pl.exceptions.PolarsError as error:
        raise InputError(f"{path}: not readable as a CSV table: {error}") from error
    return ScoresTable.from_frame(frame, where=str(path))


def write_scores(table: ScoresTable, path: Path) -> None:
    """Write the table as CSV with mode 0600: it holds ids."""
    frame = table.frame if table.unit == "patient" else table.frame.drop("patient_id")
    write_atomic(path, frame.write_csv(), mode=PRIVATE)
