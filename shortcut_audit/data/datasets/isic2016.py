"""ISIC 2016, as downloaded: malignant or benign (part 3), outlines of lesions (part 1).

``root`` holds ``ISBI2016_ISIC_Part3_{Training,Test}_GroundTruth.csv``, which have no header, the images of any part and
the folders ``ISBI2016_ISIC_Part1_{Training,Test}_GroundTruth``. Artefacts are attributes, as in ISIC 2018.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import DATASETS, chosen_options, threshold_option
from shortcut_audit.data.isic import need_images, with_lesions, without_blank
from shortcut_audit.data.isic_artefacts import THRESHOLD, with_artefacts
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.data.places import find_file, find_folders, need_file
from shortcut_audit.data.published import Published
from shortcut_audit.data.splits import complete
from shortcut_audit.data.tables import need_column, read_text_table
from shortcut_audit.data.validate import check_ids
from shortcut_audit.errors import InputError

PARTS = {"train": "Training", "test": "Test"}
COUNTS = {"train": {"1": 173, "0": 727}, "test": {"1": 75, "0": 304}}
"""Malignant and benign images."""
WORDS = {"malignant": 1.0, "benign": 0.0, "1.0": 1.0, "0.0": 0.0, "1": 1.0, "0": 0.0}
"""The training table has words, the one of the test numbers."""
CARD = DataCard(
    name="ISIC 2016",
    source="ISIC 2016 challenge, parts 1 and 3",
    licence="CC0",
    citation="Gutman et al. 2016, Skin lesion analysis toward melanoma detection, arXiv:1605.01397",
)


@DATASETS.register("isic2016")
def isic2016(root: Path, config: DatasetConfig) -> Manifest:
    """ISIC 2016: malignant or benign, lesions outlined, artefacts of Bissoto et al."""
    chosen_options(config, {}, others=["threshold"])
    threshold = threshold_option(config, THRESHOLD)
    names = {split: f"ISBI2016_ISIC_Part3_{part}_GroundTruth.csv" for split, part in PARTS.items()}
    need_file(root, [names["train"]], dataset="ISIC 2016")
    read = [_rows(path, split, root) for split, name in names.items() if (path := find_file(root, [name]))]
    frame = pl.concat([rows for rows, _ in read])
    need_images(frame, root, dataset="ISIC 2016")
    frame, split_notes = complete(frame, "isic2016/val")
    frame, more = with_artefacts(without_blank(frame, "mask.lesion"), root, threshold=threshold)
    card = replace(CARD, notes=(*(text for _, notes in read for text in notes), *more, *split_notes))
    return Manifest.from_frame(frame, card=card, root=root, where=str(root))


def _rows(path: Path, split: str, root: Path) -> tuple[pl.DataFrame, list[str]]:
    table, where = _table(path), str(path)
    ids = need_column(table, ["image", "image_id", "image_name"], where=where)
    check_ids(ids, where=where)
    told = need_column(table, ["label", "target"], where=where)
    odd = ~told.is_in(list(WORDS)).fill_null(False)
    if odd.any():
        row = odd.arg_max() or 0
        raise InputError(
            f"{where}: row {row + 1}: '{ids[row]}' is '{told[row] or ''}'; expected malignant or benign, or 1 or 0"
        )
    frame = pl.DataFrame(
        {
            "sample_id": ids,
            "split": [split] * len(ids),
            "label.malignant": told.replace_strict(WORDS, return_dtype=pl.Float64),
        }
    )
    counts = COUNTS[split]
    published = Published(
        table=path.name, rows=sum(counts.values()), source="ISIC 2016", values={"label.malignant": counts}
    )
    kept, missing = with_lesions(
        frame, find_folders(root, [f"ISBI2016_ISIC_*_{PARTS[split]}_*"]), root, where=path.name
    )
    return kept, [*published.notes(frame), *missing]


def _table(path: Path) -> pl.DataFrame:
    """Read a table as it is downloaded, or one to which somebody gave a header."""
    table = read_text_table(path)
    bare = table.columns[0].startswith("ISIC_")
    return read_text_table(path, header=("image", "label")) if bare else table
