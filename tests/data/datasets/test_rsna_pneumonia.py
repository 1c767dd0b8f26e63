"""RSNA pneumonia: one row a box, the class of a film, the projection from a table of headers."""

import numpy as np
import pytest
from trees.dicom_films import CANARY, save_dicom
from trees.dicom_trees import write_rsna

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import open_dataset, rsna_pneumonia
from shortcut_audit.data.drawn import read_drawn
from shortcut_audit.data.published import Published
from shortcut_audit.errors import InputError

LABELS, CLASSES = "stage_2_train_labels.csv", "stage_2_detailed_class_info.csv"


def read(root, **options):
    return open_dataset(DatasetConfig(name="rsna_pneumonia", root=str(root), options=options))


def test_a_film_more_that_is_abnormal_in_another_way_is_said(tree, monkeypatch):
    root, _ = tree
    frame = read(root).frame
    positives = {name: int(frame[f"label.{name}"].sum()) for name in ("pneumonia", "other_abnormal")}
    counts = {name: {"1": n, "0": frame.height - n} for name, n in positives.items()}
    whole = Published(table=LABELS, rows=frame.height, source="here", values={"label.pneumonia": counts["pneumonia"]})
    monkeypatch.setattr(rsna_pneumonia, "PUBLISHED", whole)
    monkeypatch.setattr(rsna_pneumonia, "OTHERS", counts["other_abnormal"])
    assert f"{LABELS} has {frame.height} rows and values as published (here)" in read(root).card.notes
    edit(root, CLASSES, ",Normal", ",No Lung Opacity / Not Normal")
    more = positives["other_abnormal"]
    told = f"{LABELS}: other_abnormal = 1 in {more + 1} rows, published: {more}"
    assert told in read(root).card.notes


@pytest.fixture
def tree(tmp_path):
    return tmp_path, write_rsna(tmp_path)


def edit(root, name, old, new):
    text = (root / name).read_text()
    assert old in text
    (root / name).write_text(text.replace(old, new, 1))


def test_labels_boxes_and_headers(tree):
    root, ids = tree
    manifest = read(root)
    assert manifest.ids == ids
    assert manifest.labels(("pneumonia",))[:4, 0].tolist() == [0, 1, 0, 1]
    assert manifest.labels(("other_abnormal",))[:5, 0].tolist() == [1, 0, 0, 0, 1]
    assert manifest.frame.select("view", "sex", "age", "attribute.projection").row(1) == ("PA", "F", "31", "PA")
    box = read_drawn(manifest.drawn("mask", "pneumonia")[1], image=manifest.images()[1]).foreground
    assert (box.shape, int(box.sum()), box[152:531, 264:477].all()) == ((1024, 1024), 213 * 379, True)
    assert not read_drawn(manifest.drawn("mask", "pneumonia")[0]).foreground.any()


def test_without_classes_and_headers_there_are_neither(tree):
    root, _ = tree
    (root / CLASSES).unlink()
    (root / "kaggle_stage_2_train_images_dicom_headers.csv").unlink()
    manifest = read(root)
    assert (manifest.findings, manifest.attributes) == (("pneumonia",), ())


def test_the_projection_can_be_read_from_the_films(tree):
    root, ids = tree
    table = root / "kaggle_stage_2_train_images_dicom_headers.csv"
    stated = read(root).frame["view"].to_list()
    table.unlink()
    save_dicom(root / "stage_2_train_images" / f"{ids[0]}.dcm", np.zeros((8, 8)), ViewPosition="")
    save_dicom(root / "stage_2_train_images" / f"{ids[1]}.dcm", np.zeros((8, 8)), ViewPosition="LL")
    (root / "stage_2_train_images" / f"{ids[2]}.dcm").write_bytes(b"no film")
    manifest = read(root, headers="read")
    assert manifest.frame["view"].to_list() == [None, "lateral", None, *stated[3:]]
    assert manifest.frame["attribute.projection"].equals(manifest.frame["view"], check_names=False)
    assert "projection: View Position of 38 of 40 films, from their headers" in manifest.card.notes
    assert not {"sex", "age"} & set(manifest.frame.columns)
    assert CANARY not in manifest.frame.write_csv()


def test_a_target_without_a_box_is_refused(tree):
    edit(tree[0], LABELS, ",,,,,0", ",,,,,1")
    with pytest.raises(
        InputError, match=r"labels\.csv: row 1 has Target 1 and no box; expected a box where Target is 1"
    ):
        read(tree[0])


def test_an_image_with_both_targets_is_refused(tree):
    root, ids = tree
    edit(root, LABELS, f"{ids[0]},", f"{ids[1]},")
    with pytest.raises(InputError, match=rf"the image '{ids[1]}' has Target 0 and 1; keep the rows of one"):
        read(root)


def test_an_unknown_class_is_refused(tree):
    edit(tree[0], CLASSES, ",Normal", ",Fine")
    with pytest.raises(
        InputError, match=r"row 4: the class 'Fine' is none of Normal; Lung Opacity; No Lung Opacity / Not"
    ):
        read(tree[0])


def test_an_image_without_a_class_is_refused_as_a_blank_would_be_read_as_negative(tree):
    path = tree[0] / "stage_2_detailed_class_info.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]))
    with pytest.raises(InputError, match=r"class_info\.csv: the image '.*' of stage_2_train_labels\.csv has no class"):
        read(tree[0])


def test_a_box_without_a_width_is_refused_naming_the_row(tree):
    edit(tree[0], LABELS, "152.0,213.0,379.0,1", "152.0,,379.0,1")
    with pytest.raises(InputError, match=r"row 2, column 'width' is blank, but not all of x, y, height; mend the tabl"):
        read(tree[0])


@pytest.mark.parametrize(("old", "new", "target"), [("Normal", "Lung Opacity", 0), ("Lung Opacity", "Normal", 1)])
def test_a_class_that_contradicts_the_target_is_refused(tree, old, new, target):
    root, ids = tree
    n = 2 if target == 0 else 3
    edit(root, CLASSES, f"{ids[n]},{old}", f"{ids[n]},{new}")
    with pytest.raises(
        InputError, match=rf"row \d+: '{ids[n]}' is '{new}', but its Target in {LABELS} is {target}; fetch both"
    ):
        read(root)


def test_a_film_of_two_classes_is_refused(tree):
    root, ids = tree
    edit(root, CLASSES, f"{ids[1]},Lung Opacity\n{ids[1]}", f"{ids[1]},Lung Opacity\n{ids[0]}")
    with pytest.raises(InputError, match=rf"row 3: '{ids[0]}' is 'Lung Opacity', and 'No Lung Opacity / Not Normal' b"):
        read(root)
