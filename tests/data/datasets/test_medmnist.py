"""MedMNIST: arrays of pictures become files of pictures, once, and numbers of classes become findings."""

from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image
from trees.folder_tree import write_medmnist

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.data.medmnist_sets import SETS
from shortcut_audit.errors import InputError, OutputError, UsageError


def read(root, **options):
    return open_dataset(DatasetConfig(name="medmnist", root=str(root), options=options))


def arrays(pictures=(4, 2, 3), classes=2, shape=(28, 28)):
    made = {}
    for split, number in zip(("train", "val", "test"), pictures, strict=True):
        made[f"{split}_images"] = np.arange(number * np.prod(shape)).astype(np.uint8).reshape(number, *shape)
        made[f"{split}_labels"] = (np.arange(number, dtype=np.uint8) % classes)[:, None]
    return made


def test_pictures_are_written_out_and_come_back_as_they_were(tmp_path):
    write_medmnist(tmp_path)
    manifest = read(tmp_path)
    assert manifest.findings == ("pneumonia",)
    assert dict(manifest.frame["split"].value_counts().rows()) == {"train": 24, "val": 12, "test": 16}
    assert manifest.frame.filter(split="val")["label.pneumonia"].to_list() == [0, 1] * 6
    stored = np.load(tmp_path / "pneumoniamnist.npz")
    for (name, split), path in zip(manifest.frame.select("sample_id", "split").rows(), manifest.images(), strict=True):
        number = int(name.partition("/")[2])
        assert np.array_equal(np.asarray(Image.open(path)), stored[f"{split}_images"][number])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "pneumoniamnist-images", "pneumoniamnist.npz", "tubes.csv",
    ]  # fmt: skip


def test_pictures_are_written_once(tmp_path):
    write_medmnist(tmp_path)
    first = read(tmp_path).images()[0]
    before = first.stat().st_mtime_ns
    assert read(tmp_path).images()[0] == first
    assert first.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("name", "numbers", "expected"),
    [
        ("breastmnist", [0, 1, 1, 0], {"malignant": [1, 0, 0, 1]}),
        ("octmnist_64", [3, 0, 2, 1], {"choroidal_neovascularization": [0, 1, 0, 0], "normal": [1, 0, 0, 0]}),
        (
            "dermamnist",
            [4, 5, 0, 6],
            {"melanoma": [1, 0, 0, 0], "nevus": [0, 1, 0, 0], "vascular_lesion": [0, 0, 0, 1]},
        ),
        ("retinamnist", [0, 4, 4, 1], {"diabetic_retinopathy_4": [0, 1, 1, 0]}),
    ],
)
def test_a_number_is_the_class_that_the_authors_say(name, numbers, expected, tmp_path):
    colour = (28, 28, 3) if name in ("dermamnist", "retinamnist") else (28, 28)
    made = arrays(shape=colour)
    made["train_labels"] = np.array(numbers, dtype=np.uint8)[:, None]
    np.savez(tmp_path / f"{name}.npz", **made)
    train = read(tmp_path).frame.filter(split="train")
    assert {finding: train[f"label.{finding}"].to_list() for finding in expected} == expected


def test_chestmnist_has_a_column_for_each_finding(tmp_path):
    made = arrays()
    for split, number in (("train", 4), ("val", 2), ("test", 3)):
        made[f"{split}_labels"] = np.eye(14, dtype=np.uint8)[:number]
    made["test_labels"] = np.array([[0] * 7 + [1] + [0] * 6, [0] * 14, [0] * 12 + [1, 1]], dtype=np.uint8)
    np.savez(tmp_path / "chestmnist_128.npz", **made)
    test = read(tmp_path).frame.filter(split="test")
    assert test["label.pneumothorax"].to_list() == [1, 0, 0]
    assert test.select("label.pleural_thickening", "label.hernia").rows() == [(0, 0), (0, 0), (1, 1)]


def test_published_counts_agree_with_each_other():
    # Each set is the whole of an older one: ChestX-ray14, HAM10000, Kermany's films of children, breast ultrasound.
    totals = {"chestmnist": 112_120, "dermamnist": 10_015, "pneumoniamnist": 5_856, "breastmnist": 780}
    assert {name: sum(SETS[name].images) for name in totals} == totals
    assert sum(SETS["dermamnist"].positives.values()) == 10_015
    for name, one in SETS.items():
        assert set(one.positives) <= set(one.classes), name


def test_a_changed_label_is_said(tmp_path):
    made = arrays(pictures=SETS["breastmnist"].images, shape=(2, 2))
    numbers = np.ones(780, dtype=np.uint8)
    numbers[:210] = 0
    for split, chosen in zip(("train", "val", "test"), np.split(numbers, [546, 624]), strict=True):
        made[f"{split}_labels"] = chosen[:, None]
    np.savez(tmp_path / "breastmnist.npz", **made)
    assert read(tmp_path).card.notes[0] == "breastmnist.npz has 780 rows and values as published (Yang et al. 2023)"
    made["test_labels"][7] = 0
    np.savez(tmp_path / "breastmnist.npz", **made)
    assert "breastmnist.npz: malignant = 1 in 211 rows, published: 210" in read(tmp_path).card.notes


def test_one_of_several_sets_must_be_chosen(tmp_path):
    for name in ("breastmnist", "pneumoniamnist_64"):
        np.savez(tmp_path / f"{name}.npz", **arrays())
    with pytest.raises(UsageError, match=r"several sets of MedMNIST, breastmnist, pneumoniamnist_64; choose one with"):
        read(tmp_path)
    assert read(tmp_path, file="pneumoniamnist_64").card.release == "pneumoniamnist_64"
    with pytest.raises(UsageError, match=r"no chestmnist\.npz, but breastmnist, pneumoniamnist_64; choose one with"):
        read(tmp_path, file="chestmnist")


def test_the_folder_above_may_be_named(tmp_path):
    write_medmnist(tmp_path / "MedMNIST")
    manifest = read(tmp_path)
    assert manifest.frame["image"][0] == "MedMNIST/pneumoniamnist-images/train/0.png"
    assert all(path.is_file() for path in manifest.images())


def test_of_two_files_of_one_name_the_nearest_is_read(tmp_path):
    write_medmnist(tmp_path / "MedMNIST")
    write_medmnist(tmp_path)
    assert read(tmp_path).frame["image"][0] == "pneumoniamnist-images/train/0.png"


def test_a_folder_without_a_set_of_pictures_is_refused(tmp_path):
    np.savez(tmp_path / "nodulemnist3d.npz", **arrays())
    with pytest.raises(UsageError, match=r"no file of MedMNIST such as pneumoniamnist\.npz .* Sets of pictures: path"):
        read(tmp_path)


def test_pictures_of_another_file_are_not_taken(tmp_path):
    write_medmnist(tmp_path)
    read(tmp_path)
    write_medmnist(tmp_path, train_images=np.zeros((24, 28, 28), dtype=np.uint8))
    refused = pytest.raises(InputError, match=r"pneumoniamnist-images: not the pictures of pneumoniamnist\.npz; remove")
    with refused:
        read(tmp_path)
    (tmp_path / "pneumoniamnist-images" / "made_of.json").write_text("{")
    with refused:
        read(tmp_path)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"val_labels": np.array([0, 2] * 6, dtype=np.uint8)[:, None]}, r"val_labels, row 1: 2; expected 0 to 1"),
        ({"val_labels": np.zeros((12, 3), dtype=np.uint8)}, r"val_labels is uint8 of shape \(12, 3\); expected whole"),
        ({"val_labels": np.zeros((12, 1))}, r"val_labels is float64 of shape \(12, 1\); expected whole numbers"),
        ({"val_images": np.zeros((11, 28, 28), dtype=np.uint8)}, r"val_images is uint8 .* expected uint8 \(12, H, W\)"),
        ({"val_images": np.zeros((12, 28, 28))}, r"val_images is float64 .* one for each label"),
        ({"val_images": np.array([None] * 12)}, r"val_images is stored by columns or as objects"),
    ],
)
def test_an_array_of_another_form_is_refused_and_nothing_is_left(changed, told, tmp_path):
    write_medmnist(tmp_path, **changed)
    with pytest.raises(InputError, match=told):
        read(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pneumoniamnist.npz", "tubes.csv"]


def test_a_missing_array_is_named(tmp_path):
    made = arrays()
    del made["test_images"]
    np.savez(tmp_path / "breastmnist.npz", **made)
    with pytest.raises(InputError, match=r"no array 'test_images'; it has: train_images\.npy, "):
        read(tmp_path)


def test_a_damaged_file_is_refused_and_nothing_is_left(tmp_path):
    write_medmnist(tmp_path)
    path = tmp_path / "pneumoniamnist.npz"
    with ZipFile(path) as archive:
        start = archive.getinfo("test_images.npy").header_offset
    raw = bytearray(path.read_bytes())
    raw[start + 3000] ^= 255
    path.write_bytes(raw)
    with pytest.raises(InputError, match=r"pneumoniamnist\.npz: damaged \(.*\); fetch the file again"):
        read(tmp_path)
    path.write_bytes(raw[:2000])
    with pytest.raises(InputError, match=r"damaged \(File is not a zip file\)"):
        read(tmp_path)
    assert not list(tmp_path.glob("*-images*"))


def test_where_pictures_cannot_be_written_the_folder_is_named(tmp_path, monkeypatch):
    write_medmnist(tmp_path)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(OutputError, match=r"pneumoniamnist-images could not be written: No space left on device"):
        read(tmp_path)
    assert not list(tmp_path.glob("*-images*"))
