"""ISIC 2018, as downloaded: option ``task`` takes the diagnoses (task 3) or the lesions and structures (tasks 1 and 2).

Task 3 has one of seven diagnoses an image. Its training images are HAM10000: those of one lesion count as one patient
(``ISIC2018_Task3_Training_LesionGroupings.csv``), and masks of ``HAM10000_segmentations_lesion_tschandl`` are taken if
they are here. Tasks 1 and 2 have other images, and no diagnosis: the label ``malignant`` of their training images
comes from ``isic_bias.csv`` of Bissoto et al., so that it is there with ``split=cut`` alone, which cuts the training
images into train, val and test. Five structures are drawn in each image (``footprint.streaks``, ...); whether there is
one is ``dataset.attributes={streaks: footprint.streaks}``.

Artefacts are attributes: ``ruler`` as people saw it, ``ruler_inferred`` as a model sees it, cut at ``threshold``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import DATASETS, chosen_options, threshold_option
from shortcut_audit.data.isic import index_lesions, index_structures, need_images, with_lesions, without_blank
from shortcut_audit.data.isic_artefacts import THRESHOLD, malignant, with_artefacts
from shortcut_audit.data.isic_tables import (
    HAM_CODES,
    HAM_COUNTS,
    HAM_LESIONS,
    HAM_MASKS,
    HAM_ROWS,
    LESION_NOTE,
    diagnosed,
    facts,
    read_diagnoses,
)
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.data.places import find_file, find_folders
from shortcut_audit.data.published import Published
from shortcut_audit.data.splits import complete
from shortcut_audit.errors import UsageError

PARTS = {"train": "Training", "val": "Validation", "test": "Test"}
DIAGNOSED = {
    "train": (HAM_ROWS, HAM_COUNTS, HAM_LESIONS),
    "val": (193, (21, 123, 15, 8, 22, 1, 3), None),
    "test": (1_512, (171, 909, 93, 43, 217, 44, 35), None),
}
"""Images of task 3, of each diagnosis, and lesions."""
DRAWN = {"train": 2_594, "val": 100, "test": 1_000}
"""Images of tasks 1 and 2."""
GROUPS = "ISIC2018_Task3_Training_LesionGroupings.csv"
STRUCTURES = ("pigment_network", "negative_network", "streaks", "milia_like_cyst", "globules")
CITATION = "Codella et al. 2019, Skin lesion analysis toward melanoma detection 2018, arXiv:1902.03368"
DIAGNOSES_CARD = DataCard(
    name="ISIC 2018, task 3",
    source="ISIC 2018 challenge, task 3; training images: HAM10000",
    licence="CC BY-NC 4.0",
    release="task 3",
    citation=f"{CITATION}; Tschandl et al. 2018, The HAM10000 dataset, Scientific Data 5:180161",
)
LESIONS_CARD = DataCard(
    name="ISIC 2018, tasks 1 and 2",
    source="ISIC 2018 challenge, tasks 1 and 2; malignancy and artefacts: Bissoto et al. 2020",
    licence="images and masks CC0; no licence stated for the tables of Bissoto et al.",
    release="tasks 1 and 2",
    citation=CITATION,
)


@DATASETS.register("isic2018")
def isic2018(root: Path, config: DatasetConfig) -> Manifest:
    """ISIC 2018: seven diagnoses (task 3), or lesions and five structures drawn (tasks 1 and 2)."""
    options = chosen_options(config, {"task": ("3", "1"), "split": ("official", "cut")}, others=["threshold"])
    threshold = threshold_option(config, THRESHOLD)
    frame, notes = _diagnoses(root) if options["task"] == "3" else _lesions(root)
    if options["split"] == "cut":
        frame = frame.filter(pl.col("split") == "train")
        notes.append(f"the {frame.height:,} training images alone are taken (dataset.options.split=cut)")
    if options["task"] == "1":
        frame, label_notes = _with_malignancy(frame, root)
        notes += label_notes
    frame, split_notes = complete(frame, "isic2018/val")
    frame, more = with_artefacts(without_blank(frame, "patient_id"), root, threshold=threshold)
    card = DIAGNOSES_CARD if options["task"] == "3" else LESIONS_CARD
    card = replace(card, notes=(*notes, *more, *split_notes))
    allowed = config.allow_shared_patients
    return Manifest.from_frame(frame, card=card, root=root, where=str(root), allow_shared_patients=allowed)


def _diagnoses(root: Path) -> tuple[pl.DataFrame, list[str]]:
    """Return the images of task 3: all parts that are here."""
    names = {split: f"ISIC2018_Task3_{part}_GroundTruth" for split, part in PARTS.items()}
    found = {split: find_file(root, [f"{name}.csv", f"{name}/{name}.csv"]) for split, name in names.items()}
    if found["train"] is None:
        raise UsageError(
            f"{root}: no {names['train']}.csv of ISIC 2018, neither here nor one folder deeper; name the folder that "
            "was downloaded with --root, or choose lesions and structures with --set dataset.options.task=1"
        )
    read = [_diagnosed(path, split, root) for split, path in found.items() if path]
    frame = pl.concat([rows for rows, _ in read])
    need_images(frame, root, dataset="ISIC 2018, task 3")
    return without_blank(frame, "mask.lesion"), [note for _, notes in read for note in notes]


def _diagnosed(path: Path, split: str, root: Path) -> tuple[pl.DataFrame, list[str]]:
    frame = read_diagnoses(path, HAM_CODES)
    groups = find_file(root, [GROUPS, f"ISIC2018_Task3_Training_GroundTruth/{GROUPS}"]) if split == "train" else None
    lesions = (
        facts(frame["sample_id"], groups, {"lesion_id": "lesion_id"}, key="image")["lesion_id"] if groups else None
    )
    frame = frame.with_columns(
        pl.lit(None, dtype=pl.String).alias("patient_id") if lesions is None else lesions.alias("patient_id"),
        pl.lit(split).alias("split"),
    )
    rows, counts, known = DIAGNOSED[split]
    published = Published(
        table=path.name,
        rows=rows,
        source="ISIC 2018, task 3",
        values=diagnosed(HAM_CODES, counts),
        patients=known if groups else None,
    )
    inputs = find_folders(root, [f"ISIC2018_Task3_{PARTS[split]}_Input*"]) or [root]
    kept, missing = with_lesions(frame, [*inputs, *find_folders(root, [HAM_MASKS])], root, where=path.name)
    said = [LESION_NOTE] if groups else []
    return kept, [*published.notes(frame), *said, *missing]


def _lesions(root: Path) -> tuple[pl.DataFrame, list[str]]:
    """Return the images of tasks 1 and 2: there is no table of them, a folder is."""
    read = [_drawn(split, root) for split in PARTS]
    frame = pl.concat([rows for rows, _ in read], how="diagonal")
    if not frame.height:
        raise UsageError(
            f"{root}: no image in ISIC2018_Task1-2_Training_Input of ISIC 2018, neither here nor one folder deeper; "
            "name the folder that was downloaded with --root, or choose diagnoses with --set dataset.options.task=3"
        )
    return without_blank(frame, "mask.lesion"), [note for _, notes in read for note in notes]


def _with_malignancy(frame: pl.DataFrame, root: Path) -> tuple[pl.DataFrame, list[str]]:
    """Return the images with ``label.malignant`` if it is known of all: a blank label would be read as a negative."""
    known = malignant(frame["sample_id"].to_list(), root)
    blank = sum(column.null_count() for column in known.values())
    if not blank:
        return frame.with_columns(**known), []
    note = (
        f"malignancy of {blank:,} of {frame.height:,} images is not known, so it is no finding here; training images "
        "alone, of which it is, are --set dataset.options.split=cut"
    )
    return frame, [note]


def _drawn(split: str, root: Path) -> tuple[pl.DataFrame, list[str]]:
    part = PARTS[split]
    images = index_lesions(find_folders(root, [f"ISIC2018_Task1-2_{part}_Input*"]), root).images
    masks = index_lesions(find_folders(root, [f"ISIC2018_Task1_{part}_GroundTruth*"]), root).masks
    structures = index_structures(find_folders(root, [f"ISIC2018_Task2_{part}_GroundTruth*"]), root)
    ids = list(images)
    cells = {"mask.lesion": masks, **{f"footprint.{name}": structures.get(name) for name in STRUCTURES}}
    frame = pl.DataFrame(
        {
            "sample_id": ids,
            "image": list(images.values()),
            "patient_id": [None] * len(ids),
            "split": [split] * len(ids),
            **{name: [places.get(one) for one in ids] for name, places in cells.items() if places},
        },
        schema_overrides={"sample_id": pl.String, "image": pl.String, "patient_id": pl.String, "split": pl.String},
    )
    if not ids:
        return frame, []
    published = Published(table=f"ISIC2018_Task1-2_{part}_Input", rows=DRAWN[split], source="ISIC 2018, in images")
    undrawn = [
        f"{name} is not drawn in {column.null_count():,} of {frame.height:,} images of {split}"
        for name in cells
        if name in frame.columns and (column := frame[name]).null_count()
    ]
    return frame, [*published.notes(frame), *undrawn]
