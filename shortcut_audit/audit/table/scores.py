"""The scores table: every number of the audit comes from here, and from nothing else.

One row per (sample_id, model, finding, seed). Columns, as in a CSV of a user's own:

    sample_id, label (0 or 1), score        needed
    patient_id, model, finding, split       optional: the sample itself, 'model', 'finding', 'test'
    seed                                    optional: which of several trainings of one model; blank: the only one
    study_id                                optional: images that may be audited as one (evaluate.per)
    role                                    'model', or 'control' for a score that is printed beside
    weight                                  above 0; 1 if not given
    scale                                   'probability' where the score is one, 'rank' where it only ranks
    attribute.<name>, or just <name>        0 and 1, a category or a number; blank: nobody looked
    score_with.<attribute>                  the score of the same image with the attribute switched on
    score_without.<attribute>               ... switched off
    score_control.<attribute>               ... with the same edit on a place without the attribute
    reference_score                         the score of a matched model that never saw the association
    reader_score.<name>                     how a reader rated the same image; blank: did not read it
    severity.<finding>, covariate.<name>    numbers
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from shortcut_audit.audit.statistics.metrics import Unit
from shortcut_audit.audit.table.columns import (
    attribute_column,
    cells,
    choice_column,
    label_column,
    number_column,
    text_column,
)
from shortcut_audit.data.tables import is_csv, read_text_table
from shortcut_audit.errors import InputError, UsageError, did_you_mean
from shortcut_audit.provenance import PRIVATE, write_atomic

NEEDED = ("sample_id", "label", "score")
OPTIONAL = {"model": "model", "finding": "finding", "split": "test", "role": "model"}
OWN = (*NEEDED, *OPTIONAL, "patient_id", "study_id", "seed", "weight", "scale")
"""Columns that are no attribute."""
STATES = ("score_with", "score_without", "score_control")
NUMBERS = (*STATES, "severity", "covariate", "reader_score")
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
                raise UsageError(
                    f"{where}: there is no column '{name}'{guess}; it has: {have}. Needed are sample_id, label and "
                    "score: rename the columns that hold them"
                )
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

    @cached_property
    def known(self) -> Mapping[str, pl.Series]:
        """The distinct known values of each attribute, in no order."""
        return {name: self.frame[f"attribute.{name}"].drop_nulls().unique() for name in self.attributes}

    @cached_property
    def families(self) -> Mapping[str, str]:
        """The model that each of several seeds is one of: ``cnn, seed 1`` to ``cnn``."""
        if "family" not in self.frame.columns:
            return {}
        pairs = self.frame.select("model", "family").unique(maintain_order=True).rows()
        return {model: family for model, family in pairs if model != family}

    def values(self, name: str) -> tuple[str, ...]:
        """Return the distinct known values of a plain column (``model``, ``finding``), in order of rows."""
        return tuple(self.frame[name].unique(maintain_order=True).to_list())


def _keys(frame: pl.DataFrame, where: str) -> list[pl.Series]:
    sample = text_column(frame, "sample_id", where=where)
    groups = [_group(frame, "patient_id", sample) if "patient_id" in frame.columns else sample.alias("patient_id")]
    if "study_id" in frame.columns:
        groups.append(_group(frame, "study_id", sample))
    plain = [
        text_column(frame, name, where=where) if name in frame.columns else pl.repeat(value, frame.height, eager=True)
        for name, value in OPTIONAL.items()
    ]
    keys = [sample, *groups, *(series.alias(name) for series, name in zip(plain, OPTIONAL, strict=True))]
    checked = pl.DataFrame(keys)
    choice_column(checked, "split", where=where, choices=("train", "val", "test"))
    choice_column(checked, "role", where=where, choices=("model", "control"))
    return _name_seeds(checked, cells(frame, "seed"), where) if "seed" in frame.columns else keys


def _name_seeds(keys: pl.DataFrame, seed: pl.Series, where: str) -> list[pl.Series]:
    """Make every one of several seeds a model of its own; ``family`` keeps the name that they share."""
    named = keys.with_columns(seed.alias("seed"), family="model")
    blank = named.select(pl.col("seed").is_null() & pl.col("seed").is_not_null().any().over("model")).to_series()
    if blank.any():
        row = int(blank.arg_true()[0])
        raise InputError(
            f"{where}: row {row + 1}, column 'seed' is blank, but other rows of the model '{named['family'][row]}' "
            "have one; name the seed in every row of a model or in none"
        )
    several = pl.col("seed").n_unique().over("model") > 1
    name = pl.when(several).then(pl.format("{}, seed {}", "model", "seed")).otherwise("model")
    return named.with_columns(model=name).get_columns()


def _group(frame: pl.DataFrame, name: str, sample: pl.Series) -> pl.Series:
    """Return whose image each is; a blank patient or study is one of its own."""
    named = frame[name].cast(pl.String)
    named = named.set(named.str.strip_chars() == "", None)
    return named.zip_with(named.is_not_null(), sample).alias(name)


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
    if "scale" in frame.columns:
        values.append(_scale(frame, where))
    for name in frame.columns:
        prefix, dot, _ = name.partition(".")
        if name == "reference_score" or (dot and prefix in NUMBERS):
            values.append(number_column(frame, name, where=where))
        elif dot and prefix == "attribute":
            values.append(attribute_column(frame, name))
        elif name not in OWN and f"attribute.{name}" not in frame.columns:
            values.append(attribute_column(frame, name).alias(f"attribute.{name}"))
    return values


def _scale(frame: pl.DataFrame, where: str) -> pl.Series:
    """Return what each score is; a blank is ``unknown``."""
    known = cells(frame, "scale").fill_null("unknown").alias("scale")
    return choice_column(known.to_frame(), "scale", where=where, choices=("probability", "rank", "unknown"))


def _refuse_duplicates(frame: pl.DataFrame, where: str) -> None:
    keys = ["sample_id", "model", "finding"]
    again = ~frame.select(pl.struct(keys).is_first_distinct()).to_series()
    if again.any():
        row = int(again.arg_true()[0])
        sample, model, finding = frame.select(keys).row(row)
        raise InputError(
            f"{where}: row {row + 1}: sample_id '{sample}' occurs twice for model '{model}' and finding '{finding}'; "
            "keep one row per image, model and finding; a column 'seed' tells several trainings of one model apart"
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


def refuse_one_class(table: ScoresTable, *, where: str) -> None:
    """Raise InputError where no finding has both classes among the test rows: nothing can be ranked."""
    test = table.frame.with_row_index("row").filter(pl.col("split") == "test")
    classes = test.group_by("finding").agg(pl.col("label").n_unique())["label"].to_list()
    if not classes or max(classes) > 1:
        return
    row, label = test.select("row", "label").row(0)
    raise InputError(
        f"{where}: row {row + 1}, column 'label' is {label}, and so it is in every test row of its finding; "
        "expected both 0 and 1"
    )


def read_scores(path: Path, *, scored: bool = True) -> ScoresTable:
    """Read a CSV of scores, separated by commas, semicolons, bars or tabs.

    Args:
        path: the table.
        scored: False where the scores do not matter, as for a plan: a table without them gets zeros.

    Raises:
        UsageError: the file cannot be read, or a needed column is missing.
        InputError: not a CSV, or a cell that must not be guessed at.
    """
    if not is_csv(path):
        raise UsageError(f"{path}: scores are kept as CSV beside the audit; write this table as a CSV first")
    frame = read_text_table(path)
    if not scored and "score" not in frame.columns:
        frame = frame.with_columns(pl.lit("0").alias("score"))
    return ScoresTable.from_frame(frame, where=str(path))


def write_scores(table: ScoresTable, path: Path) -> None:
    """Write the table as CSV with mode 0600: it holds ids."""
    frame = table.frame if table.unit == "patient" else table.frame.drop("patient_id")
    if "family" in frame.columns:
        frame = frame.with_columns(model="family").drop("family")
    write_atomic(path, frame.write_csv(), mode=PRIVATE)
