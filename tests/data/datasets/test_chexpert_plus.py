"""CheXpert Plus: a table without findings, labels as JSON lines, pictures under other names."""

import json

import pytest
from trees.chest_trees import write_chexpert_plus

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.errors import InputError, UsageError

TABLE = "df_chexpert_plus_240401.csv"


def read(root, *, blank="negative", **options):
    return open_dataset(DatasetConfig(name="chexpert_plus", root=str(root), options=options, blank=blank))


@pytest.fixture
def tree(tmp_path):
    return tmp_path, write_chexpert_plus(tmp_path)


def edit(path, change):
    path.write_text(change(path.read_text()))


def test_films_have_the_labels_of_their_report(tree):
    root, ids = tree
    manifest = read(root)
    assert manifest.ids == ids
    assert manifest.ids[4] == "patient00009_study5_view1_frontal"
    assert manifest.labels(("pneumothorax", "edema"))[:3].tolist() == [[0, -1], [1, -1], [0, -1]]
    assert manifest.frame["label.support_devices"].to_list()[:4] == [1, None, None, 1]
    assert manifest.frame["attribute.support_devices"].to_list()[:4] == [1, 0, 0, 1]
    assert manifest.frame["attribute.race"].to_list()[:3] == ["White", "Asian", None]
    assert manifest.frame["view"].to_list()[:2] == ["PA", "AP"]
    assert manifest.frame["age"].to_list()[:2] == ["20", "21"]
    assert manifest.frame["split"].to_list()[4::5] == ["test"] * 40
    assert set(manifest.frame["split"]) == {"train", "val", "test"}
    assert manifest.images()[0] == root.resolve() / "PNG/PNG/train/patient00000/study1/view1_frontal.png"
    assert all(image.is_file() for image in manifest.images())
    assert any("has 200 rows, 223,262 fewer than the 223,462 published" in note for note in manifest.card.notes)
    assert manifest.card.release == "240401"


def test_views_of_one_study_with_different_labels_are_said(tree):
    root, ids = tree
    assert "different labels" not in " ".join(read(root).card.notes)
    table, labels = root / TABLE, root / "chexbert_labels" / "report_fixed.json"
    other = "train/patient00000/study1/view2_lateral.jpg"
    edit(table, lambda text: text + f'{other},,Lateral,,patient00000,1,"",,,20,Female,White,Non-Hispanic,train\n')
    found = json.loads(labels.read_text().splitlines()[0]) | {"path_to_image": other}
    edit(labels, lambda text: text + json.dumps(found) + "\n")
    assert "different labels" not in " ".join(read(root).card.notes)
    edit(labels, lambda text: text.replace(json.dumps(found), json.dumps(found | {"Edema": 1.0})))
    manifest = read(root)
    assert manifest.ids == ids
    told = f"{TABLE}: studies whose images have different labels: 1 (patient00000_study1)"
    assert any(note.startswith(told) for note in manifest.card.notes)


def test_another_part_of_the_report_is_an_option(tree):
    root, _ = tree
    assert read(root, labels="impression").frame["label.edema"].null_count() == 200
    assert "labels: CheXbert on the impression" in read(root, labels="impression").card.notes
    with pytest.raises(UsageError, match=r"dataset\.options\.labels: 'impresion' is not one of report, impression"):
        read(root, labels="impresion")


def test_no_finding_can_make_blanks_negative(tree):
    root, _ = tree
    written, negative = read(root), read(root, no_finding="negative")
    assert written.frame["label.fracture"].null_count() == 200
    assert negative.frame["label.fracture"].to_list()[:4] == [0, None, 0, None]
    assert negative.labels(("edema",))[:2, 0].tolist() == [0, -1]
    assert negative.frame["label.support_devices"].to_list() == written.frame["label.support_devices"].to_list()
    note = (
        "no_finding: negative: in 100 rows with No Finding = 1, 1,000 blanks and 100 labels of 1 or -1 count as 0, "
        "support devices as written"
    )
    assert note in negative.card.notes


def test_pictures_elsewhere_are_found_and_none_at_all_is_a_usage_error(tree):
    root, _ = tree
    (root / "PNG" / "PNG").rename(root / "PNGs")
    assert all(image.is_file() for image in read(root).images())
    (root / "PNGs").rename(root / "gone")
    with pytest.raises(
        UsageError, match=r"no picture of its first rows was found, 'train/patient00000/.*unpack PNG\.zip"
    ):
        read(root)


def test_images_without_labels_are_left_out_as_a_blank_would_be_read_as_not_mentioned(tree):
    root, ids = tree
    edit(root / "chexbert_labels" / "report_fixed.json", lambda text: "\n".join(text.splitlines()[:-2]))
    manifest = read(root)
    assert "2 images have no labels in report_fixed.json and are left out" in manifest.card.notes
    assert manifest.ids == ids[:-2]


def test_an_image_with_two_rows_of_labels_is_refused(tree):
    edit(tree[0] / "chexbert_labels" / "report_fixed.json", lambda text: text + text.splitlines()[0])
    with pytest.raises(InputError, match=r"report_fixed\.json: .*stands in row 1 and again in row 201"):
        read(tree[0])


def test_an_unknown_split_is_refused_naming_its_row_in_the_table(tree):
    labels = tree[0] / "chexbert_labels" / "report_fixed.json"
    edit(labels, lambda text: text.partition("\n")[2])  # the first image is left out
    edit(tree[0] / TABLE, lambda text: text.replace("Non-Hispanic,valid", "Non-Hispanic,dev", 1))
    with pytest.raises(InputError, match=r"row 5, column 'split' holds 'dev'; expected train, val or test"):
        read(tree[0])
