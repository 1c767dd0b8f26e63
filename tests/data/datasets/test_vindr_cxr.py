"""VinDr-CXR: three readers a film; tables of Kaggle and of PhysioNet."""

import gzip

import polars as pl
import pytest
from trees.dicom_trees import write_vindr, write_vindr_physionet

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import open_dataset, vindr_cxr
from shortcut_audit.data.drawn import read_drawn
from shortcut_audit.errors import InputError, UsageError


def read(root, **options):
    return open_dataset(DatasetConfig(name="vindr_cxr", root=str(root), options=options))


def test_a_finding_is_what_two_of_three_readers_say(tmp_path):
    ids = write_vindr(tmp_path)
    manifest = read(tmp_path)
    assert manifest.ids == ids
    assert manifest.findings == ("no_finding", "nodule_mass")
    assert manifest.labels(("nodule_mass",))[:4, 0].tolist() == [0, 0, 0, 1]
    assert manifest.labels(("no_finding",))[:4, 0].tolist() == [1, 1, 1, 0]
    assert "a finding is 1 where at least 2 of 3 readers say so" in manifest.card.notes


def test_one_reader_is_enough_if_wanted(tmp_path):
    write_vindr(tmp_path)
    assert read(tmp_path, readers="any").labels(("nodule_mass",))[:4, 0].tolist() == [0, 1, 0, 1]


def test_the_boxes_of_all_readers_are_united(tmp_path):
    write_vindr(tmp_path)
    manifest = read(tmp_path)
    cells = manifest.drawn("mask", "nodule_mass")
    assert cells[1] is None
    box = read_drawn(cells[3], image=manifest.images()[3]).foreground
    assert (box.shape, int(box.sum()), box[3:12, 2:20].all()) == ((40, 32), 9 * 18, True)


def test_the_tables_of_physionet(tmp_path):
    ids = write_vindr_physionet(tmp_path)
    manifest = read(tmp_path)
    assert manifest.findings == ("pneumothorax", "other_disease", "no_finding")
    assert manifest.labels(("pneumothorax",))[:, 0].tolist() == [0, 1] * 20
    assert manifest.labels(("other_disease",))[:6, 0].tolist() == [1, 0, 0, 0, 0, 1]
    assert manifest.split("test").ids == ids[28:]
    cells = manifest.drawn("mask", "pneumothorax")
    for row in (1, 29):
        box = read_drawn(cells[row], image=manifest.images()[row]).foreground
        assert (int(box.sum()), box[3:14, 2:12].all()) == (110, True)


def test_without_the_test_table_a_note_says_so(tmp_path):
    write_vindr_physionet(tmp_path)
    (tmp_path / "annotations" / "image_labels_test.csv").unlink()
    assert "there is no image_labels_test.csv here, so no test split" in read(tmp_path).card.notes


def test_an_empty_folder_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"no train\.csv of VinDr-CXR, neither here nor one folder deeper"):
        read(tmp_path)


def test_an_unknown_class_is_refused_naming_the_row(tmp_path):
    write_vindr(tmp_path)
    text = (tmp_path / "train.csv").read_text()
    (tmp_path / "train.csv").write_text(text.replace("Nodule/Mass", "Nodule1Mass", 1))
    with pytest.raises(InputError, match=r"train\.csv: row 4: no finding is called 'Nodule1Mass'; there are: aortic_"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",R1,1,0,0\n", ",R1,,0,0\n", r"row 4, column 'Pneumothorax' is blank"),
        (",R1,1,0,0\n", ",R1,-1,0,0\n", r"row 4, column 'Pneumothorax' holds '-1'; expected 1, 0"),
        (",R2,1,0,0\n", ",R1,1,0,0\n", r"the reading '0+1 R1' stands in row 4 and again in row 5"),
    ],
)
def test_a_vote_that_would_be_counted_wrong_is_refused(tmp_path, old, new, said):
    write_vindr_physionet(tmp_path)
    path = tmp_path / "annotations" / "image_labels_train.csv"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=rf"image_labels_train\.csv: {said}"):
        read(tmp_path)


def test_a_box_without_one_of_its_corners_is_refused(tmp_path):
    write_vindr(tmp_path)
    path = tmp_path / "train.csv"
    path.write_text(path.read_text().replace("R8,2,3,18,12", "R8,,3,18,12", 1))
    with pytest.raises(InputError, match=r"row 4, column 'x_min' is blank, but not all of y_min, x_max, y_max; mend"):
        read(tmp_path)


def test_without_its_readers_no_finding_would_be_agreed_on(tmp_path):
    ids = write_vindr(tmp_path)
    path = tmp_path / "train.csv"
    text = path.read_text()
    path.write_text(text.replace(",rad_id,", ",Rad ID,", 1))
    assert read(tmp_path).labels(("nodule_mass",))[:4, 0].tolist() == [0, 0, 0, 1]
    path.write_text(text.replace(",rad_id,", ",reader,", 1))
    with pytest.raises(UsageError, match=r"train\.csv: no column 'rad_id'; the columns are: image_id, class_name"):
        read(tmp_path)
    assert read(tmp_path, readers="any").labels(("nodule_mass",))[:4, 0].tolist() == [0, 1, 0, 1]
    path.write_text(text.replace(f"{ids[1]},Nodule/Mass,8,R8,", f"{ids[1]},Nodule/Mass,8,,", 1))
    with pytest.raises(InputError, match=r"train\.csv: row 4, column 'rad_id' is blank; every row needs one"):
        read(tmp_path)


def test_tables_of_physionet_may_stay_packed_with_their_boxes(tmp_path):
    write_vindr_physionet(tmp_path)
    before = read(tmp_path)
    for path in (tmp_path / "annotations").glob("*.csv"):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    after = read(tmp_path)
    assert after.structures == before.structures != ()
    assert after.labels().tolist() == before.labels().tolist()


def test_a_finding_that_only_one_table_of_physionet_has_is_refused(tmp_path):
    write_vindr_physionet(tmp_path)
    path = tmp_path / "annotations" / "image_labels_test.csv"
    path.write_text(path.read_text().replace(",Pneumothorax,", ",Pneumothorx,", 1))
    said = r"test\.csv: its header differs from that of .*train\.csv in pneumothorax, pneumothorx; fetch both"
    with pytest.raises(InputError, match=said):
        read(tmp_path)


@pytest.mark.parametrize(("needed", "effusions"), [(2, 634), (1, 1032)])
def test_training_films_of_physionet_are_compared_with_kaggles_table_of_the_same_films(needed, effusions):
    """Fourteen labels: thirteen findings that Kaggle did not merge, and no finding."""
    published = vindr_cxr._published("image_labels_train.csv", "train", needed)
    assert len(published.values) == 14
    assert "label.other_lesion" not in published.values
    whole = pl.DataFrame(
        {name: [1.0] * said["1"] + [0.0] * (15_000 - said["1"]) for name, said in published.values.items()}
    ).with_columns(patient_id=pl.int_range(15_000))
    said = "and values as Kaggle's table of the same films has them"
    told = f"image_labels_train.csv has 15,000 rows as published (PhysioNet, in images), {said}"
    assert published.notes(whole) == [told]
    turned = whole.with_columns(pl.Series("label.pleural_effusion", [0.0, *whole["label.pleural_effusion"][1:]]))
    assert published.notes(turned)[1] == (
        f"image_labels_train.csv: pleural_effusion = 1 in {effusions - 1:,} rows, Kaggle's table of the same films has "
        f"them: {effusions:,}"
    )
    assert vindr_cxr._published("image_labels_test.csv", "test", 1).values == {}
