"""The trap sets of Bissoto et al. (2020) on ISIC 2018: seven artefacts go with malignancy, the other way round in test.

``root`` holds the images, masks of lesions if any, and the tables ``isic_annotated_{train,val,test}{1..5}.csv``, each
in any folder. Option ``trap`` chooses one of the five. Upstream put every validation image into train as well; here it
is in val only. There are no patients.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import DATASETS, chosen_options
from shortcut_audit.data.isic import need_images, with_lesions
from shortcut_audit.data.isic_artefacts import read_artefacts
from shortcut_audit.data.manifest import SPLITS, DataCard, Manifest
from shortcut_audit.data.published import Published
from shortcut_audit.errors import InputError, UsageError

MALIGNANT = {"train": (365,) * 5, "val": (67, 51, 66, 50, 59), "test": (154,) * 5}
"""Malignant images of each of the five sets, as released."""
ROWS = {"train": 1_822, "val": 259, "test": 772}
CARD = DataCard(
    name="ISIC 2018, trap set",
    source="ISIC 2018 challenge, task 1; artefact labels and trap sets: Bissoto et al. 2020",
    licence="images CC0 or CC BY-NC by the contributor; no licence stated for the tables",
    citation="Bissoto et al. 2020, Debiasing skin lesion datasets and models? Not so fast, CVPR workshops",
    test_design="reversed",
)


@DATASETS.register("isic_traps")
def isic_traps(root: Path, config: DatasetConfig) -> Manifest:
    """Trap sets 1 to 5 of Bissoto et al.: artefacts go with malignancy, reversed in the test."""
    trap = chosen_options(config, {"trap": ("1", "2", "3", "4", "5")})["trap"]
    paths: dict[str, Path] = {split: _table(root, f"isic_annotated_{split}{trap}.csv") for split in SPLITS}
    tables: dict[str, pl.DataFrame] = {
        split: read_artefacts(path).with_columns(split=pl.lit(split)) for split, path in paths.items()
    }
    notes = [note for split in SPLITS for note in _published(paths[split], split, int(trap)).notes(tables[split])]
    held_out = set(tables["val"]["sample_id"].to_list())
    again = tables["train"].filter(pl.col("sample_id").is_in(held_out)).height
    tables["train"] = tables["train"].filter(~pl.col("sample_id").is_in(held_out))
    frame, missing = with_lesions(pl.concat(tables.values()), [root], root, where="the trap sets")
    need_images(frame, root, dataset="the trap sets")
    _refuse_leak(frame, paths["test"])
    notes.append(f"{again:,} images of val are in train upstream; here they are in val only")
    card = replace(CARD, release=f"trap set {trap}", notes=(*notes, *missing))
    return Manifest.from_frame(frame, card=card, root=root, where=str(paths["train"].parent))


def _table(root: Path, name: str) -> Path:
    found = sorted(root.rglob(name))
    if not found:
        raise UsageError(f"{root}: no {name} of the trap sets in any folder here; name the folder with --root")
    return found[0]


def _published(path: Path, split: str, trap: int) -> Published:
    rows, malignant = ROWS[split], MALIGNANT[split][trap - 1]
    counts = {"label.malignant": {"1": malignant, "0": rows - malignant}}
    return Published(table=path.name, rows=rows, source="Bissoto et al. 2020", values=counts)


def _refuse_leak(frame: pl.DataFrame, path: Path) -> None:
    again = frame["sample_id"].is_duplicated()
    if again.any():
        raise InputError(
            f"{path}: '{frame['sample_id'][again.arg_max() or 0]}' is in two splits; fetch the tables again"
        )
