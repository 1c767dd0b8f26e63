"""A user's own table (CSV, JSON lines, Parquet), its columns mapped in the config (``dataset.table``).

The file lies under ``dataset.root``; without a root, it is taken as typed, and paths in it start from its own
folder. Columns that bear a manifest's names already (``sex``, ``label.edema``) need no mapping. Without a split
column, patients are cut 60/20/20 by a hash of their id.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from shortcut_audit.config import DatasetConfig, TableColumns, TableConfig
from shortcut_audit.data.datasets import DATASETS, refuse_options
from shortcut_audit.data.manifest import PLAIN, PREFIXES, SPLITS, DataCard, Manifest
from shortcut_audit.data.splits import CUT_NOTE, cut_by_patient
from shortcut_audit.data.tables import read_text_table, require_column
from shortcut_audit.data.validate import check_filled, check_ids, kind, typed_column
from shortcut_audit.errors import InputError, UsageError, did_you_mean

SECTIONS = {
    "labels": "label", "attributes": "attribute", "masks": "mask", "footprints": "footprint",
    "counterparts": "counterpart", "severity": "severity", "covariates": "covariate",
}  # fmt: skip
"""Parts of ``dataset.table.columns``, and the prefix that each has in a manifest."""
USUAL_SPLITS = {
    "train": ["train", "training"],
    "val": ["val", "valid", "validate", "validation", "dev"],
    "test": ["test", "testing"],
}
"""Values of a split column where ``dataset.table.splits`` says nothing."""


@DATASETS.register("table")
def table(root: Path, config: DatasetConfig) -> Manifest:
    """Your own CSV, JSON lines or Parquet: the config names its columns of images, labels, attributes and masks."""
    refuse_options(config)
    if config.table is None:
        raise UsageError("the data set 'table' needs dataset.table in a config: its file and its columns")
    path = root / config.table.file if config.root else Path(config.table.file)
    source = read_text_table(path, separator=config.table.separator)
    if source.is_empty():
        raise InputError(f"{path}: there is no row below the header; expected one an image")
    frame = _mapped(source, config.table.columns, str(path))
    frame, notes = _split(frame, config.table, str(path))
    if config.table.require_mask_in_train:
        frame, note = _with_masks(frame, config.table.require_mask_in_train, str(path))
        notes.append(note)
    card = DataCard(name=config.title or path.stem, notes=tuple(notes))
    allowed = config.allow_shared_patients
    return Manifest.from_frame(frame, card=card, root=root, where=str(path), allow_shared_patients=allowed)


def _mapped(source: pl.DataFrame, columns: TableColumns, where: str) -> pl.DataFrame:
    """Return the rows with a manifest's columns. Cells are checked here, where rows still have their numbers."""
    made = []
    for target, (name, key) in _wanted(source, columns).items():
        column = require_column(source, name, where=where, key=f"dataset.table.columns.{key}")
        typed = typed_column(column, kind(target), where=where)
        if target == "image":
            check_filled(typed, where=where)
        if target == "sample_id":
            check_ids(typed, where=where)
        made.append(typed.alias(target))
    return pl.DataFrame(made)


def _wanted(source: pl.DataFrame, columns: TableColumns) -> dict[str, tuple[str, str]]:
    """Return manifest column -> (their column, key of the config)."""

    def own(name: str) -> str | None:
        return name if name in source.columns else None

    keys = {
        "sample_id": (columns.sample or own("sample_id") or columns.image, "sample"),
        "image": (columns.image, "image"),
        "patient_id": (columns.patient or own("patient_id"), "patient"),
        "split": (columns.split or own("split"), "split"),
        **{name: (getattr(columns, name) or own(name), name) for name in PLAIN},
    }
    wanted = {target: (name, key) for target, (name, key) in keys.items() if name}
    for section, prefix in SECTIONS.items():
        for name, column in getattr(columns, section).items():
            wanted[f"{prefix}.{name}"] = (column, f"{section}.{name}")
    for name in source.columns:
        if kind(name) in PREFIXES and "." in name:
            wanted.setdefault(name, (name, name))
    return wanted


def _split(frame: pl.DataFrame, config: TableConfig, where: str) -> tuple[pl.DataFrame, list[str]]:
    """Return the rows that are in a split, with notes."""
    if "split" not in frame.columns:
        patients = frame["sample_id"]
        if "patient_id" in frame.columns:
            patients = frame["patient_id"].fill_null(patients)
        return frame.with_columns(cut_by_patient(patients)), [CUT_NOTE]
    meaning = {value: split for split in SPLITS for value in (config.splits or USUAL_SPLITS).get(split, [])}
    if config.splits:
        _check_split_values(meaning, frame["split"], where)
    means = frame["split"].replace_strict(meaning, default=None, return_dtype=pl.String)
    if not config.splits:
        _check_usual(frame["split"], means, where)
    dropped = means.null_count()
    notes = [f"{dropped} rows are in no split and are left out"] if dropped else []
    return frame.with_columns(means).filter(means.is_not_null()), notes


def _check_split_values(meaning: Mapping[str, str], column: pl.Series, where: str) -> None:
    found = column.drop_nulls().unique(maintain_order=True).to_list()
    for value, split in meaning.items():
        if value not in found:
            raise UsageError(
                f"{where}: dataset.table.splits.{split} names '{value}', which no row has"
                f"{did_you_mean(value, found)}; the values are: {', '.join(found[:10])}"
            )


def _check_usual(column: pl.Series, means: pl.Series, where: str) -> None:
    if means.null_count():
        row = means.is_null().arg_max() or 0
        raise InputError(
            f"{where}: row {row + 1}: the split is '{column[row] or ''}'; expected one of "
            f"{', '.join(value for values in USUAL_SPLITS.values() for value in values)}, "
            "or say what your values mean in dataset.table.splits"
        )


def _with_masks(frame: pl.DataFrame, structure: str, where: str) -> tuple[pl.DataFrame, str]:
    column = f"mask.{structure}"
    if column not in frame.columns:
        known = [name.removeprefix("mask.") for name in frame.columns if kind(name) == "mask"]
        raise UsageError(
            f"{where}: dataset.table.require_mask_in_train names '{structure}'{did_you_mean(structure, known)}; "
            f"the masks are: {', '.join(known) or 'none'}"
        )
    kept = frame.filter((pl.col("split") == "test") | pl.col(column).is_not_null())
    return (
        kept,
        f"{frame.height - kept.height} training and validation rows have no mask of {structure} and are left out",
    )
