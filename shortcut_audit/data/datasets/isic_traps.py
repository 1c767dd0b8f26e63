"""The trap sets of Bissoto et al.: seven artefacts go with malignancy, the other way round in the test.

``root`` holds the images, masks of lesions if any, and the tables, each in any folder. There are no patients.

* 2020, on ISIC 2018: ``isic_annotated_{train,val,test}{1..5}.csv``, artefacts that people saw. Option ``trap`` chooses
  one of the five. Upstream put every validation image into train as well; here it is in val only.
* 2022, on ISIC 2019: ``{train,val,test}_bias_{0..1}_{1..10}.csv``, probabilities of artefacts by a model. Option
  ``bias`` is the share of images drawn by the trap and not by chance (with 0 nothing is reversed), ``trap`` which
  of the ten draws, ``threshold`` the probability above which an artefact is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import DATASETS, chosen_options, threshold_option
from shortcut_audit.data.isic import need_images, with_lesions, without_blank
from shortcut_audit.data.isic_artefacts import INFERRED, THRESHOLD, read_artefacts, read_inferred
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

INFERRED_TABLE = Published(table=INFERRED[0], rows=20_599, source="row numbers of Bissoto et al. 2022")
BIAS = ("0", "0.3", "0.5", "0.7", "0.9", "1")
CARD_2022 = DataCard(
    name="ISIC 2019, trap set",
    source="ISIC 2019 challenge; artefacts as a model sees them and trap sets: Bissoto et al. 2022",
    licence="images CC BY-NC 4.0; no licence stated for the tables",
    citation="Bissoto et al. 2022, Artifact-based domain generalization of skin lesion models, ECCV workshops",
    test_design="reversed",
)


@DATASETS.register("isic_traps")
def isic_traps(root: Path, config: DatasetConfig) -> Manifest:
    """Trap sets of Bissoto et al. (2020, 2022): artefacts go with malignancy, reversed in the test."""
    return _inferred(root, config) if "bias" in config.options else _annotated(root, config)


def _annotated(root: Path, config: DatasetConfig) -> Manifest:
    if "threshold" in config.options:
        raise UsageError(
            "dataset.options.threshold: only the trap sets of 2022 have probabilities to cut; name one with "
            f"dataset.options.bias ({', '.join(BIAS)}), or leave this key out"
        )
    trap = chosen_options(config, {"trap": _numbers(5)}, others=["bias", "threshold"])["trap"]
    paths: dict[str, Path] = {split: _table(root, f"isic_annotated_{split}{trap}.csv") for split in SPLITS}
    tables: dict[str, pl.DataFrame] = {split: read_artefacts(path) for split, path in paths.items()}
    notes = [note for split in SPLITS for note in _published(paths[split], split, int(trap)).notes(tables[split])]
    return _manifest(root, paths, tables, replace(CARD, release=f"trap set {trap}", notes=tuple(notes)))


def _inferred(root: Path, config: DatasetConfig) -> Manifest:
    chosen = chosen_options(config, {"trap": _numbers(10), "bias": BIAS}, others=["threshold"])
    threshold = threshold_option(config, THRESHOLD)
    trap, bias = chosen["trap"], chosen["bias"]
    paths: dict[str, Path] = {split: _table(root, f"{split}_bias_{bias}_{trap}.csv") for split in SPLITS}
    tables: dict[str, pl.DataFrame] = {split: read_inferred(path, threshold) for split, path in paths.items()}
    card = replace(
        CARD_2022, release=f"trap set {trap}, bias {bias}", test_design="natural" if bias == "0" else "reversed",
        notes=(
            f"artefacts are probabilities of a model of Bissoto et al. 2022, cut above {threshold:g}",
            *_compared(pl.concat(tables.values()), root, threshold),
        ),
    )  # fmt: skip
    return _manifest(root, paths, tables, card)


def _compared(rows: pl.DataFrame, root: Path, threshold: float) -> list[str]:
    """Compare with the table that the sets of 2022 were cut from, where it is: nobody published their counts."""
    path = next(iter(sorted(root.rglob(INFERRED_TABLE.table))), None)
    if path is None:
        return [f"rows and labels are compared with nothing: {INFERRED_TABLE.table} of the same release is not here"]
    whole = read_inferred(path, threshold).select("sample_id", whole="label.malignant")
    both = whole.join(rows.select("sample_id", ours="label.malignant"), on="sample_id", how="full", coalesce=True)
    found = {
        f"in {path.name} and in none of the three tables": pl.col("ours").is_null(),
        f"in one of the three tables and not in {path.name}": pl.col("whole").is_null(),
        f"of another label in {path.name}": pl.col("ours") != pl.col("whole"),
    }
    notes = INFERRED_TABLE.notes(whole.select("sample_id"))
    for told, differs in found.items():
        if odd := both.filter(differs)["sample_id"].to_list():
            notes.append(f"images {told}: {len(odd):,}, '{min(odd)}' for one; fetch the tables again")
    return notes if len(notes) > 1 else [*notes, f"images and labels are those of {path.name}"]


def _manifest(root: Path, paths: Mapping[str, Path], tables: Mapping[str, pl.DataFrame], card: DataCard) -> Manifest:
    held_out = set(tables["val"]["sample_id"].to_list())
    rows = pl.concat([table.with_columns(split=pl.lit(split)) for split, table in tables.items()])
    again = (pl.col("split") == "train") & pl.col("sample_id").is_in(held_out)
    dropped = rows.filter(again).height
    frame, missing = with_lesions(rows.filter(~again), [root], root, where="the trap sets")
    need_images(frame, root, dataset="the trap sets")
    _refuse_leak(frame, paths["test"])
    said = [f"{dropped:,} images of val are in train upstream; here they are in val only"] * bool(dropped)
    card = replace(card, notes=(*card.notes, *said, *missing))
    return Manifest.from_frame(
        without_blank(frame, "mask.lesion"), card=card, root=root, where=str(paths["train"].parent)
    )


def _numbers(last: int) -> tuple[str, ...]:
    return tuple(str(number) for number in range(1, last + 1))


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
