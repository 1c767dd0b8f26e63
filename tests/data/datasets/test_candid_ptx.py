"""CANDID-PTX: pneumothorax and rib fractures are findings, tubes an attribute with its footprint."""

import pytest
from trees.dicom_trees import write_candid

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.data.drawn import read_drawn
from shortcut_audit.errors import InputError


def read(root):
    return open_dataset(DatasetConfig(name="candid_ptx", root=str(root)))


@pytest.fixture
def tree(tmp_path):
    return tmp_path, write_candid(tmp_path)


def test_labels_tubes_patients_and_masks(tree):
    root, ids = tree
    manifest = read(root)
    assert manifest.ids == ids[1:]
    assert manifest.labels(("pneumothorax",))[:4, 0].tolist() == [1, 0, 1, 0]
    assert manifest.labels(("rib_fracture",))[:9, 0].tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 1]
    assert manifest.frame["attribute.chest_tube"].to_list()[:4] == [0, 0, 1, 0]
    assert manifest.frame["patient_id"].to_list()[:4] == ["0", "1", "1", "2"]
    tube = read_drawn(manifest.drawn("footprint", "chest_tube")[2]).foreground
    assert (tube.sum(), tube[:20, 2].all()) == (20, True)
    two_rows = read_drawn(manifest.drawn("mask", "pneumothorax")[4]).foreground
    assert (two_rows.sum(), two_rows[:5, 512].all(), two_rows[:10, 1:3].all()) == (25, True, True)
    assert not read_drawn(manifest.drawn("footprint", "chest_tube")[0]).foreground.any()


@pytest.mark.parametrize("place", ["dataset/{}", "dataset/{}.dcm", "candid-ptx-images-512/{}.jpg"])
def test_films_are_found_by_their_uid_with_or_without_an_extension(tmp_path, place):
    ids = write_candid(tmp_path, place)
    assert read(tmp_path).images()[0] == tmp_path.resolve() / place.format(ids[1])


def test_an_image_under_two_patients_is_left_out_and_said(tree):
    notes = read(tree[0]).card.notes
    assert notes[0].startswith("Pneumothorax_reports.csv has 40 rows, 19,197 fewer than the 19,237 published")
    assert notes[1].startswith("Pneumothorax_reports.csv: how often rib_fracture occurs is not known to us")
    assert "images that stand under two patients, left out: 1" in notes


def test_no_word_of_a_report_is_carried_on(tree):
    assert "pneumothorax." not in read(tree[0]).frame.write_csv()


def test_without_the_tables_of_tubes_and_fractures_there_is_neither(tree):
    root, _ = tree
    (root / "chest_tube.csv").unlink()
    (root / "Rib_fracture_mask_rle.csv").rename(root / "acute_rib_fracture.csv")
    manifest = read(root)
    assert (manifest.attributes, manifest.findings) == ((), ("pneumothorax", "rib_fracture"))
    (root / "acute_rib_fracture.csv").unlink()
    assert read(root).findings == ("pneumothorax",)


def test_a_file_name_without_a_patient_is_refused(tree):
    root, _ = tree
    path = root / "Pneumothorax_reports.csv"
    path.write_text(path.read_text().replace("P0001_2", "X_2"))
    with pytest.raises(
        InputError, match=r"row 3, column 'filename' holds 'X_2'; expected P, the number of the patient"
    ):
        read(root)


def test_tubes_of_films_that_are_not_in_the_reports_are_said_as_their_film_has_none_now(tmp_path):
    write_candid(tmp_path)
    path = tmp_path / "chest_tube.csv"
    path.write_text(path.read_text().replace("1.2.826.0.1.3,", "1.2.826.0.1.3x,", 1))
    assert "chest_tube.csv: 1 images are not in Pneumothorax_reports.csv and are left out" in read(tmp_path).card.notes
