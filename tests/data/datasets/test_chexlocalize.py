"""CheXlocalize: drawn masks of findings, real footprints of devices."""

import json
import random

import pytest
from trees.chest_trees import write_chexlocalize

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.data.drawn import read_drawn
from shortcut_audit.errors import InputError, UsageError


def read(root):
    return open_dataset(DatasetConfig(name="chexlocalize", root=str(root)))


@pytest.fixture
def tree(tmp_path):
    write_chexlocalize(tmp_path)
    return tmp_path


def drawn(manifest, row, prefix, name):
    cell = manifest.drawn(prefix, name)[row]
    return (
        None
        if cell is None
        else [(int(y), int(x)) for y, x in zip(*read_drawn(cell).foreground.nonzero(), strict=True)]
    )


def test_devices_have_footprints_and_lung_opacity_its_other_name(tree):
    manifest = read(tree)
    val = manifest.split("val")
    assert val.ids[:2] == ["patient64541_study1_view1_frontal", "patient64542_study1_view1_frontal"]
    assert val.images()[0] == tree.resolve() / "CheXpert/val/patient64541/study1/view1_frontal.jpg"
    assert val.frame["attribute.support_devices"].to_list()[:4] == [1, 0, 0, 1]
    assert drawn(val, 0, "footprint", "support_devices") == [(0, 0), (1, 0), (2, 0)]
    assert drawn(val, 1, "footprint", "support_devices") == []
    assert drawn(val, 1, "mask", "lung_opacity") == [(1, 0), (2, 0)]
    test = manifest.split("test")
    assert test.frame["mask.lung_opacity"][1].startswith("coco:CheXlocalize/gt_segmentations_test.json#patient64742_")
    assert all(path.is_file() for path in manifest.images())


def test_a_film_that_was_not_drawn_has_empty_masks_where_its_label_is_0(tree):
    val = read(tree).split("val")
    assert val.frame["footprint.support_devices"][2] == "empty"
    assert val.frame["mask.edema"][2] == "empty"


def test_chexpert_beside_it_is_the_training_split(tree):
    manifest = read(tree)
    assert len(manifest.split("train")) > 20
    assert manifest.split("train").frame["footprint.support_devices"].null_count() == len(manifest.split("train"))


def test_without_chexpert_there_is_no_training_split(tree):
    (tree / "CheXpert-v1.0-small" / "train.csv").unlink()
    manifest = read(tree)
    assert len(manifest.split("train")) == 0
    assert "there is no train.csv of CheXpert here, so no training split" in manifest.card.notes


def test_outlines_are_read_where_there_are_no_segmentations(tree):
    """A triangle of three pixels a side; the size stands beside the tasks, and only drawn tasks are there."""
    folder = tree / "CheXlocalize"
    (folder / "gt_segmentations_val.json").unlink()
    outlines = {"img_size": [4, 5], "Support Devices": [[[1.0, 0.0], [1.0, 2.0], [3.0, 2.0]]]}
    (folder / "gt_annotations_val.json").write_text(json.dumps({"patient64541_study1_view1_frontal": outlines}))
    val = read(tree).split("val")
    assert drawn(val, 0, "footprint", "support_devices") == [(0, 1), (1, 1), (1, 2), (2, 1), (2, 2), (2, 3)]
    assert val.frame["mask.lung_opacity"].to_list()[:2] == ["empty", None]
    assert val.frame["footprint.support_devices"].to_list()[1:4] == ["empty", "empty", None]


def test_damaged_files_of_masks_say_what_stands_in_them_or_are_refused(tree):
    """Held against Python's json: a mask is named where the file has the task, and nowhere else."""
    path, names = tree / "CheXlocalize" / "gt_segmentations_val.json", ("Airspace Opacity", "Support Devices")
    whole, refused = path.read_bytes(), 0
    for seed in range(12):
        rng, raw = random.Random(seed), bytearray(whole)
        for _ in range(2):
            raw[rng.randrange(len(raw))] = rng.choice(b'\x00\xff"{}[]:,5a')
        path.write_bytes(bytes(raw))
        try:
            val = read(tree).split("val")
        except InputError:
            refused += 1
            continue
        said = json.loads(raw.decode())
        for name, column in zip(names, ("mask.lung_opacity", "footprint.support_devices"), strict=True):
            named = [(cell or "").startswith("coco:") for cell in val.frame[column].to_list()]
            assert named == [name in said.get(film, {}) for film in val.ids], seed
    assert 0 < refused < 12


def test_a_file_of_another_kind_is_refused(tree):
    (tree / "CheXlocalize" / "gt_segmentations_val.json").write_text("[1, 2]")
    with pytest.raises(
        InputError, match=r"gt_segmentations_val\.json: not a file of CheXlocalize .*expected film -> ta"
    ):
        read(tree)


def test_missing_masks_are_a_usage_error(tree):
    (tree / "CheXlocalize" / "gt_segmentations_test.json").unlink()
    with pytest.raises(
        UsageError, match=r"no gt_segmentations_test\.json or gt_annotations_test\.json of CheXlocalize"
    ):
        read(tree)


def test_a_table_that_says_valid_finds_the_films_in_val(tree):
    """The sample that its authors give says so."""
    path = tree / "CheXpert" / "val_labels.csv"
    path.write_text(path.read_text().replace("CheXpert-v1.0/val/", "CheXpert-v1.0/valid/"))
    val = read(tree).split("val")
    assert val.ids[0] == "patient64541_study1_view1_frontal"
    assert val.images()[0] == tree.resolve() / "CheXpert/val/patient64541/study1/view1_frontal.jpg"
    assert drawn(val, 1, "mask", "lung_opacity") == [(1, 0), (2, 0)]


@pytest.mark.parametrize("split", ["val", "test"])
def test_views_of_one_study_with_different_labels_are_said(tree, split):
    path = tree / "CheXpert" / f"{split}_labels.csv"
    lines = path.read_text().splitlines()
    assert "different labels" not in " ".join(read(tree).card.notes)
    path.write_text("\n".join([*lines, lines[1].replace("view1", "view2").replace("1.0", "0.0")]) + "\n")
    assert not any(note.startswith("train.csv: studies") for note in read(tree).card.notes)
    study = lines[1].split("/study1")[0].rpartition("/")[2] + "_study1"
    told = f"{split}_labels.csv: studies whose images have different labels: 1 ({study})"
    assert any(note.startswith(told) for note in read(tree).card.notes)


def test_views_of_one_study_with_different_labels_are_said_of_chexpert_beside_it_too(tree):
    path = tree / "CheXpert-v1.0-small" / "train.csv"
    first, line = path.read_text().splitlines()[:2]
    cells = line.replace("view1", "view2").split(",")
    fracture = first.split(",").index("Fracture")
    cells[fracture] = "1.0" if cells[fracture] != "1.0" else "0.0"
    path.write_text(path.read_text() + ",".join(cells) + "\n")
    assert any(
        note.startswith("train.csv: studies whose images have different labels: 1 (") for note in read(tree).card.notes
    )


def test_a_training_table_without_a_finding_is_refused_as_a_blank_would_be_read_as_negative(tree):
    path = tree / "CheXpert-v1.0-small" / "train.csv"
    path.write_text(path.read_text().replace("Lung Opacity", "Opacity", 1))
    with pytest.raises(UsageError, match=r"train\.csv: no column 'Lung Opacity'; the columns are: Path"):
        read(tree)
