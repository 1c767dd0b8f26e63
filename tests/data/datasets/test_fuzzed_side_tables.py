"""Tables beside the main one, damaged at random: lists of splits, votes, tubes, people, artefacts, lesions.

The oracle is Python's own csv: what a manifest holds is what stands in the damaged table, or an error of ours refuses
the table and says where. A film that the table does not name any more is left out and said, or has what a film without
a row always had.
"""

from __future__ import annotations

import gzip
import random
import re

import pytest
from trees import chest_trees, dicom_trees, isic_trees
from trees.read_back import ENDING, number, rows_of, text_of

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.errors import InputError, UsageError

BYTES = b'\x00\xff\xc3;,\t"\n|#0159.-\\/ aA'
STRUCTURE = b',;"\n|'
WHERE = re.compile(r"row \d|header|column|of its [\d,]+ rows|the film '|image '|no image fits")
ARTEFACTS = ("dark_corner", "hair", "gel_border", "gel_bubble", "ruler", "ink", "patches")


def text(cell):
    return cell or None


def known(cell):
    return None if cell == "unknown" else cell or None


def age(cell):
    """A word among ages is not known."""
    return known(cell) if re.fullmatch(r"\d+(\.\d*)?|\.\d+", cell or "") else None


def above(cell):
    return None if not cell else float(float(cell) > 0.6)


def keyed(key, **columns):
    """Film -> column of the manifest -> what stands in a column of the table, read by a function."""

    def told(content):
        found = {}
        for row in rows_of(content.replace(";", ",") if content.startswith(";") else content):
            cells = {name: cell.strip() for name, cell in row.items()}
            film = ENDING.sub("", cells.get(key, "")).removesuffix("_downsampled")
            found[film] = {ours: read(cells.get(theirs)) for ours, (theirs, read) in columns.items()}
        return found

    return told


def listed(split):
    """One name a line; training patients may be held out for val."""
    splits = {"train": ("train", "val"), "test": ("test",)}[split]
    return lambda content: {ENDING.sub("", line.strip()): {"split": splits} for line in content.splitlines()}


def fastdime(content):
    rows = rows_of(content)
    looked = {ENDING.sub("", row["imgname"]): row["drain"] if row["drainannotated"] else "" for row in rows}
    return {film: {"attribute.chest_tube": number(cell.strip())} for film, cell in looked.items()}


def flags(read, ending=""):
    return {f"attribute.{name}{ending}": (name.replace("_", ""), read) for name in ARTEFACTS}


def split_word(cell):
    return {"validate": "val"}.get(cell, cell)


def other_class(cell):
    return float(cell == "No Lung Opacity / Not Normal")


SIDES = {
    "nih train": ("nih_cxr14", chest_trees.write_nih, "train_val_list.txt", listed("train")),
    "nih test": ("nih_cxr14", chest_trees.write_nih, "test_list.txt", listed("test")),
    "nih tubes": ("nih_cxr14", chest_trees.write_nih, "nih_drain_meta.csv", fastdime),
    "mimic split": (
        "mimic_cxr_jpg", chest_trees.write_mimic, "mimic-cxr-2.0.0-split.csv.gz",
        keyed("dicomid", split=("split", split_word)),
    ),
    "mimic metadata": (
        "mimic_cxr_jpg", chest_trees.write_mimic, "mimic-cxr-2.0.0-metadata.csv.gz",
        keyed("dicomid", patient_id=("subjectid", text), view=("viewposition", text)),
    ),
    "vindr test": (
        "vindr_cxr", dicom_trees.write_vindr_physionet, "annotations/image_labels_test.csv",
        keyed("imageid", **{
            "label.pneumothorax": ("pneumothorax", number), "label.other_disease": ("otherdisease", number),
        }),
    ),
    "rsna classes": (
        "rsna_pneumonia", dicom_trees.write_rsna, "stage_2_detailed_class_info.csv",
        keyed("patientid", **{"label.other_abnormal": ("class", other_class)}),
    ),
    "rsna headers": (
        "rsna_pneumonia", dicom_trees.write_rsna, "kaggle_stage_2_train_images_dicom_headers.csv",
        keyed("patientid", sex=("patientsex", text), age=("patientage", age), view=("viewposition", text)),
    ),
    "isic 2017 artefacts": ("isic2017", isic_trees.write_isic2017, "isic_bias.csv", keyed("image", **flags(number))),
    "isic 2018 lesions": (
        "isic2018", isic_trees.write_isic2018, "ISIC2018_Task3_Training_LesionGroupings.csv",
        keyed("image", patient_id=("lesionid", known)),
    ),
    "isic 2018 probabilities": (
        "isic2018", isic_trees.write_isic2018, "isic_inferred_wocarcinoma.csv",
        keyed("image", **flags(above, "_inferred")),
    ),
    "isic 2019 people": (
        "isic2019", isic_trees.write_isic2019, "ISIC_2019_Training_Metadata.csv",
        keyed("image", age=("ageapprox", age), sex=("sex", known),
              **{"attribute.anatomic_site": ("anatomsitegeneral", known)}),
    ),
    "trap sets": (
        "isic_traps", isic_trees.write_traps, "trap-sets/isic_annotated_test1.csv",
        keyed("image", **{"label.malignant": ("label", number), **flags(number)}),
    ),
}  # fmt: skip


def damaged(raw, rng):
    """Up to three bytes exchanged, lost or added, half of them where the table's structure is."""
    out = bytearray(raw)
    for _ in range(rng.randint(1, 3)):
        places = range(len(out)) if rng.random() < 0.5 else [at for at, byte in enumerate(out) if byte in STRUCTURE]
        at, byte = rng.choice(places), rng.choice(BYTES)
        out[at : at + rng.randint(0, 1)] = bytes([byte]) * rng.randint(0, 1)
    return bytes(out)


def differences(manifest, told):
    """Films of the table of which the manifest says something else."""
    found = []
    for row in manifest.frame.iter_rows(named=True):
        wanted = told.get(row["sample_id"].removesuffix("_downsampled"), {})
        for name, value in wanted.items():
            expected = row["sample_id"] if name == "patient_id" and value is None else value
            same = row.get(name) in expected if isinstance(expected, tuple) else row.get(name) == expected
            found += [] if same else [(row["sample_id"], name, expected, row.get(name))]
    return found


@pytest.mark.parametrize("side", SIDES)
def test_damaged_side_tables_come_back_or_are_refused_saying_where(side, tmp_path):
    name, write, table, told = SIDES[side]
    write(tmp_path)
    path, config = tmp_path / table, DatasetConfig(name=name, root=str(tmp_path))
    packed = path.suffix == ".gz"
    raw = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
    whole = open_dataset(config)
    before = told(text_of(raw))
    assert {film.removesuffix("_downsampled") for film in whole.ids} & set(before)
    assert not differences(whole, before)
    without = {row["sample_id"]: row for row in whole.frame.iter_rows(named=True) if row["sample_id"] not in before}
    refusals, read = [], 0
    for seed in range(80):
        if seed >= 10 and read:
            break
        bad = damaged(raw, random.Random(f"{side} {seed}"))
        path.write_bytes(gzip.compress(bad) if packed else bad)
        try:
            manifest = open_dataset(config)
        except (InputError, UsageError) as error:
            refusals.append(str(error))
            continue
        read += 1
        assert not differences(manifest, told(text_of(bad))), seed
        now = {row["sample_id"]: row for row in manifest.frame.iter_rows(named=True)}
        assert without.items() <= now.items(), seed
        lost = set(whole.ids) - set(now)
        assert not lost or any("left out" in note for note in manifest.card.notes), seed
    assert read, "a table that is always refused shows nothing of how it is read"
    assert not [said for said in refusals if not WHERE.search(said)]
