"""CheXpert v1.0 and v1.0-small (Irvin et al. 2019), as downloaded.

``root`` is the folder with ``train.csv``, or one above it; the four batches that Stanford serves lie beside each other
(``CheXpert-v1.0 batch 2 (train 1)/patient00001/...``). Columns are found by name whatever their case,
signs and order. ``valid.csv`` (radiologists' labels) is the test split unless there is a table of the test
set; val is then 5 % of the training patients, by a hash of their id. The sample id joins the parts of the
path: ``patient00001_study1_view1_frontal``.

CheXpert has no tube label. ``Support Devices`` is offered as the attribute ``support_devices``, a proxy: -1 and
blanks in it count as ``dataset.uncertain`` and ``dataset.blank`` say for labels.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import polars as pl

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data import chexpert_counts as counts
from shortcut_audit.data.chexpert_findings import (
    NO_FINDING_OPTION,
    differing_studies,
    finding_labels,
    with_no_finding,
    with_proxy,
)
from shortcut_audit.data.datasets import DATASETS, chosen_options
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.data.places import find_file, need_file
from shortcut_audit.data.splits import hold_out
from shortcut_audit.data.tables import first_column, read_text_table
from shortcut_audit.data.views import wanted_views
from shortcut_audit.errors import InputError, UsageError

TRAIN, VALID = ("train.csv",), ("valid.csv", "val_labels.csv")
TEST = ("test.csv", "test_labels.csv", "groundtruth.csv")
_PLACE = r"((?:train|valid|val|test)(?:_\d+)?/(patient\d+)/(study\d+)/([^/.]+)(?:\.[A-Za-z]+)?)$"
_BATCH = re.compile(r"CheXpert-v1\.0 batch \d.*")
"""What Stanford serves: ``batch 1 (validate & csv)`` with both tables, ``batch 2 (train 1)/patient00001/...``."""
CARD = DataCard(
    name="CheXpert",
    source="Stanford AIMI, CheXpert v1.0",
    licence="Stanford University Dataset Research Use Agreement",
    citation="Irvin et al. 2019, CheXpert: a large chest radiograph dataset with uncertainty labels, AAAI",
)


@DATASETS.register("chexpert")
def chexpert(root: Path, config: DatasetConfig) -> Manifest:
    """CheXpert v1.0 or v1.0-small: 14 findings, support devices as a proxy of tubes."""
    chosen = chosen_options(config, NO_FINDING_OPTION)
    train = need_file(root, TRAIN, dataset="CheXpert")
    paths = _paths(train)
    base = train.parent.parent if _BATCH.match(train.parent.name) else train.parent
    tables = {split: read_rows(path, split, base) for split, path in paths.items()}
    notes = [note for split, path in paths.items() for note in _published(path, tables[split])]
    notes.append(_split_note(tables))
    tables["train"], elsewhere = _in_batches(tables["train"], base)
    notes += elsewhere
    told, lacking = _told_by_all(tables, paths)
    frame, left_out = wanted_views(told, config)
    if "val" not in tables:
        frame, _ = hold_out(frame, "chexpert/val")
    frame, healthy = with_no_finding(frame, chosen["no_finding"])
    frame, proxy = with_proxy(frame, config)
    release = _BATCH.sub("CheXpert-v1.0", train.parent.name)
    card = replace(CARD, release=release, notes=(*notes, *lacking, *left_out, *healthy, *proxy))
    allowed = config.allow_shared_patients
    return Manifest.from_frame(frame, card=card, root=base, where=str(train.parent), allow_shared_patients=allowed)


def _paths(train: Path) -> dict[str, Path]:
    """Return the tables there are, by the split that each is for us."""
    test, valid = find_file(train.parent, TEST), find_file(train.parent, VALID)
    paths = {"train": train}
    if test:
        paths["test"] = test
    if valid:
        paths["val" if test else "test"] = valid
    return paths


def _published(path: Path, rows: pl.DataFrame) -> list[str]:
    """Return what to say of a table; of ``groundtruth.csv`` we know no release."""
    name = path.name.removesuffix(".gz")
    known = {TRAIN: counts.TRAIN, VALID: counts.VALID, TEST[:2]: counts.TEST}
    counted = [note for names, said in known.items() if name in names for note in replace(said, table=name).notes(rows)]
    return [*counted, *differing_studies(rows, name)]


def read_rows(path: Path, split: str, root: Path, *, every: bool = False) -> pl.DataFrame:
    """Return :func:`rows_of` the table in a file, all of one split.

    Raises:
        UsageError: no column of paths or of findings.
        InputError: a path that is none of CheXpert's, or an impossible label.
    """
    table = read_text_table(path)
    return rows_of(table, [split] * table.height, path, root, every=every)


def rows_of(table: pl.DataFrame, split: list[str | None], path: Path, root: Path, *, every: bool) -> pl.DataFrame:
    """Return the rows of a table as a manifest has them, their images as paths under ``root``.

    ``every`` refuses a table that lacks one of the 14 findings.

    Raises:
        UsageError: no column of paths or of findings.
        InputError: a path that is none of CheXpert's, or an impossible label.
    """
    column = first_column(table, ["Path"])
    if column is None:
        raise UsageError(f"{path}: no column 'Path'; the columns are: {', '.join(table.columns)}")
    place = table[column].str.replace_all("\\", "/", literal=True).str.extract_groups(_PLACE).struct.unnest()
    place.columns = ["image", "patient", "study", "view"]
    _check_paths(table[column], place["image"], path)
    return pl.DataFrame(
        {
            "sample_id": place.select(pl.concat_str("patient", "study", "view", separator="_")).to_series(),
            "image": _located(place["image"], path.parent, root),
            "patient_id": place["patient"],
            "split": split,
            "view": _views(table, place["view"]),
            "sex": _plain(table, "Sex", blank="Unknown"),
            "age": _plain(table, "Age"),
            **finding_labels(table, str(path), every=every),
        },
        schema_overrides={"split": pl.String},
    )


def _in_batches(rows: pl.DataFrame, base: Path) -> tuple[pl.DataFrame, list[str]]:
    """Return the training rows with their images in the batches that Stanford serves, of patients that are in one."""
    parts = sorted(path for path in base.iterdir() if path.is_dir() and _BATCH.match(path.name))
    owner = {patient.name: part.name for part in parts for patient in part.glob("patient*")}
    if not owner:
        return rows, []
    part = rows["patient_id"].replace_strict(owner, default=None, return_dtype=pl.String)
    image = part + "/" + rows["image"].str.extract(r"(patient\d+/.*)$")
    kept = rows.with_columns(image=image).filter(part.is_not_null())
    left = rows.height - kept.height
    note = f"{left:,} of {rows.height:,} rows are of patients of no batch that is here and are left out"
    return kept, [note] * bool(left)


def _check_paths(cells: pl.Series, found: pl.Series, path: Path) -> None:
    if found.null_count():
        row = found.is_null().arg_max() or 0
        raise InputError(
            f"{path}: row {row + 1}, column '{cells.name}' holds '{cells[row] or ''}'; "
            "expected a path such as train/patient00001/study1/view1_frontal.jpg"
        )


def _located(images: pl.Series, folder: Path, root: Path) -> pl.Series:
    """Return paths under ``root``: people put tables beside the images, beside their folder, or in a third one.

    A table of CheXlocalize may say ``valid`` where its folder is called ``val``.
    """
    places = [folder, *_inner(folder), root, *_inner(root)]
    spelled = (images, images.str.replace("^valid/", "val/"))
    found = ((place, names) for names in spelled for place in places if _is_there(place, names))
    place, names = next(found, (folder, images))
    prefix = place.relative_to(root).as_posix()
    return names if prefix == "." else f"{prefix}/" + names


def _is_there(place: Path, images: pl.Series) -> bool:
    return any((place / image).is_file() for image in images.head(20).to_list())


def _inner(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir())


def _views(table: pl.DataFrame, names: pl.Series) -> pl.Series:
    """Return lateral, else AP, PA, ... as the table says, else frontal."""
    orientation, projection = _plain(table, "Frontal/Lateral"), _plain(table, "AP/PA")
    lateral = (orientation == "Lateral").fill_null(names.str.contains("lateral"))
    return projection.fill_null("frontal").set(lateral, "lateral")


def _told_by_all(tables: dict[str, pl.DataFrame], paths: dict[str, Path]) -> tuple[pl.DataFrame, list[str]]:
    """Return the rows of all tables with the findings that each table has, and a note a table on those that it lacks.

    A finding without a column would be blank throughout a split, and a blank is read as "not mentioned".
    """
    frame = pl.concat(tables.values(), how="diagonal")
    lacking = {split: sorted(set(frame.columns) - set(rows.columns)) for split, rows in tables.items()}
    notes = [
        f"{paths[split].name} has no column of {', '.join(names).replace('label.', '')}: left out everywhere"
        for split, names in lacking.items()
        if names
    ]
    return frame.drop({name for names in lacking.values() for name in names}), notes


def _plain(table: pl.DataFrame, name: str, *, blank: str = "") -> pl.Series:
    """Return a column as text, null throughout where the table has none."""
    column = first_column(table, [name])
    if column is None:
        return pl.repeat(None, table.height, dtype=pl.String, eager=True)
    return table[column].set(table[column] == blank, None)


def _split_note(tables: dict[str, pl.DataFrame]) -> str:
    if "val" in tables:
        return "val is valid.csv, test is the test table"
    test = "test is valid.csv" if "test" in tables else "there is no test split (no valid.csv)"
    return f"val is 5% of the training patients by a hash of their id, {test}"
