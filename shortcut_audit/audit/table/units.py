"""One row per patient or study: several images collapse into one before any question is built.

The score of a patient is the largest of the images, as in reading: one suspicious image makes the patient
suspicious (CheXpert takes the maximum over the views of a study; Irvin et al. 2019). So a patient with more
images scores higher by chance alone. The label is 1 where one image has the finding. An attribute is what
those images say whose attribute is known, and unknown where they differ: such a patient is in no cell. Of a
continuous attribute (age) it is their mean.
"""

from __future__ import annotations

import polars as pl

from shortcut_audit.audit.table.scores import STATES, ScoresTable
from shortcut_audit.audit.table.suggestion import attribute_kind
from shortcut_audit.config import Per
from shortcut_audit.errors import InputError, UsageError

COLUMNS: dict[Per, str] = {"patient": "patient_id", "study": "study_id"}


def collapse(table: ScoresTable, per: Per) -> ScoresTable:
    """Return the table with one row per unit, model, finding and split; ``sample_id`` then is the unit's id.

    Score, states, reference and readers: the maximum, a state only where every image has it. Label and
    severity: the maximum. Covariates and weights: the mean.

    Args:
        table: one row an image.
        per: the unit; ``image`` changes nothing.

    Raises:
        UsageError: the table names no patients, or no studies.
        InputError: a study of two patients.
    """
    if per == "image":
        return table
    _need_columns(table, per)
    frame = _filled(table)
    keys = ["model", "finding", "split", "role", COLUMNS[per]]
    parts = [pl.col("patient_id").first().alias("patient_id")] if per == "study" else []
    named = [name for name in frame.columns if name not in {*keys, "sample_id", "patient_id", "study_id"}]
    rows = frame.group_by(keys, maintain_order=True).agg(*parts, *(_aggregate(name, table) for name in named))
    rows = rows.with_columns(pl.col(COLUMNS[per]).alias("sample_id"))
    return ScoresTable(frame=rows.select(name for name in table.frame.columns if name in rows.columns), unit=table.unit)


def unit_notes(images: ScoresTable, table: ScoresTable, per: Per) -> list[str]:
    """Return what the report must say of rows that stand for several images; nothing for single images."""
    if per == "image":
        return []
    counts = [found.frame.filter(pl.col("split") == "test")["sample_id"].n_unique() for found in (images, table)]
    note = (
        f"One row is one {per}: {counts[1]} from {counts[0]} test images. Its score is the largest of its images, so "
        "that more images make a higher score by chance; it is positive where one image is; it has the attribute "
        "that its images agree on, else it is unknown. All counts of images here are of such rows."
    )
    return [note]


def _need_columns(table: ScoresTable, per: Per) -> None:
    if table.unit == "image":
        raise UsageError(
            f"one score per {per} needs to know the patients: add a column patient_id, or leave out --per {per}"
        )
    if per != "study":
        return
    if "study_id" not in table.frame.columns:
        raise UsageError("one score per study needs a column study_id: add it, or choose --per patient or --per image")
    owners = table.frame.group_by("study_id", maintain_order=True).agg(pl.col("patient_id").unique(maintain_order=True))
    shared = owners.filter(pl.col("patient_id").list.len() > 1)
    if shared.height:
        study, patients = shared.row(0)
        raise InputError(
            f"study_id '{study}' belongs to {len(patients)} patients ('{patients[0]}' and '{patients[1]}'); "
            "a study is of one patient: make the ids unique"
        )


def _filled(table: ScoresTable) -> pl.DataFrame:
    """Fill the score of the state that an image is in already: it is the score."""
    frame = table.frame
    for name in table.attributes:
        for state, value in (("score_with", "1.0"), ("score_without", "0.0")):
            if f"{state}.{name}" in frame.columns:
                same = pl.col(f"attribute.{name}").cast(pl.String) == value
                filled = pl.when(same).then(pl.coalesce(f"{state}.{name}", "score")).otherwise(f"{state}.{name}")
                frame = frame.with_columns(filled.alias(f"{state}.{name}"))
    return frame


def _aggregate(name: str, table: ScoresTable) -> pl.Expr:
    column, (prefix, _, rest) = pl.col(name), name.partition(".")
    if prefix in {"covariate", "weight"} or (prefix == "attribute" and attribute_kind(table, rest) == "continuous"):
        return column.mean()
    if prefix == "attribute":
        known = column.drop_nulls()
        # Of no known image there is no first value: null.
        return pl.when(known.n_unique() == 1).then(known.first()).otherwise(None).alias(name)
    if name in {"score", "label"} or prefix == "severity":
        return column.max()
    if name == "scale":
        # The largest of several probabilities is no probability.
        return pl.when(pl.len() > 1).then(pl.lit("rank")).otherwise(column.first()).alias(name)
    if prefix in {*STATES, "reference_score", "reader_score"}:
        return pl.when(column.is_null().any()).then(None).otherwise(column.max()).alias(name)
    return column.first()
