"""CheXpert Plus (Chambon et al. 2024), as downloaded: the table of 2024-04-01, PNGs, and CheXbert's labels.

The table has no findings: CheXbert read them from the whole ``report``, its ``impression`` or its ``findings``
(option ``labels``), and left them as JSON lines in ``chexbert_labels``. Paths end in ``.jpg`` where the pictures are
``PNG/PNG/**.png``. ``valid`` is the test split; val is 5 % of the training patients, by a hash of their id. All labels
are read from reports, also those of the test split. Attributes: ``support_devices`` (a proxy), ``race``, ``ethnicity``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data import chexpert_counts as counts
from shortcut_audit.data.chexpert_findings import NO_FINDING_OPTION, differing_studies, with_no_finding, with_proxy
from shortcut_audit.data.datasets import DATASETS, chosen_options
from shortcut_audit.data.datasets.chexpert import rows_of
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.data.places import need_file
from shortcut_audit.data.splits import hold_out
from shortcut_audit.data.tables import need_column, read_text_table
from shortcut_audit.data.validate import check_ids, check_split
from shortcut_audit.data.views import wanted_views
from shortcut_audit.errors import UsageError

TABLE = "df_chexpert_plus_240401.csv"
NAMES = {"path_to_image": "Path", "frontal_lateral": "Frontal/Lateral", "ap_pa": "AP/PA"}
"""Columns that CheXpert calls otherwise."""
FOLDERS, ENDINGS = ("PNG/PNG", "PNG", "PNGs", "."), (".png", ".jpg")
GROUPS = ("race", "ethnicity")
CARD = DataCard(
    name="CheXpert Plus",
    source="Stanford AIMI, CheXpert Plus",
    licence="Stanford University Dataset Research Use Agreement",
    release="240401",
    citation="Chambon et al. 2024, CheXpert Plus: augmenting a large chest X-ray dataset, arXiv:2405.19538",
)


@DATASETS.register("chexpert_plus")
def chexpert_plus(root: Path, config: DatasetConfig) -> Manifest:
    """CheXpert Plus: 14 findings read from reports by CheXbert, race and ethnicity as attributes."""
    chosen = chosen_options(config, {"labels": ("report", "impression", "findings"), **NO_FINDING_OPTION})
    path = need_file(root, [TABLE], dataset="CheXpert Plus")
    table, labelled = _with_labels(read_text_table(path), chosen["labels"], path, root)
    split = need_column(table, ["split"], where=str(path)).replace("valid", "test")
    check_split(split, str(path))
    frame = rows_of(table.rename(NAMES, strict=False), split.to_list(), path, path.parent, every=True)
    frame = frame.with_columns(_pictures(frame["image"], path), *_groups(table))
    notes = [*counts.plus(chosen["labels"]).notes(frame), *differing_studies(frame.filter(labelled), path.name)]
    notes.append(f"labels: CheXbert on the {chosen['labels']}")
    if lacking := int((~labelled).sum()):
        notes.append(f"{lacking:,} images have no labels in {chosen['labels']}_fixed.json and are left out")
    frame, left_out = wanted_views(frame.filter(labelled), config)
    frame, held = hold_out(frame, "chexpert_plus/val")
    frame, healthy = with_no_finding(frame, chosen["no_finding"])
    frame, proxy = with_proxy(frame, config)
    card = replace(CARD, notes=(*notes, *left_out, f"{held}, test is valid", *healthy, *proxy))
    allowed = config.allow_shared_patients
    return Manifest.from_frame(frame, card=card, root=path.parent, where=str(path), allow_shared_patients=allowed)


def _with_labels(table: pl.DataFrame, labels: str, path: Path, root: Path) -> tuple[pl.DataFrame, pl.Series]:
    """Join the labels by path, and return which images have a row: of the others a blank is not "not mentioned"."""
    name = f"{labels}_fixed.json"
    file = need_file(root, [f"chexbert_labels/{name}", name], dataset="CheXpert Plus")
    found = read_text_table(file)
    check_ids(need_column(found, ["path_to_image"], where=str(file)), where=str(file))
    own = need_column(table, ["path_to_image"], where=str(path))
    joined = table.join(found, on="path_to_image", how="left", maintain_order="left")
    return joined, own.is_in(found["path_to_image"].implode())


def _pictures(images: pl.Series, path: Path) -> pl.Series:
    """Return where the pictures are, whose ending is not that of the table."""
    for folder in FOLDERS:
        for ending in ENDINGS:
            made = f"{folder}/" + images.str.replace(r"\.[A-Za-z]+$", ending)
            if any((path.parent / one).is_file() for one in made.head(20).to_list()):
                return made.alias("image")
    raise UsageError(
        f"{path}: no picture of its first rows was found, '{images[0]}' for one, "
        f"with the ending {' or '.join(ENDINGS)} in {', '.join(FOLDERS)} beside it; unpack PNG.zip there"
    )


def _groups(table: pl.DataFrame) -> list[pl.Series]:
    there = [table[name].alias(f"attribute.{name}") for name in GROUPS if name in table.columns]
    return [column.set(column.str.to_lowercase() == "unknown", None) for column in there]
