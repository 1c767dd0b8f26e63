"""CheXpert v1.0 and v1.0-small (Irvin et al. 2019), as downloaded.

``root`` is the folder with ``train.csv``, or one above it. Columns are found by name whatever their case,
signs and order. ``valid.csv`` (radiologists' labels) is the test split unless there is a table of the test
set; val is then 5 % of the training patients, by a hash of their id. The sample id joins the parts of the
path: ``patient00001_study1_view1_frontal``.

CheXpert has no tube label. ``Support Devices`` is offered as the attribute ``support_devices``, a proxy: -1 and
blanks in it count as ``dataset.uncertain`` and ``dataset.blank`` say for labels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import DATASETS, refuse_options
from shortcut_audit.data.labels import apply_label_policy
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.data.splits import hash_fractions
from shortcut_audit.data.tables import first_column, read_text_table
from shortcut_audit.data.validate import typed_column
from shortcut_audit.errors import InputError, UsageError

FINDINGS = (
    "No Finding", "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion", "Edema",
    "Consolidation", "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion", "Pleural Other", "Fracture",
    "Support Devices",
)  # fmt: skip
FOLDERS = ("", "CheXpert-v1.0-small", "CheXpert-v1.0", "CheXpert-v1.0-downsampled", "CheXpert")
TEST_TABLES = ("test.csv", "test_labels.csv")
TRAIN_ROWS = 223_414
VAL_SHARE = 0.05
PROXY_NOTE = (
    "support_devices is a proxy: tubes, lines and pacemakers alike, read from reports; "
    "-1 counts as {uncertain}, a blank as {blank}"
)
_PLACE = r"((?:train|valid|val|test)/(patient\d+)/(study\d+)/([^/.]+)(?:\.[A-Za-z]+)?)$"


@DATASETS.register("chexpert")
def chexpert(root: Path, config: DatasetConfig) -> Manifest:
    """CheXpert v1.0 or v1.0-small: 14 findings, support devices as a proxy of tubes."""
    refuse_options(config)
    folder = _folder(root)
    tables = {split: _read(path, split) for split, path in _paths(folder).items()}
    frame = pl.concat(tables.values(), how="diagonal")
    notes = [_count_note(tables["train"].height), _split_note(tables)]
    if config.views == "frontal":
        frontal = frame.filter(pl.col("view") != "lateral")
        if lateral := frame.height - frontal.height:
            notes.append(f"{lateral} lateral views are left out (dataset.views: frontal)")
        frame = frontal
    if "val" not in tables:
        frame = _hold_out(frame)
    if "label.support_devices" in frame.columns:
        frame = frame.with_columns(_proxy(frame["label.support_devices"], config))
        notes.append(PROXY_NOTE.format(uncertain=config.uncertain, blank=config.blank))
    card = DataCard(
        name="CheXpert",
        source="Stanford AIMI, CheXpert v1.0 (Irvin et al. 2019)",
        licence="Stanford University Dataset Research Use Agreement",
        release=folder.name,
        notes=tuple(notes),
    )
    allowed = config.allow_shared_patients
    return Manifest.from_frame(frame, card=card, root=folder, where=str(folder), allow_shared_patients=allowed)


def _folder(root: Path) -> Path:
    for name in FOLDERS:
        if (root / name / "train.csv").is_file():
            return root / name
    raise UsageError(
        f"{root}: no train.csv of CheXpert, neither here nor in {', '.join(FOLDERS[1:])}; name the folder that "
        "was downloaded with --root, or set SHORTCUT_AUDIT_DATA to the folder that holds 'chexpert'"
    )


def _paths(folder: Path) -> dict[str, Path]:
    """Return the tables there are, by the split that each is for us."""
    paths = {"train": folder / "train.csv"}
    test = next((folder / name for name in TEST_TABLES if (folder / name).is_file()), None)
    if test:
        paths["test"] = test
    valid = folder / "valid.csv"
    if valid.is_file():
        paths["val" if test else "test"] = valid
    return paths


def _read(path: Path, split: str) -> pl.DataFrame:
    table = read_text_table(path)
    column = first_column(table, ["Path"])
    if column is None:
        raise UsageError(f"{path}: no column 'Path'; the columns are: {', '.join(table.columns)}")
    place = table[column].str.replace_all("\\", "/", literal=True).str.extract_groups(_PLACE).struct.unnest()
    place.columns = ["image", "patient", "study", "view"]
    _check_paths(table[column], place["image"], path)
    return pl.DataFrame(
        {
            "sample_id": place.select(pl.concat_str("patient", "study", "view", separator="_")).to_series(),
            "image": _located(place["image"], path.parent),
            "patient_id": place["patient"],
            "split": [split] * table.height,
            "view": _views(table, place["view"]),
            "sex": _plain(table, "Sex", blank="Unknown"),
            "age": _plain(table, "Age"),
            **_labels(table, path),
        },
        schema_overrides={"split": pl.String},
    )


def _check_paths(cells: pl.Series, found: pl.Series, path: Path) -> None:
    if found.null_count():
        row = found.is_null().arg_max() or 0
        raise InputError(
            f"{path}: row {row + 1}, column '{cells.name}' holds '{cells[row] or ''}'; "
            "expected a path such as train/patient00001/study1/view1_frontal.jpg"
        )


def _located(images: pl.Series, folder: Path) -> pl.Series:
    """Return paths under ``folder``: people put the tables beside the images or beside their folder."""
    if images.len() == 0:
        return images
    prefix = next((name for name in FOLDERS if (folder / name / images[0]).is_file()), "")
    return f"{prefix}/" + images if prefix else images


def _views(table: pl.DataFrame, names: pl.Series) -> pl.Series:
    """Return lateral, else AP, PA, ... as the table says, else frontal."""
    orientation, projection = _plain(table, "Frontal/Lateral"), _plain(table, "AP/PA")
    lateral = (orientation == "Lateral").fill_null(names.str.contains("lateral"))
    return projection.fill_null("frontal").set(lateral, "lateral")


def _plain(table: pl.DataFrame, name: str, *, blank: str = "") -> pl.Series:
    """Return a column as text, null throughout where the table has none."""
    column = first_column(table, [name])
    if column is None:
        return pl.repeat(None, table.height, dtype=pl.String, eager=True)
    return table[column].set(table[column] == blank, None)


def _labels(table: pl.DataFrame, path: Path) -> dict[str, pl.Series]:
    found = {finding: column for finding in FINDINGS if (column := first_column(table, [finding]))}
    if not found:
        raise UsageError(
            f"{path}: no column of a finding; expected some of {', '.join(FINDINGS)}; "
            f"the columns are: {', '.join(table.columns)}"
        )
    return {
        "label." + finding.lower().replace(" ", "_"): typed_column(table[column], "label", where=str(path))
        for finding, column in found.items()
    }


def _hold_out(frame: pl.DataFrame) -> pl.DataFrame:
    chosen = (frame["split"] == "train") & (hash_fractions(frame["patient_id"], "chexpert/val") < VAL_SHARE)
    return frame.with_columns(frame["split"].set(chosen, "val"))


def _proxy(labels: pl.Series, config: DatasetConfig) -> pl.Series:
    values = labels.fill_null(np.nan).to_numpy()
    counted = apply_label_policy(values, uncertain=config.uncertain, blank=config.blank)
    return pl.Series("attribute.support_devices", counted).fill_nan(None)


def _count_note(rows: int) -> str:
    whole = "as published" if rows == TRAIN_ROWS else f"of the {TRAIN_ROWS:,} published"
    return f"train.csv has {rows:,} rows, {whole}"


def _split_note(tables: dict[str, pl.DataFrame]) -> str:
    if "val" in tables:
        return "val is valid.csv, test is the test table"
    test = "test is valid.csv" if "test" in tables else "there is no test split (no valid.csv)"
    return f"val is {VAL_SHARE:.0%} of the training patients by a hash of their id, {test}"
