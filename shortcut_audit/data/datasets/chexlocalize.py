"""CheXlocalize (Saporta et al. 2022): drawn masks of ten findings on the validation and test films of CheXpert.

``root`` holds ``CheXpert/val_labels.csv`` and ``test_labels.csv`` with their films, and
``CheXlocalize/gt_segmentations_{val,test}.json``, or the outlines that they were made of (``gt_annotations_...``).
Where it also holds ``train.csv`` of CheXpert (there or in a folder such as ``CheXpert-v1.0-small``), its films are the
training split. The masks of *Support Devices* are footprints: the only real ones among the large chest sets.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data import chexpert_counts as counts
from shortcut_audit.data.chexpert_findings import differing_studies, finding_key, with_proxy
from shortcut_audit.data.datasets import DATASETS, refuse_options
from shortcut_audit.data.datasets.chexpert import TRAIN, read_rows
from shortcut_audit.data.drawn import EMPTY, cell_of
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.data.places import find_file, need_file
from shortcut_audit.data.views import wanted_views
from shortcut_audit.errors import InputError

TASKS = {
    "Enlarged Cardiomediastinum": "mask.enlarged_cardiomediastinum",
    "Cardiomegaly": "mask.cardiomegaly",
    "Lung Lesion": "mask.lung_lesion",
    "Airspace Opacity": "mask.lung_opacity",
    "Edema": "mask.edema",
    "Consolidation": "mask.consolidation",
    "Atelectasis": "mask.atelectasis",
    "Pneumothorax": "mask.pneumothorax",
    "Pleural Effusion": "mask.pleural_effusion",
    "Support Devices": "footprint.support_devices",
}
"""What the drawers call a finding, and the column of a manifest; they call Lung Opacity so."""
FILES = {"gt_segmentations": "coco", "gt_annotations": "polygons"}
"""Files of drawings, the better first, and how they are written there."""
PUBLISHED = {
    "val": replace(counts.VALID, table="val_labels.csv"),
    "test": replace(counts.TEST, table="test_labels.csv"),
}
CARD = DataCard(
    name="CheXlocalize",
    source="Stanford AIMI, CheXlocalize, on the validation and test films of CheXpert",
    licence="Stanford University Dataset Research Use Agreement",
    citation="Saporta et al. 2022, Benchmarking saliency methods for chest X-ray interpretation, Nat Mach Intell",
)


@DATASETS.register("chexlocalize")
def chexlocalize(root: Path, config: DatasetConfig) -> Manifest:
    """CheXlocalize: CheXpert's validation and test films with drawn masks, and real footprints of devices."""
    refuse_options(config)
    tables, notes = [], []
    for split, published in PUBLISHED.items():
        path = need_file(root, [published.table], dataset="CheXlocalize")
        rows = read_rows(path, split, root, every=True)
        notes += [*published.notes(rows), *differing_studies(rows, path.name)]
        tables.append(rows.with_columns(**_masks(root, split, rows)))
    if train := find_file(root, TRAIN):
        tables.append(read_rows(train, "train", root, every=True))
        notes += differing_studies(tables[-1], train.name)
    else:
        notes.append("there is no train.csv of CheXpert here, so no training split")
    frame, left_out = wanted_views(pl.concat(tables, how="diagonal"), config)
    frame, proxy = with_proxy(frame, config)
    card = replace(CARD, notes=(*notes, *left_out, *proxy))
    allowed = config.allow_shared_patients
    return Manifest.from_frame(frame, card=card, root=root, where=str(root), allow_shared_patients=allowed)


def _masks(root: Path, split: str, rows: pl.DataFrame) -> dict[str, pl.Series]:
    """Return one column a task. Only films with a finding are in the file; of others, what is labelled 0 is empty."""
    path = need_file(root, [f"{name}_{split}.json" for name in FILES], dataset="CheXlocalize")
    drawn, codec = _tasks(path), FILES[path.name.removesuffix(f"_{split}.json")]
    file = path.relative_to(root).as_posix()
    columns = {}
    for task, column in TASKS.items():
        label = rows[f"label.{finding_key('Lung Opacity' if task == 'Airspace Opacity' else task)}"]
        columns[column] = pl.Series(
            [
                cell_of(file, key=name, kind=task, codec=codec)
                if task in drawn.get(name, ())
                else (EMPTY if value == 0 else None)
                for name, value in zip(rows["sample_id"], label, strict=True)
            ],
            dtype=pl.String,
        )
    return columns


def _tasks(path: Path) -> dict[str, set[str]]:
    """Return which tasks were drawn on which film."""
    try:
        entries = json.loads(path.read_text())
        return {name: set(tasks) for name, tasks in entries.items()}
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path}: not a file of CheXlocalize ({error}); expected film -> task -> mask") from error
