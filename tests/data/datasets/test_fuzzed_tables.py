"""Tables of every reader, damaged at random: what is read is what stands there, or the table is refused.

The oracle: what was not touched comes back as it was, ids byte for byte, or an error of ours refuses the table.
"""

from __future__ import annotations

import gzip
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trees import chest_trees, dicom_trees, isic_trees
from trees.chexpert_tree import write_chexpert
from trees.pictures import film, save

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.errors import InputError, UsageError

TABLES = {
    "chexpert": (lambda root: write_chexpert(root, films=10, size=8), "CheXpert-v1.0-small/train.csv"),
    "chexlocalize": (chest_trees.write_chexlocalize, "CheXpert/val_labels.csv"),
    "siim_acr": (dicom_trees.write_siim, "train-rle.csv"),
    "candid_ptx": (dicom_trees.write_candid, "Pneumothorax_reports.csv"),
    "nih_cxr14": (chest_trees.write_nih, "Data_Entry_2017_v2020.csv"),
    "mimic_cxr_jpg": (chest_trees.write_mimic, "mimic-cxr-2.0.0-chexpert.csv.gz"),
    "chexpert_plus": (chest_trees.write_chexpert_plus, "chexbert_labels/report_fixed.json"),
    "vindr_cxr": (dicom_trees.write_vindr, "train.csv"),
    "rsna_pneumonia": (dicom_trees.write_rsna, "stage_2_train_labels.csv"),
    "isic2017": (isic_trees.write_isic2017, "ISIC-2017_Training_Part3_GroundTruth.csv"),
    "isic2018": (
        isic_trees.write_isic2018,
        "ISIC2018_Task3_Training_GroundTruth/ISIC2018_Task3_Training_GroundTruth.csv",
    ),
    "isic2016": (isic_trees.write_isic2016, "ISBI2016_ISIC_Part3_Training_GroundTruth.csv"),
    "isic2019": (isic_trees.write_isic2019, "ISIC_2019_Training_GroundTruth.csv"),
    "ham10000": (isic_trees.write_ham10000, "HAM10000_metadata.csv"),
    "isic_traps": (isic_trees.write_traps, "trap-sets/isic_annotated_train1.csv"),
}
IDS = st.sampled_from(["00012", "12", "NA", "nan", "1e5", "-1", "é", "a b", "1.2.840", "None", "x#y", "p|q", "T"])
MANY = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    """One tree of every set, and the bytes of the table that tests damage."""
    made = {}
    for name, (write, table) in TABLES.items():
        root = tmp_path_factory.mktemp(name)
        write(root)
        made[name] = (root, root / table, (root / table).read_bytes())
    return made


def content(name, raw):
    packed = TABLES[name][1].endswith(".gz")
    return gzip.decompress(raw) if packed else raw


def put(path, raw):
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)


def rows(manifest):
    labels = [column for column in manifest.frame.columns if column.startswith("label.")]
    return {row[0]: row[1:] for row in manifest.frame.select("sample_id", *labels).iter_rows()}


def opened(name, root):
    return open_dataset(DatasetConfig(name=name, root=str(root)))


@pytest.mark.parametrize("name", sorted(TABLES))
def test_flipped_bytes_change_their_own_rows_or_are_refused(trees, name):
    root, path, raw = trees[name]
    expected, text = rows(opened(name, root)), content(name, raw)
    refused = 0
    for seed in range(8):
        rng = random.Random(seed)
        flips = rng.randint(1, 3)
        damaged = bytearray(text)
        for _ in range(flips):
            damaged[rng.randrange(len(damaged))] = rng.choice(b'\x00\xff\xc3;,\t"\n|#0159.-\\/')
        put(path, bytes(damaged))
        try:
            manifest = opened(name, root)
        except (InputError, UsageError):
            refused += 1
            continue
        finally:
            path.write_bytes(raw)
        found = rows(manifest)
        other = [key for key in expected if found.get(key) != expected[key]]
        said = any("is not there, but was published" in note for note in manifest.card.notes)
        assert said or len(other) <= 2 * flips, f"seed {seed}: {other[:5]}"
    assert refused > 0, "eight damaged tables and none refused"


@pytest.mark.parametrize("name", sorted(TABLES))
@pytest.mark.parametrize("dialect", ["bom", "crlf", "no last newline"])
def test_dialects_change_nothing(trees, name, dialect):
    root, path, raw = trees[name]
    expected, text = rows(opened(name, root)), content(name, raw).replace(b"\r\n", b"\n")
    made = {"bom": b"\xef\xbb\xbf" + text, "crlf": text.replace(b"\n", b"\r\n"), "no last newline": text.rstrip(b"\n")}
    put(path, made[dialect])
    try:
        assert rows(opened(name, root)) == expected
    finally:
        path.write_bytes(raw)


@MANY
@given(ids=st.lists(IDS, min_size=2, max_size=6, unique=True), ill=st.lists(st.booleans(), min_size=6, max_size=6))
def test_ids_of_siim_come_back_byte_for_byte_or_are_refused(tmp_path, ids, ill):
    for old in tmp_path.glob("films/*"):
        old.unlink()
    for name in ids:
        save(tmp_path / "films" / f"{name}.png", film(0, ill=False, size=8))
    lines = [
        "ImageId, EncodedPixels",
        *(f"{name}, {'5 3' if sick else '-1'}" for name, sick in zip(ids, ill, strict=False)),
    ]
    (tmp_path / "train-rle.csv").write_text("\n".join(lines) + "\n")
    impossible = any(sick and set(name) & set("#|") for name, sick in zip(ids, ill, strict=False))
    if impossible:
        with pytest.raises(InputError, match=r"cannot be written as a cell"):
            opened("siim_acr", tmp_path)
        return
    manifest = opened("siim_acr", tmp_path)
    assert manifest.ids == ids
    assert manifest.labels()[:, 0].tolist() == [float(sick) for sick in ill[: len(ids)]]
