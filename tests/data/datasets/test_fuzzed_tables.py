"""Tables of every reader, damaged at random: what is read is what stands there, or the table is refused.

The oracle: Python's own csv, read without any of ours. Ids and labels come back as it reads the damaged bytes, or an
error of ours refuses the table and says where.
"""

from __future__ import annotations

import csv
import gzip
import io
import random
import re
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trees import chest_trees, dicom_trees, isic_trees
from trees.chexpert_tree import write_chexpert
from trees.pictures import film, save
from trees.read_back import ENDING, TOLD, text_of

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
    "padchest": (chest_trees.write_padchest, "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv"),
}
BYTES = b'\x00\xff\xc3;,\t"\n|#0159.-\\/'
STRUCTURE = b',"\n[]{}:'
WHERE = re.compile(r"row \d|header|column|of its [\d,]+ rows|is no JSON|films?'|image '|folder '")
"""What an error must say: where in the table it is, or that no image fits."""
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


def opened(name, root):
    return open_dataset(DatasetConfig(name=name, root=str(root)))


def found(name, manifest):
    """Film -> label of the one finding that is looked at."""
    label = f"label.{TOLD[name][1]}"
    labels = manifest.frame[label].to_list() if label in manifest.frame.columns else [None] * len(manifest)
    return dict(zip(manifest.ids, labels, strict=True))


def damaged(text, rng):
    """Up to three bytes exchanged, half of them where the table's structure is."""
    raw = bytearray(text)
    for _ in range(rng.randint(1, 3)):
        places = range(len(raw)) if rng.random() < 0.5 else [at for at, byte in enumerate(raw) if byte in STRUCTURE]
        raw[rng.choice(places)] = rng.choice(BYTES)
    return bytes(raw)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_damaged_tables_come_back_byte_for_byte_or_are_refused_saying_where(trees, name):
    root, path, raw = trees[name]
    told, text = TOLD[name][0], content(name, raw)
    whole, own = found(name, opened(name, root)), told(text_of(text), root)
    others = {film: label for film, label in whole.items() if film not in own}
    assert whole == {film: label for film, label in own.items() if film in whole} | others
    refusals = []
    for seed in range(8):
        bad = damaged(text, random.Random(seed))
        put(path, bad)
        try:
            manifest = opened(name, root)
        except (InputError, UsageError) as error:
            refusals.append(str(error))
            continue
        finally:
            path.write_bytes(raw)
        now = told(text_of(bad), root) | others
        read = found(name, manifest)
        other = {film: label for film, label in read.items() if film not in now or now[film] != label}
        assert not other, f"seed {seed}: {other}"
        lost = set(now) - set(read)
        assert not lost - (set(own) - set(whole)) or any("left out" in note for note in manifest.card.notes), seed
    assert refusals, "eight damaged tables and none refused"
    assert not [said for said in refusals if not WHERE.search(said)]


def written(rows, **how):
    """Rows as a CSV of another dialect."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n", **how).writerows(rows)
    return stream.getvalue().encode()


DIALECTS = {
    "bom": lambda text, rows: b"\xef\xbb\xbf" + text,
    "crlf": lambda text, rows: text.replace(b"\n", b"\r\n"),
    "no last newline": lambda text, rows: text.rstrip(b"\n"),
    "utf-16": lambda text, rows: text.decode().encode("utf-16"),
    "semicolons": lambda text, rows: written(rows, delimiter=";"),
    "tabs, all quoted": lambda text, rows: written(rows, delimiter="\t", quoting=csv.QUOTE_ALL),
    "trailing commas": lambda text, rows: written([[*row, ""] for row in rows]),
    "an index without a name": lambda text, rows: written([[n or "", *row] for n, row in enumerate(rows)]),
    "back-slashes": lambda text, rows: re.sub(rb"(?<=\w)/(?=\w+\d)|(?<=\d)/(?=\w)", rb"\\", text),
}
NO_CSV = {"utf-16", "semicolons", "tabs, all quoted", "trailing commas", "an index without a name", "back-slashes"}


@pytest.mark.parametrize("name", sorted(TABLES))
def test_dialects_change_nothing(trees, name):
    root, path, raw = trees[name]
    text = content(name, raw).replace(b"\r\n", b"\n")
    expected, rows = found(name, opened(name, root)), list(csv.reader(io.StringIO(text.decode())))
    left = NO_CSV if path.suffix == ".json" else {"an index without a name"} if name == "isic2016" else set()
    for dialect in DIALECTS.keys() - left:
        put(path, DIALECTS[dialect](text, rows))
        try:
            assert found(name, opened(name, root)) == expected, dialect
        finally:
            path.write_bytes(raw)


NAMED_BY_FILE = ("siim_acr", "candid_ptx", "nih_cxr14", "vindr_cxr", "rsna_pneumonia", "padchest", "mimic_cxr_jpg")


@pytest.mark.parametrize("name", NAMED_BY_FILE)
def test_odd_ids_come_back_byte_for_byte(trees, name, tmp_path):
    """Each of the first films gets an odd name, in every table and on the disk."""
    shutil.copytree(trees[name][0], tmp_path / name)
    before = found(name, opened(name, tmp_path / name))
    new = dict(zip(before, ["00012", "NA", "nan", "1e5", "None", "-1"], strict=False))
    for path in sorted((tmp_path / name).rglob("*")):
        film = path.name if path.name in new else ENDING.sub("", path.name)
        if path.is_file() and film in new:
            path.rename(path.with_name(new[film] + path.name.removeprefix(film)))
        elif path.suffix in (".csv", ".txt", ".gz"):
            put(path, renamed(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes(), new))
    manifest = opened(name, tmp_path / name)
    assert found(name, manifest) == {new.get(film, film): label for film, label in before.items()}


def renamed(raw, new):
    text = raw.decode()
    for old, odd in new.items():
        text = re.sub(rf"(?<![\w.]){re.escape(old)}(?!\w|\.\d)", odd, text)
    return text.encode()


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
