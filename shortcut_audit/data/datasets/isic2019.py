"""ISIC 2019, as downloaded: eight diagnoses; photographs of one lesion count as one patient.

``root`` holds ``ISIC_2019_{Training,Test}_Input``, the tables ``..._GroundTruth.csv`` and ``..._Metadata.csv``. Images
that the challenge made smaller are called ``ISIC_0012840_downsampled``; the tables of others know them without this
ending. An image that is none of the eight (``UNK``) is 0 for each. Artefacts are attributes, as in ISIC 2018.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import DATASETS, chosen_options, threshold_option
from shortcut_audit.data.isic import need_images, with_lesions, without_blank
from shortcut_audit.data.isic_artefacts import THRESHOLD, with_artefacts
from shortcut_audit.data.isic_tables import LESION_NOTE, diagnosed, facts, read_diagnoses
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.data.places import find_file, find_folders, need_file
from shortcut_audit.data.published import Published
from shortcut_audit.data.splits import complete

CODES = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC")
PARTS = {"train": "Training", "test": "Test"}
COUNTS = {
    "train": (25_331, (4_522, 12_875, 3_323, 867, 2_624, 239, 253, 628)),
    "test": (8_238, (1_327, 2_495, 975, 374, 660, 91, 104, 165)),
}
"""Images, and those of each diagnosis."""
FACTS = {"age": "age_approx", "sex": "sex", "attribute.anatomic_site": "anatom_site_general"}
CARD = DataCard(
    name="ISIC 2019",
    source="ISIC 2019 challenge: HAM10000, BCN20000 and MSK",
    licence="CC BY-NC 4.0",
    citation="Tschandl et al. 2018, Scientific Data 5:180161; Codella et al. 2018, ISBI; Combalia et al. 2019, "
    "BCN20000, arXiv:1908.02288",
)


@DATASETS.register("isic2019")
def isic2019(root: Path, config: DatasetConfig) -> Manifest:
    """ISIC 2019: eight diagnoses, site on the body, artefacts as a model of Bissoto et al. sees them."""
    chosen_options(config, {}, others=["threshold"])
    threshold = threshold_option(config, THRESHOLD)
    need_file(root, _places("Training_GroundTruth"), dataset="ISIC 2019")
    tables = {split: find_file(root, _places(f"{part}_GroundTruth")) for split, part in PARTS.items()}
    read = [_rows(path, split, root) for split, path in tables.items() if path]
    frame = pl.concat([rows for rows, _ in read], how="diagonal")
    need_images(frame, root, dataset="ISIC 2019")
    frame, split_notes = complete(frame, "isic2019/val")
    for name in ("mask.lesion", "patient_id"):
        frame = without_blank(frame, name)
    frame, more = with_artefacts(frame, root, threshold=threshold)
    card = replace(CARD, notes=(*(text for _, notes in read for text in notes), *more, *split_notes))
    allowed = config.allow_shared_patients
    return Manifest.from_frame(frame, card=card, root=root, where=str(root), allow_shared_patients=allowed)


def _places(name: str) -> list[str]:
    return [f"ISIC_2019_{name}.csv", f"ISIC_2019_{name}/ISIC_2019_{name}.csv"]


def _rows(path: Path, split: str, root: Path) -> tuple[pl.DataFrame, list[str]]:
    frame = read_diagnoses(path, CODES)
    metadata = find_file(root, _places(f"{PARTS[split]}_Metadata"))
    wanted = {**FACTS, **({"patient_id": "lesion_id"} if split == "train" else {})}
    known = facts(frame["sample_id"], metadata, wanted, key="image") if metadata else {}
    nobody = pl.Series("patient_id", [None] * frame.height, dtype=pl.String)
    frame = frame.with_columns(pl.lit(split).alias("split"), **{"patient_id": nobody, **known})
    rows, counts = COUNTS[split]
    published = Published(table=path.name, rows=rows, source="ISIC 2019", values=diagnosed(CODES, counts))
    none = frame.filter(pl.sum_horizontal(pl.col("^label\\..*$")) == 0).height
    notes = [f"{path.name}: {none:,} images have none of the {len(CODES)} diagnoses (UNK)"] if none else []
    notes += [LESION_NOTE] if metadata and split == "train" else []
    inputs = find_folders(root, [f"ISIC_2019_{PARTS[split]}_Input*"]) or [root]
    kept, missing = with_lesions(frame, inputs, root, where=path.name)
    return kept, [*published.notes(frame), *notes, *missing]
