"""SIIM-ACR pneumothorax (2019): DICOM with run lengths as Kaggle gave them, the PNG variant, or folders alone.

An image may have several rows of run lengths: its mask is their union. Others wrote ``train_png/ID.png`` and, only
where there is a pneumothorax, ``mask/ID.png``. There are no patient ids and no public test labels: images are cut by a
hash of their id, but for the PNG variant, which has train and test. The chest tubes that Saab et al. (2022) looked for
(``cxr_tube_dict.pkl`` under ``root``) become the attribute ``chest_tube``; of films that they did not look at it is not
known. Option ``headers: read`` takes the projection from the headers of DICOM films.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import DATASETS, chosen_options
from shortcut_audit.data.drawn import EMPTY, cell_of
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.data.mask_folders import drawn_or_well, find_pair
from shortcut_audit.data.places import find_file, find_folders, need_file, stem, with_images
from shortcut_audit.data.plain_pickle import read_flags
from shortcut_audit.data.published import Published
from shortcut_audit.data.splits import CUT_NOTE, cut_by_patient, hold_out
from shortcut_audit.data.tables import need_column, read_text_table
from shortcut_audit.data.validate import check_filled, check_ids
from shortcut_audit.data.views import HEADERS_OPTION, stated_views
from shortcut_audit.errors import InputError

RUNS = ("train-rle.csv", "stage_2_train.csv")
PICTURES = {"train": "stage_1_train_images.csv", "test": "stage_1_test_images.csv"}
DICOMS = "dicom-images-train"
FILMS, MASKS = "train_png", ("mask", "masks")
TUBES = ("cxr_tube_dict.pkl", "cxr_tube_labels/cxr_tube_dict.pkl")
NOTHING = "-1"
PUBLISHED = Published(
    table="the table of masks",
    rows=12_047,
    source="Kaggle, stage 1",
    values={"label.pneumothorax": {"1": 2_669, "0": 9_378}},
)
CARD = DataCard(
    name="SIIM-ACR pneumothorax",
    source="Kaggle, SIIM-ACR pneumothorax segmentation challenge; films of NIH ChestX-ray14",
    licence="competition rules of Kaggle; no redistribution",
    citation="Filice et al. 2020, Crowdsourcing pneumothorax annotations using machine learning annotations on the NIH "
    "chest X-ray dataset, J Digit Imaging 33:490",
)


@DATASETS.register("siim_acr")
def siim_acr(root: Path, config: DatasetConfig) -> Manifest:
    """SIIM-ACR pneumothorax: run lengths with DICOM, or PNG; chest tubes as labelled by Saab et al."""
    chosen = chosen_options(config, HEADERS_OPTION)
    frame, notes, where, release = _read(root)
    frame, stated = stated_views(frame.with_columns(**_tubes(frame, root)), root, chosen["headers"])
    card = replace(CARD, release=release, notes=(*notes, *stated))
    allowed = config.allow_shared_patients
    return Manifest.from_frame(frame, card=card, root=root, where=where, allow_shared_patients=allowed)


def _read(root: Path) -> tuple[pl.DataFrame, list[str], str, str]:
    """Return table, notes, what messages call the table, and the release; a table goes before folders."""
    if png := find_file(root, [PICTURES["train"]]):
        return *_pictures(root, png), "PNG variant"
    pair = None if find_file(root, RUNS) else find_pair(root, FILMS, MASKS)
    return (*_folders(root, *pair), "folders of PNG") if pair else (*_runs(root), "DICOM")


def _folders(root: Path, films: Path, masks: Path) -> tuple[pl.DataFrame, list[str], str]:
    frame, notes = drawn_or_well(films, masks, root, finding="pneumothorax")
    counted = replace(PUBLISHED, table="the folder of films").notes(frame)
    return frame.with_columns(cut_by_patient(frame["sample_id"])), [*counted, CUT_NOTE, *notes], str(films)


def _runs(root: Path) -> tuple[pl.DataFrame, list[str], str]:
    path = need_file(root, RUNS, dataset="SIIM-ACR")
    table = read_text_table(path)
    images, runs = (need_column(table, [name], where=str(path)) for name in ("ImageId", "EncodedPixels"))
    frame = drawn_films(images, runs, path=path, root=root, finding="pneumothorax")
    frame = frame.with_columns(cut_by_patient(frame["sample_id"]))
    kept, missing = with_images(frame, [root], root, where=str(path), skip=("mask",))
    return kept, [*PUBLISHED.notes(frame), CUT_NOTE, *missing, *_without_row(frame, root, path.name)], str(path)


def _without_row(frame: pl.DataFrame, root: Path, table: str) -> list[str]:
    """Say how many training films the table does not name: nobody knows whether they show a pneumothorax."""
    films = {stem(film.name) for folder in find_folders(root, [DICOMS]) for film in folder.rglob("*.dcm")}
    alone = sorted(films - set(frame["sample_id"].to_list()))
    told = f"films of {DICOMS} that {table} does not name, left out: {len(alone):,}"
    return [f"{told}, '{alone[0]}' for one"] if alone else []


def drawn_films(images: pl.Series, runs: pl.Series, *, path: Path, root: Path, finding: str) -> pl.DataFrame:
    """Return one row an image with label and mask, of a table with one or several rows of run lengths an image.

    Args:
        images: id of the image of every row.
        runs: run lengths, or -1 where there is no finding.
        path: the table, for cells and messages.
        root: folder that the cells' paths start from.
        finding: name of label and mask.

    Raises:
        InputError: a blank cell, or an image that has both -1 and a mask.
    """
    check_filled(images, where=str(path))
    check_filled(runs, where=str(path))
    rows = pl.DataFrame({"sample_id": images, "none": runs == NOTHING, "row": range(1, len(images) + 1)})
    films = rows.group_by("sample_id", maintain_order=True).agg(
        every=pl.col("none").all(), some=pl.col("none").any(), row=pl.col("row").filter(pl.col("none")).first()
    )
    mixed = films.filter(pl.col("some") & ~pl.col("every"))
    if mixed.height:
        name, row = mixed.select("sample_id", "row").row(0)
        raise InputError(
            f"{path}: row {row} says that '{name}' has no {finding}, another row draws one; mend the table"
        )
    file = path.relative_to(root).as_posix()
    cells = [
        EMPTY if nothing else cell_of(file, key=name, codec="siim")
        for name, nothing in films.select("sample_id", "every").iter_rows()
    ]
    return pl.DataFrame(
        {
            "sample_id": films["sample_id"],
            f"label.{finding}": (~films["every"]).cast(pl.Float64),
            f"mask.{finding}": pl.Series(cells, dtype=pl.String),
        }
    )


def _pictures(root: Path, train: Path) -> tuple[pl.DataFrame, list[str], str]:
    paths = {split: path for split, name in PICTURES.items() if (path := train.parent / name).is_file()}
    frame = pl.concat([_picture_rows(path, split, root) for split, path in paths.items()])
    kept, note = hold_out(frame.with_columns(patient_id="sample_id"), "siim_acr/val")
    return kept.drop("patient_id"), [*PUBLISHED.notes(frame), note], str(train)


def _picture_rows(path: Path, split: str, root: Path) -> pl.DataFrame:
    table = read_text_table(path)
    files, ids, told = (need_column(table, [n], where=str(path)) for n in ("new_filename", "ImageId", "has_pneumo"))
    check_ids(ids, where=str(path))
    inside = files.str.extract(r"_([01])_\.png$")
    wrong = (inside != told).fill_null(True)
    if wrong.any():
        row = wrong.arg_max() or 0
        raise InputError(
            f"{path}: row {row + 1}: the file '{files[row]}' and has_pneumo '{told[row]}' do not agree; "
            "expected a name such as 12_train_1_.png, whose last digit is has_pneumo"
        )
    folder = path.parent.relative_to(root).as_posix()
    start = "" if folder == "." else f"{folder}/"
    return pl.DataFrame(
        {
            "sample_id": ids,
            "image": f"{start}png_images/" + files,
            "split": pl.Series([split] * table.height, dtype=pl.String),
            "label.pneumothorax": told.cast(pl.Float64),
            "mask.pneumothorax": (f"{start}png_masks/" + files).set(told == "0", EMPTY),
        }
    )


def _tubes(frame: pl.DataFrame, root: Path) -> dict[str, pl.Series]:
    path = find_file(root, TUBES)
    if path is None:
        return {}
    looked = read_flags(path)
    values = [looked.get(name) for name in frame["sample_id"].to_list()]
    return {"attribute.chest_tube": pl.Series(values, dtype=pl.Boolean).cast(pl.Float64)}
