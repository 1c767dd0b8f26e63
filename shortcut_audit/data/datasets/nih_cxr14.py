"""NIH ChestX-ray14 (Wang et al. 2017), as downloaded: the table of 2017 or of 2020, images in one folder or in twelve.

Boxes of ``BBox_List_2017.csv`` are masks of their finding (boxes, not outlines). Chest tubes were looked for by
others, in films with pneumothorax only; a table of theirs under ``root`` becomes the attribute ``chest_tube``.
Option ``labels: google`` takes the four findings that radiologists agreed on (``data/nih_expert_labels.py``), for the
films that have them; the boxes, drawn for other labels, are left out then.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from pathlib import Path

import polars as pl

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import DATASETS, chosen_options
from shortcut_audit.data.drawn import cell_of
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.data.nih_expert_labels import with_expert_labels
from shortcut_audit.data.places import find_file, find_folders, need_file, stem, with_images
from shortcut_audit.data.published import Published, positives
from shortcut_audit.data.splits import CUT_NOTE, cut_by_patient, hold_out
from shortcut_audit.data.tables import need_column, read_text_table
from shortcut_audit.data.validate import OLDEST, check_filled, check_ids, typed_column
from shortcut_audit.errors import InputError

FINDINGS = {
    "No Finding": 60361, "Atelectasis": 11559, "Cardiomegaly": 2776, "Consolidation": 4667, "Edema": 2303,
    "Effusion": 13317, "Emphysema": 2516, "Fibrosis": 1686, "Hernia": 227, "Infiltration": 19894, "Mass": 5782,
    "Nodule": 6331, "Pleural_Thickening": 3385, "Pneumonia": 1431, "Pneumothorax": 5302,
}  # fmt: skip
"""Findings as the table writes them, and in how many films each is."""
TABLES = ("Data_Entry_2017_v2020.csv", "Data_Entry_2017.csv")
BOXES = "BBox_List_2017.csv"
BOX_NAMES = {"Infiltrate": "Infiltration"}
GUESSED = "nih_drain_meta.csv"
TUBES = ("NIH-CX14_TubeAnnotations_NonExperts_aggregated.csv", GUESSED)
LISTS = {"train": "train_val_list.txt", "test": "test_list.txt"}
BOX, BOX_SIZE = ("Bbox [x", "y", "w", "h]"), (1024, 1024)


def _key(finding: str) -> str:
    return finding.lower().replace(" ", "_")


PUBLISHED = Published(
    table="Data_Entry_2017",
    rows=112_120,
    patients=30_805,
    source="NIH Clinical Center",
    values={**positives({_key(name): count for name, count in FINDINGS.items()}), "view": {"PA": 67310, "AP": 44810}},
)
CARD = DataCard(
    name="NIH ChestX-ray14",
    source="NIH Clinical Center",
    licence="public, with attribution to the NIH Clinical Center",
    citation="Wang et al. 2017, ChestX-ray8: hospital-scale chest X-ray database and benchmarks, CVPR",
)


@DATASETS.register("nih_cxr14")
def nih_cxr14(root: Path, config: DatasetConfig) -> Manifest:
    """NIH ChestX-ray14: 14 findings, boxes of eight, chest tubes from tables of others."""
    chosen = chosen_options(config, {"labels": ("nlp", "google")})
    path = need_file(root, TABLES, dataset="NIH ChestX-ray14")
    frame, notes = _rows(read_text_table(path), path)
    notes = [*PUBLISHED.notes(frame), *notes]
    frame, more = _with_split(frame, path.parent)
    frame = frame.with_columns(**_tubes(frame, root))
    if chosen["labels"] == "google":
        frame, left_out = with_expert_labels(frame, root)
        more += left_out
    else:
        frame = frame.with_columns(**_boxes(frame, root))
    frame, missing = with_images(frame, find_folders(root, ["images*"]) or [root], root, where=str(path))
    card = replace(CARD, release=path.name.partition(".")[0], notes=(*notes, *more, *missing))
    allowed = config.allow_shared_patients
    return Manifest.from_frame(frame, card=card, root=root, where=str(path), allow_shared_patients=allowed)


def _rows(table: pl.DataFrame, path: Path) -> tuple[pl.DataFrame, list[str]]:
    def column(name: str) -> pl.Series:
        return need_column(table, [name], where=str(path))

    images, found = column("Image Index"), column("Finding Labels").str.split("|")
    check_ids(images, where=str(path))
    _check_findings(found, path)
    ages = _years(column("Patient Age"), str(path))
    impossible = (ages > OLDEST).fill_null(False)
    frame = pl.DataFrame(
        {
            "sample_id": [stem(name) for name in images],
            "patient_id": column("Patient ID"),
            "view": column("View Position"),
            "sex": column("Patient Gender"),
            "age": ages.set(impossible, None).cast(pl.Int64).cast(pl.String),
            **{f"label.{_key(name)}": found.list.contains(name).cast(pl.Float64) for name in FINDINGS},
        },
        schema_overrides={"sample_id": pl.String},
    )
    old = int(impossible.sum())
    return frame, [f"{old} ages over {OLDEST} years are left blank"] if old else []


def _years(column: pl.Series, where: str) -> pl.Series:
    """Return ages in years; some copies of the table write ``058Y``, and children in months or days: ``013M``."""
    ages = typed_column(column.str.replace("[YyMmDd]$", ""), "covariate", where=where)
    unit = column.str.tail(1).str.to_uppercase()
    return ages / unit.replace_strict({"M": 12, "D": 365}, default=1, return_dtype=pl.Int64).fill_null(1)


def _check_findings(found: pl.Series, path: Path) -> None:
    known = found.list.eval(pl.element().is_in(list(FINDINGS))).list.all() & (found.list.len() > 0)
    wrong = ~known.fill_null(False)
    if wrong.any():
        row = wrong.arg_max() or 0
        cell = "|".join(found[row].to_list()) if found[row] is not None else ""
        raise InputError(
            f"{path}: row {row + 1}, column 'Finding Labels' holds '{cell}'; expected names joined by |, of: "
            f"{', '.join(FINDINGS)}"
        )


def _with_split(frame: pl.DataFrame, folder: Path) -> tuple[pl.DataFrame, list[str]]:
    """Return the rows of the official lists, 5 % of the training patients held out; without lists, cut by patient."""
    lists = {split: find_file(folder, [name]) for split, name in LISTS.items()}
    if absent := [LISTS[split] for split, path in lists.items() if path is None]:
        return frame.with_columns(cut_by_patient(frame["patient_id"])), [f"no {' and '.join(absent)} here; {CUT_NOTE}"]
    place: dict[str, str] = {}
    for name, path in lists.items():
        place |= dict.fromkeys(_listed(path, place), name) if path else {}
    split = pl.Series("split", [place.get(name) for name in frame["sample_id"].to_list()], dtype=pl.String)
    outside = split.null_count()
    kept, note = hold_out(frame.with_columns(split).filter(split.is_not_null()), "nih_cxr14/val")
    return kept, [note, *([f"{outside:,} rows are in neither official list and are left out"] if outside else [])]


def _listed(path: Path, others: Container[str]) -> list[str]:
    """Return the images that an official list names, one a line, none of them in another list."""
    images = need_column(read_text_table(path, header=["image"]), ["image"], where=str(path))
    check_ids(images, where=str(path))
    names = [stem(image) for image in images]
    for row, name in enumerate(names, 1):
        if " " in name:
            raise InputError(f"{path}: row {row}: '{name}' is more than one image; expected one a line")
        if name in others:
            raise InputError(f"{path}: row {row}: '{name}' is in the other list too; fetch both lists again")
    return names


def _boxes(frame: pl.DataFrame, root: Path) -> dict[str, pl.Series]:
    """Return ``mask.<finding>`` of the findings that have boxes; blank where nobody drew one."""
    path = find_file(root, [BOXES])
    if path is None:
        return {}
    table = read_text_table(path)
    images, names = (need_column(table, [name], where=str(path)) for name in ("Image Index", "Finding Label"))
    for column in (images, *(need_column(table, [name], where=str(path)) for name in BOX)):
        check_filled(column, where=str(path))
    strange = ~names.is_in([*FINDINGS, *BOX_NAMES]).fill_null(False)
    if strange.any():
        row = strange.arg_max() or 0
        raise InputError(f"{path}: row {row + 1}: no finding is called '{names[row] or ''}'; fetch the table again")
    file = path.relative_to(root).as_posix()
    columns: dict[str, dict[str, str]] = {}
    for image, name in zip(images.to_list(), names.to_list(), strict=True):
        cells = columns.setdefault(f"mask.{_key(BOX_NAMES.get(name, name))}", {})
        cells[stem(image)] = cell_of(file, key=image, kind=name, codec="boxes", size=BOX_SIZE)
    ids = frame["sample_id"].to_list()
    return {name: pl.Series([cells.get(one) for one in ids], dtype=pl.String) for name, cells in columns.items()}


def _tubes(frame: pl.DataFrame, root: Path) -> dict[str, pl.Series]:
    """Return ``attribute.chest_tube``: 1 and 0 where somebody looked. What a model guessed is not taken."""
    path = find_file(root, TUBES)
    if path is None:
        return {}
    table = read_text_table(path)
    images = need_column(table, ["Image Index", "img_name"], where=str(path))
    drains = typed_column(need_column(table, ["Drain"], where=str(path)), "flag", where=str(path))
    if path.name.startswith(GUESSED):
        drains = drains.set(need_column(table, ["drain_annotated"], where=str(path)).is_null(), None)
    check_ids(images, where=str(path))
    looked = dict(zip((stem(name) for name in images), drains, strict=True))
    values = [looked.get(name) for name in frame["sample_id"].to_list()]
    return {"attribute.chest_tube": pl.Series(values, dtype=pl.Float64)}
