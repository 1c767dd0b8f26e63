"""RSNA pneumonia detection (2018), stage 2: boxes of lung opacities on films of NIH ChestX-ray14.

The label ``pneumonia`` is the challenge's Target, ``other_abnormal`` is the class "No Lung Opacity / Not Normal".
The projection, a known shortcut here, stands only in the DICOM headers; a table of them under ``root``
(``kaggle_stage_2_train_images_dicom_headers.csv``) gives view, sex and age, option ``headers: read`` the view as
the films themselves state it. There are no patient ids and no test labels: images are cut by a hash of their id.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import DATASETS, chosen_options
from shortcut_audit.data.drawn import EMPTY, cell_of
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.data.places import find_file, find_folders, need_file, with_images
from shortcut_audit.data.published import Published
from shortcut_audit.data.splits import CUT_NOTE, cut_by_patient
from shortcut_audit.data.tables import need_column, read_text_table
from shortcut_audit.data.validate import check_filled, check_ids, filled_whole, typed_column
from shortcut_audit.data.views import HEADERS_OPTION, stated_views
from shortcut_audit.errors import InputError

LABELS, CLASSES = "stage_2_train_labels.csv", "stage_2_detailed_class_info.csv"
HEADERS = "kaggle_stage_2_train_images_dicom_headers.csv"
OTHER = "No Lung Opacity / Not Normal"
BOX = ("x", "y", "width", "height")
OPACITY = "Lung Opacity"
KNOWN = ("Normal", OPACITY, OTHER)
PUBLISHED = Published(
    table=LABELS,
    rows=26_684,
    source="Kaggle, stage 2, in images",
    values={"label.pneumonia": {"1": 6_012, "0": 20_672}},
)
OTHERS = {"1": 11_821, "0": 14_863}
"""How often a film is abnormal in another way; 8,851 are normal."""
CARD = DataCard(
    name="RSNA pneumonia",
    source="Kaggle, RSNA pneumonia detection challenge, stage 2; films of NIH ChestX-ray14",
    licence="competition rules of Kaggle; research and education",
    release="stage 2",
    citation="Shih et al. 2019, Augmenting the NIH chest radiograph dataset with expert annotations, Radiology: AI",
)


@DATASETS.register("rsna_pneumonia")
def rsna_pneumonia(root: Path, config: DatasetConfig) -> Manifest:
    """RSNA pneumonia detection: lung opacities with boxes, and films abnormal in another way."""
    chosen = chosen_options(config, HEADERS_OPTION)
    path = need_file(root, [LABELS], dataset="the RSNA pneumonia challenge")
    frame = _films(path, root)
    other = _other(frame, root)
    frame = frame.with_columns(**other)
    published = replace(PUBLISHED, values={**PUBLISHED.values, **dict.fromkeys(other, OTHERS)})
    notes = [*published.notes(frame), CUT_NOTE]
    frame = frame.with_columns(cut_by_patient(frame["sample_id"]), **_headers(frame, root))
    frame, missing = with_images(frame, find_folders(root, ["stage_2_train_images*"]) or [root], root, where=str(path))
    frame, stated = stated_views(frame, root, chosen["headers"])
    card = replace(CARD, notes=(*notes, *missing, *stated))
    allowed = config.allow_shared_patients
    return Manifest.from_frame(frame, card=card, root=root, where=str(path), allow_shared_patients=allowed)


def _films(path: Path, root: Path) -> pl.DataFrame:
    """Return one row an image; it has up to four boxes, one a row of the table."""
    table = read_text_table(path)
    images = need_column(table, ["patientId"], where=str(path))
    target = typed_column(need_column(table, ["Target"], where=str(path)), "label", where=str(path))
    check_filled(images, where=str(path))
    check_filled(target.cast(pl.String), where=str(path))
    boxed = filled_whole([need_column(table, [name], where=str(path)) for name in BOX], where=str(path))
    wrong = boxed != (target == 1)
    if wrong.any():
        row = wrong.arg_max() or 0
        raise InputError(
            f"{path}: row {row + 1} has Target {target[row]:g} and {'a' if boxed[row] else 'no'} box; "
            "expected a box where Target is 1, none where it is 0"
        )
    films = (
        pl.DataFrame({"sample_id": images, "label.pneumonia": target})
        .group_by("sample_id", maintain_order=True)
        .agg(pl.col("label.pneumonia").max(), values=pl.col("label.pneumonia").n_unique())
    )
    mixed = films.filter(pl.col("values") > 1)
    if mixed.height:
        raise InputError(f"{path}: the image '{mixed['sample_id'][0]}' has Target 0 and 1; keep the rows of one")
    file = path.relative_to(root).as_posix()
    cells = [
        cell_of(file, key=name, codec="boxes", size=(1024, 1024)) if label else EMPTY
        for name, label, _ in films.iter_rows()
    ]
    return films.drop("values").with_columns(pl.Series("mask.pneumonia", cells, dtype=pl.String))


def _other(frame: pl.DataFrame, root: Path) -> dict[str, pl.Series]:
    path = find_file(root, [CLASSES])
    if path is None:
        return {}
    table = read_text_table(path)
    images, classes = (need_column(table, [name], where=str(path)) for name in ("patientId", "class"))
    check_filled(images, where=str(path))
    strange = ~classes.is_in(KNOWN).fill_null(False)
    if strange.any():
        row = strange.arg_max() or 0
        raise InputError(
            f"{path}: row {row + 1}: the class '{classes[row] or ''}' is none of {'; '.join(KNOWN)}; mend the table"
        )
    target = dict(frame.select("sample_id", "label.pneumonia").iter_rows())
    found: dict[str, str] = {}
    for row, (name, told) in enumerate(zip(images, classes, strict=True), 1):
        if found.setdefault(name, told) != told:
            raise InputError(f"{path}: row {row}: '{name}' is '{told}', and '{found[name]}' before; mend the table")
        if name in target and target[name] != (told == OPACITY):
            raise InputError(
                f"{path}: row {row}: '{name}' is '{told}', but its Target in {LABELS} is {target[name]:g}; fetch both "
                "tables again"
            )
    values = [found[name] == OTHER if name in found else None for name in frame["sample_id"].to_list()]
    if None in values:
        name = frame["sample_id"][values.index(None)]
        raise InputError(f"{path}: the image '{name}' of {LABELS} has no class here; fetch the table again")
    return {"label.other_abnormal": pl.Series(values, dtype=pl.Boolean).cast(pl.Float64)}


def _headers(frame: pl.DataFrame, root: Path) -> dict[str, pl.Series]:
    path = find_file(root, [HEADERS])
    if path is None:
        return {}
    table = read_text_table(path)
    images = need_column(table, ["PatientID"], where=str(path))
    check_ids(images, where=str(path))
    place = {name: row for row, name in enumerate(images.to_list())}
    at = pl.Series([place.get(name) for name in frame["sample_id"].to_list()], dtype=pl.UInt32)
    columns = {"view": "ViewPosition", "sex": "PatientSex", "age": "PatientAge", "attribute.projection": "ViewPosition"}
    return {ours: need_column(table, [name], where=str(path)).gather(at).alias(ours) for ours, name in columns.items()}
