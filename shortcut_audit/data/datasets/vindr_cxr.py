"""VinDr-CXR (Nguyen et al. 2022): boxes of three readers a film; the tables of Kaggle or of PhysioNet.

Of training films, a finding is 1 where at least two of the three readers say so (option ``readers: any``: one), else 0;
test films of PhysioNet have one agreed reading. Boxes are masks of their finding: of all readers, where it is 1. There
are no patient ids. Kaggle gives no test labels: its films are cut by a hash of their id.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import polars as pl

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import DATASETS, chosen_options
from shortcut_audit.data.drawn import cell_of
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.data.places import find_file, need_file, with_images
from shortcut_audit.data.published import Published, positives
from shortcut_audit.data.splits import CUT_NOTE, cut_by_patient, hold_out
from shortcut_audit.data.tables import first_column, need_column, normalised, read_text_table
from shortcut_audit.data.validate import check_filled, check_ids, filled_whole, typed_column
from shortcut_audit.errors import InputError

IMAGE_LABELS = {"train": "image_labels_train.csv", "test": "image_labels_test.csv"}
FOLDER = "annotations/"
CORNERS = ("x_min", "y_min", "x_max", "y_max")
SAME = {"otherdiseases": "otherdisease"}
ROWS = {"train": 15_000, "test": 3_000}
NEEDED = {"majority": 2, "any": 1}
_FINDINGS = (
    "aortic_enlargement", "atelectasis", "calcification", "cardiomegaly", "consolidation", "ild", "infiltration",
    "lung_opacity", "no_finding", "nodule_mass", "other_lesion", "pleural_effusion", "pleural_thickening",
    "pneumothorax", "pulmonary_fibrosis",
)  # fmt: skip
_SAID_BY = {
    2: (2346, 62, 177, 1817, 121, 152, 245, 547, 10606, 405, 362, 634, 882, 58, 1017),
    1: (3067, 186, 452, 2300, 353, 386, 613, 1322, 10606, 826, 1134, 1032, 1981, 96, 1617),
}
"""Images of Kaggle's train.csv where at least so many readers say that there is the finding."""
MERGED = "other_lesion"
"""What Kaggle made of several findings of PhysioNet; the others are of the same films and readers."""
CARD = DataCard(
    name="VinDr-CXR",
    source="VinBigData, VinDr-CXR",
    licence="PhysioNet Credentialed Health Data License 1.5.0, or competition rules of Kaggle",
    citation="Nguyen et al. 2022, VinDr-CXR: an open dataset of chest X-rays with radiologist's annotations, Sci Data",
)


@DATASETS.register("vindr_cxr")
def vindr_cxr(root: Path, config: DatasetConfig) -> Manifest:
    """VinDr-CXR: findings of three readers with boxes, from Kaggle or PhysioNet."""
    needed = NEEDED[chosen_options(config, {"readers": tuple(NEEDED)})["readers"]]
    if find_file(root, [FOLDER + IMAGE_LABELS["train"], IMAGE_LABELS["train"]]):
        frame, notes, where = _physionet(root, needed)
    else:
        frame, notes, where = _kaggle(root, needed)
    notes.append(f"a finding is 1 where at least {needed} of 3 readers say so")
    frame, missing = with_images(frame, [root], root, where=where)
    card = replace(CARD, release=Path(where).name, notes=(*notes, *missing, *_resized(frame)))
    allowed = config.allow_shared_patients
    return Manifest.from_frame(frame, card=card, root=root, where=where, allow_shared_patients=allowed)


def _resized(frame: pl.DataFrame) -> list[str]:
    """Say that boxes need the films' own size, which nobody can tell of a picture made of them."""
    pictures = sum(not name.lower().endswith((".dicom", ".dcm")) for name in frame["image"])
    if not pictures or not any(name.startswith("mask.") for name in frame.columns):
        return []
    note = (
        f"boxes are in pixels of the DICOM films; images that are no DICOM: {pictures:,} of {frame.height:,}; if they "
        "were made smaller or larger, their boxes lie elsewhere"
    )
    return [note]


def finding_key(name: str) -> str:
    """Return the name that a finding has in a manifest; ``Other diseases`` and ``Other disease`` are one."""
    key = SAME.get(normalised(name))
    return "other_disease" if key else "".join(c if c.isalnum() else "_" for c in name.strip().lower())


def _kaggle(root: Path, needed: int) -> tuple[pl.DataFrame, list[str], str]:
    path = need_file(root, ["train.csv"], dataset="VinDr-CXR")
    boxes = _boxes(path, _FINDINGS, readers=needed > 1)
    findings = boxes["finding"].unique(maintain_order=True).sort().to_list()
    agreed = boxes
    if needed > 1:
        readers = boxes.group_by("sample_id", "finding").agg(pl.col("rad_id").n_unique())
        agreed = readers.filter(pl.col("rad_id") >= needed)
    films = boxes.select(pl.col("sample_id").unique(maintain_order=True))
    frame = films.with_columns(
        films["sample_id"]
        .is_in(agreed.filter(finding=name)["sample_id"].to_list())
        .cast(pl.Float64)
        .alias(f"label.{name}")
        for name in findings
    )
    said = positives(dict(zip(_FINDINGS, _SAID_BY[needed], strict=True)))
    published = Published(table="train.csv", rows=ROWS["train"], source="Kaggle, in images", values=said)
    frame = frame.with_columns(cut_by_patient(frame["sample_id"]), **_masks(frame, boxes, path, root))
    return frame, [*published.notes(frame), CUT_NOTE], str(path)


def _physionet(root: Path, needed: int) -> tuple[pl.DataFrame, list[str], str]:
    tables, notes, where, known = [], [], "", list[str]()
    for split, name in IMAGE_LABELS.items():
        path = find_file(root, [FOLDER + name, name])
        if path is None:
            notes.append(f"there is no {name} here, so no {split} split")
            continue
        rows = _votes(path, needed if split == "train" else 1).with_columns(split=pl.lit(split))
        notes += _published(name, split, needed).notes(rows)
        findings = [name.removeprefix("label.") for name in rows.columns if name.startswith("label.")]
        known = known or findings
        if odd := sorted({*known} ^ {*findings}):
            raise InputError(f"{path}: its header differs from that of {where} in {', '.join(odd)}; fetch both again")
        drawn = find_file(path.parent, [name.replace("image_labels", "annotations")])
        if drawn is not None:
            rows = rows.with_columns(**_masks(rows, _boxes(drawn, known), drawn, root))
        tables.append(rows)
        where = where or str(path)
    frame, note = hold_out(pl.concat(tables, how="diagonal").with_columns(patient_id="sample_id"), "vindr_cxr/val")
    return frame.drop("patient_id"), [*notes, note], where


def _published(table: str, split: str, needed: int) -> Published:
    """Return what is known of a table of PhysioNet: of the training films, what Kaggle's table says of the same."""
    counts = dict(zip(_FINDINGS, _SAID_BY[needed], strict=True)) if split == "train" else {}
    counts.pop(MERGED, None)
    return Published(
        table=table, rows=ROWS[split], source="PhysioNet, in images", values=positives(counts),
        counted_by="Kaggle's table of the same films has them",
    )  # fmt: skip


def _votes(path: Path, needed: int) -> pl.DataFrame:
    """Return one row a film: 1 where at least ``needed`` readers say 1."""
    table, where = read_text_table(path), str(path)
    images = need_column(table, ["image_id"], where=where)
    reader = first_column(table, ["rad_id"])
    check_ids(images if reader is None else (images + " " + table[reader]).alias("reading"), where=where)
    names = [name for name in table.columns if normalised(name) not in ("imageid", "radid")]
    for name in names:
        check_filled(table[name], where=where)
    labels = {f"label.{finding_key(n)}": typed_column(table[n], "flag", where=where) for n in names}
    votes = pl.DataFrame({"sample_id": images, **labels}).group_by("sample_id", maintain_order=True).agg(pl.all().sum())
    return votes.with_columns((pl.col(name) >= needed).cast(pl.Float64) for name in labels)


def _boxes(path: Path, known: Collection[str], *, readers: bool = False) -> pl.DataFrame:
    """Return the rows of a table of boxes; with ``readers`` it must say whose each is."""
    table, where = read_text_table(path), str(path)
    images, names = (need_column(table, [name], where=where) for name in ("image_id", "class_name"))
    check_filled(images, where=where)
    check_filled(names, where=where)
    named = {"rad_id": need_column(table, ["rad_id"], where=where)} if readers else {}
    for reader in named.values():
        check_filled(reader, where=where)
    boxed = filled_whole([need_column(table, [name], where=where) for name in CORNERS], where=where)
    keys = pl.Series([finding_key(name) for name in names], dtype=pl.String)
    strange = ~keys.is_in(list(known))
    if strange.any():
        row = strange.arg_max() or 0
        raise InputError(f"{path}: row {row + 1}: no finding is called '{names[row]}'; there are: {', '.join(known)}")
    return pl.DataFrame({"sample_id": images, "finding": keys, "name": names, "boxed": boxed, **named})


def _masks(frame: pl.DataFrame, boxes: pl.DataFrame, path: Path, root: Path) -> dict[str, pl.Series]:
    """Return ``mask.<finding>`` where the finding is 1 and somebody drew a box; blank elsewhere."""
    file = path.relative_to(root).as_posix()
    drawn = boxes.filter(pl.col("boxed")).unique(["sample_id", "finding"], maintain_order=True)
    columns = {}
    for (finding,), rows in drawn.group_by(["finding"], maintain_order=True):
        names = dict(rows.select("sample_id", "name").iter_rows())
        columns[f"mask.{finding}"] = pl.Series(
            [
                cell_of(file, key=film, kind=names[film], codec="boxes") if label == 1 and film in names else None
                for film, label in frame.select("sample_id", f"label.{finding}").iter_rows()
            ],
            dtype=pl.String,
        )
    return columns
