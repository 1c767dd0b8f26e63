"""PadChest (Bustos et al. 2020), as downloaded: the table of 2019-02-01 and 16-bit PNGs in numbered folders, or in one.

``Labels`` is a Python list of words a film; a word counts where it stands alone (*pneumothorax* is not
*hydropneumothorax*). Films whose list is blank or says *exclude* have unknown labels and are left out. A quarter of the
reports was labelled by physicians, the rest by a network that read them: option ``labels`` takes all or the
physicians' only. Devices that reports mention are attributes; ``bedside`` is a film of somebody lying down. Chest tubes
that people saw in films with pneumothorax (NEATX, a table under ``root``) are the attribute ``chest_tube_seen``.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import polars as pl

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import DATASETS, chosen_options
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.data.places import find_file, need_file, stem, with_images
from shortcut_audit.data.published import Published
from shortcut_audit.data.splits import CUT_NOTE, cut_by_patient
from shortcut_audit.data.tables import need_column, read_text_table
from shortcut_audit.data.validate import check_ids, typed_column
from shortcut_audit.data.views import projections, wanted_views
from shortcut_audit.errors import InputError

TABLE = "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv"
FINDINGS = {
    "normal": 50_616, "pneumothorax": 533, "pleural effusion": 9_850, "pneumonia": 7_953, "cardiomegaly": 15_006,
    "consolidation": 2_495, "infiltrates": 7_087, "alveolar pattern": 5_737, "interstitial pattern": 7_797,
    "atelectasis": 2_905, "nodule": 3_748, "mass": 56, "emphysema": 1_537, "pulmonary fibrosis": 1_226,
    "pulmonary edema": 1_456, "hiatal hernia": 2_363,
}  # fmt: skip
"""Words that are findings, and in how many rows of the table each stands."""
DEVICES = {
    "chest_tube": ("chest drain tube", 621), "endotracheal_tube": ("endotracheal tube", 2_426),
    "nasogastric_tube": ("NSG tube", 5_386), "tracheostomy_tube": ("tracheostomy tube", 1_825),
    "pacemaker": ("pacemaker", 3_508),
}  # fmt: skip
ROWS, LABELLED = 160_861, 159_446
"""Rows of the table (the paper counts 160,868 images), and those whose labels are known."""
SEEN = "PadChest_TubeAnnotations_NonExperts_aggregated.csv"
UNKNOWN = "exclude"
BEDSIDE, NO_FILM = "AP_horizontal", ("COSTAL", "EXCLUDE")
"""Projections: lying down; ribs, or none that is of use."""
_COUNTS = {
    **{f"label.{name.replace(' ', '_')}": count for name, count in FINDINGS.items()},
    **{f"attribute.{name}": count for name, (_, count) in DEVICES.items()},
}
PUBLISHED = Published(
    table="the table",
    rows=ROWS,
    patients=67_625,
    source="release of 2019-02-01",
    values={name: {"1": count, "0": LABELLED - count} for name, count in _COUNTS.items()},
)
CARD = DataCard(
    name="PadChest",
    source="BIMCV, Hospital San Juan de Alicante",
    licence="PADCHEST Dataset Research Use Agreement",
    release="2019-02-01",
    citation="Bustos et al. 2020, PadChest: a large chest x-ray image dataset with multi-label annotated reports",
)


@DATASETS.register("padchest")
def padchest(root: Path, config: DatasetConfig) -> Manifest:
    """PadChest: 16 findings and the devices that reports mention, 16-bit films."""
    wanted = chosen_options(config, {"labels": ("all", "physician")})["labels"]
    path = need_file(root, [TABLE], dataset="PadChest")
    table = read_text_table(path)
    frame = _rows(table, path)
    notes = PUBLISHED.notes(frame)
    if wanted == "physician":
        frame = frame.filter(need_column(table, ["MethodLabel"], where=str(path)) == "Physician")
    labelled = frame.filter(pl.col("label.normal").is_not_null())
    unknown = frame.height - labelled.height
    notes.append(f"labels: {wanted}; {unknown:,} of {frame.height:,} rows have none and are left out")
    films = labelled.filter(~pl.col("view").is_in(NO_FILM).fill_null(False))
    if films.height < labelled.height:
        other = labelled.height - films.height
        notes.append(f"{other:,} rows of other projections ({', '.join(NO_FILM)}) are left out")
    films, lateral = wanted_views(films.with_columns(cut_by_patient(films["patient_id"])), config)
    films, missing = with_images(films.with_columns(**_seen(films, root)), [root], root, where=str(path))
    card = replace(CARD, notes=(*notes, CUT_NOTE, *lateral, *missing))
    allowed = config.allow_shared_patients
    return Manifest.from_frame(films, card=card, root=root, where=str(path), allow_shared_patients=allowed)


def _rows(table: pl.DataFrame, path: Path) -> pl.DataFrame:
    def column(name: str) -> pl.Series:
        return need_column(table, [name], where=str(path))

    images, projection = column("ImageID"), column("Projection")
    check_ids(images, where=str(path))
    words = _words(column("Labels"), path)
    year = column("StudyDate_DICOM").str.head(4).cast(pl.Int64, strict=False)
    birth = column("PatientBirth").cast(pl.Float64, strict=False).cast(pl.Int64)
    return pl.DataFrame(
        {
            "sample_id": [stem(name) for name in images],
            "patient_id": column("PatientID"),
            "view": projections(projection),
            "sex": column("PatientSex_DICOM"),
            "age": (year - birth).cast(pl.String),
            **{f"label.{name.replace(' ', '_')}": _mentioned(words, name) for name in FINDINGS},
            **{f"attribute.{name}": _mentioned(words, word) for name, (word, _) in DEVICES.items()},
            "attribute.bedside": (projection == BEDSIDE).cast(pl.Float64),
        },
        schema_overrides={"sample_id": pl.String},
    )


def _seen(films: pl.DataFrame, root: Path) -> dict[str, pl.Series]:
    """Return ``attribute.chest_tube_seen``: 1 and 0 where somebody looked."""
    path = find_file(root, [SEEN])
    if path is None:
        return {}
    table, where = read_text_table(path), str(path)
    images = need_column(table, ["ImageID", "Image Index"], where=where)
    check_ids(images, where=where)
    drains = typed_column(need_column(table, ["Drain"], where=where), "flag", where=where)
    looked = dict(zip((stem(name) for name in images), drains, strict=True))
    values = [looked.get(name) for name in films["sample_id"].to_list()]
    return {"attribute.chest_tube_seen": pl.Series(values, dtype=pl.Float64)}


def _words(cells: pl.Series, path: Path) -> list[frozenset[str] | None]:
    """Return the words of every film; None where they are not known."""
    found: list[frozenset[str] | None] = []
    for row, cell in enumerate(cells.to_list()):
        try:
            listed = ast.literal_eval(cell) if cell and cell != "nan" else [UNKNOWN]
            # list.copy refuses what is no list: a text would be taken apart into its letters.
            words = frozenset(word.strip() for word in list.copy(listed))
        except (ValueError, SyntaxError, TypeError, AttributeError, RecursionError, MemoryError) as error:
            raise InputError(
                f"{path}: row {row + 1}, column 'Labels' holds '{cell[:60]}'; expected a list such as "
                "['pneumonia', 'chest drain tube']; fetch the table again"
            ) from error
        found.append(None if UNKNOWN in words else words)
    return found


def _mentioned(words: list[frozenset[str] | None], word: str) -> pl.Series:
    cells = [None if found is None else float(word in found) for found in words]
    return pl.Series(cells, dtype=pl.Float64)
