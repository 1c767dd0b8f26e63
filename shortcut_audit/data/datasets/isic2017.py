"""ISIC 2017, as downloaded: melanoma and seborrheic keratosis (part 3), outlines of lesions (part 1).

``root`` holds ``ISIC-2017_{Training,Validation,Test_v2}_Data``, the folders ``..._Part1_GroundTruth`` and the tables
``..._Part3_GroundTruth.csv``. Artefact labels of Bissoto et al. (``isic_bias.csv`` under ``root``) become attributes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import DATASETS, refuse_options
from shortcut_audit.data.isic import need_images, with_lesions
from shortcut_audit.data.isic_artefacts import artefacts
from shortcut_audit.data.isic_tables import facts
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.data.places import find_file, find_folders
from shortcut_audit.data.published import Published
from shortcut_audit.data.tables import need_column, read_text_table
from shortcut_audit.data.validate import check_filled, check_ids, typed_column
from shortcut_audit.errors import UsageError

PARTS = {"train": "Training", "val": "Validation", "test": "Test_v2"}
COUNTS = {"train": (2_000, 374, 254), "val": (150, 30, 42), "test": (600, 117, 90)}
"""Images, melanomas and seborrheic keratoses."""
FINDINGS = ("melanoma", "seborrheic_keratosis")
CARD = DataCard(
    name="ISIC 2017",
    source="ISIC 2017 challenge",
    licence="CC0",
    citation="Codella et al. 2018, Skin lesion analysis toward melanoma detection, ISBI 2017 challenge",
)


@DATASETS.register("isic2017")
def isic2017(root: Path, config: DatasetConfig) -> Manifest:
    """ISIC 2017: melanoma and seborrheic keratosis, lesions outlined, artefacts of Bissoto et al."""
    refuse_options(config)
    tables = {split: find_file(root, [f"ISIC-2017_{part}_Part3_GroundTruth.csv"]) for split, part in PARTS.items()}
    paths = {split: path for split, path in tables.items() if path}
    if not paths:
        raise UsageError(
            f"{root}: no ISIC-2017_Training_Part3_GroundTruth.csv of ISIC 2017, neither here nor one folder deeper; "
            "name the folder that was downloaded with --root"
        )
    read = [_rows(path, split, root) for split, path in paths.items()]
    frame = pl.concat([rows for rows, _ in read], how="diagonal")
    need_images(frame, root, dataset="ISIC 2017")
    found, note = artefacts(frame["sample_id"].to_list(), root)
    card = replace(CARD, notes=(*(text for _, notes in read for text in notes), *note))
    allowed = config.allow_shared_patients
    return Manifest.from_frame(
        frame.with_columns(**found), card=card, root=root, where=str(root), allow_shared_patients=allowed
    )


def _rows(path: Path, split: str, root: Path) -> tuple[pl.DataFrame, list[str]]:
    table, where = read_text_table(path), str(path)
    ids = need_column(table, ["image_id"], where=where)
    check_ids(ids, where=where)
    told = {name: need_column(table, [name], where=where) for name in FINDINGS}
    for column in told.values():
        check_filled(column, where=where)
    labels = {name: typed_column(column, "label", where=where) for name, column in told.items()}
    frame = pl.DataFrame(
        {
            "sample_id": ids,
            "split": pl.Series([split] * len(ids), dtype=pl.String),
            **{f"label.{name}": column for name, column in labels.items()},
            **_people(ids, root, PARTS[split]),
        }
    )
    rows, *counts = COUNTS[split]
    said = {f"label.{name}": {"1": count, "0": rows - count} for name, count in zip(FINDINGS, counts, strict=True)}
    published = Published(table=path.name, rows=rows, source="ISIC 2017", values=said)
    kept, missing = with_lesions(frame, find_folders(root, [f"ISIC-2017_{PARTS[split]}_*"]), root, where=path.name)
    return kept, [*published.notes(frame), *missing]


def _people(ids: pl.Series, root: Path, part: str) -> dict[str, pl.Series]:
    name = f"ISIC-2017_{part}_Data_metadata.csv"
    path = find_file(root, [name, f"ISIC-2017_{part}_Data/{name}"])
    return facts(ids, path, {"age": "age_approximate", "sex": "sex"}, key="image_id") if path else {}
