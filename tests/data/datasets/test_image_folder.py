"""Folders of images: classes and splits by the names of folders."""

import pytest
from trees.folder_tree import write_folders
from trees.pictures import save, square

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.errors import InputError, UsageError


def read(root, **options):
    return open_dataset(DatasetConfig(name="image_folder", root=str(root), options=options))


def test_folders_are_splits_and_classes_findings(tmp_path):
    names = write_folders(tmp_path)
    manifest = read(tmp_path)
    assert manifest.ids == names
    assert manifest.findings == ("normal", "viral_pneumonia")
    assert manifest.frame.filter(sample_id="TEST/Viral Pneumonia/37.png").rows()[0][2:] == (
        "TEST/Viral Pneumonia/37.png", "test", 0.0, 1.0,
    )  # fmt: skip
    counts = manifest.frame["split"].value_counts().rows()
    assert dict(counts) == {"train": 24, "val": 12, "test": 16}
    assert manifest.card.name == tmp_path.name


def test_one_class_can_be_the_only_finding(tmp_path):
    write_folders(tmp_path)
    manifest = read(tmp_path, positive="viral pneumonia")
    assert manifest.findings == ("viral_pneumonia",)
    assert manifest.labels().sum() == 26


def test_without_folders_for_splits_images_are_cut_by_a_seed(tmp_path):
    write_folders(tmp_path, splits=("", "", ""))
    first, again, other = (read(tmp_path, **options) for options in ({}, {"seed": 0}, {"seed": 1}))
    assert set(first.frame["split"]) == {"train", "val", "test"}
    assert first.frame.equals(again.frame)
    assert not first.frame["split"].equals(other.frame["split"])
    assert "no split was given: patients are cut 60/20/20" in " ".join(first.card.notes)


def test_train_and_test_get_a_val_and_train_and_val_are_cut_and_it_is_said(tmp_path):
    write_folders(tmp_path / "a", splits=("train", "train", "test"))
    assert "val is 5% of the training patients" in " ".join(read(tmp_path / "a").card.notes)
    write_folders(tmp_path / "b", splits=("train", "val"))
    assert "no test split is here: patients are cut 60/20/20" in " ".join(read(tmp_path / "b").card.notes)


def test_masks_beside_images_and_images_elsewhere_are_left_out_and_said(tmp_path):
    names = write_folders(tmp_path)
    for name in ("Train/normal/0_mask.png", "Train/normal/0_mask_1.png", "Train/overview.png", "figures/a/b.png"):
        save(tmp_path / name, square())
    manifest = read(tmp_path)
    assert manifest.ids == names
    assert manifest.card.notes[:2] == (
        "2 of 56 images are called like masks and are left out",
        "2 of 56 images lie in no folder of a class and are left out",
    )


def test_images_of_the_same_name_are_two(tmp_path):
    names = write_folders(tmp_path)
    save(tmp_path / "Train/normal/0.jpg", square())
    assert read(tmp_path).ids == sorted([*names, "Train/normal/0.jpg"])


def test_one_class_is_refused(tmp_path):
    save(tmp_path / "normal" / "0.png", square())
    with pytest.raises(UsageError, match=r"images of 1 classes; expected CLASS/image\.png or SPLIT/CLASS/image\.png"):
        read(tmp_path)


def test_classes_that_would_be_one_finding_are_refused(tmp_path):
    write_folders(tmp_path, classes=("covid +", "covid -"))
    with pytest.raises(InputError, match=r"the folders covid \+, covid - cannot be told apart as findings"):
        read(tmp_path)


def test_an_unknown_class_and_an_odd_seed_are_refused(tmp_path):
    write_folders(tmp_path)
    with pytest.raises(UsageError, match=r"has no folder 'norml' \(did you mean 'normal'\?\); it has: normal, viral"):
        read(tmp_path, positive="norml")
    with pytest.raises(UsageError, match=r"dataset\.options\.seed: '-1' is no whole number"):
        read(tmp_path, seed=-1)
