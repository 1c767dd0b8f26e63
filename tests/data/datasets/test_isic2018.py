"""ISIC 2018: diagnoses (task 3), or lesions and structures (tasks 1 and 2); artefacts seen and inferred."""

import shutil

import polars as pl
import pytest
from trees import isic_trees
from trees.pictures import write_lines

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.data.drawn import read_drawn
from shortcut_audit.errors import InputError, UsageError

TRAINING = "ISIC2018_Task3_Training_GroundTruth"
FOUND = [
    "melanoma", "nevus", "basal_cell_carcinoma", "actinic_keratosis", "benign_keratosis", "dermatofibroma",
    "vascular_lesion",
]  # fmt: skip


def read(root, attributes=None, **options):
    config = DatasetConfig(name="isic2018", root=str(root), options=options, attributes=attributes or {})
    return open_dataset(config)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("isic2018")
    return root, isic_trees.write_isic2018(root)


@pytest.fixture
def spoilt(tmp_path):
    isic_trees.write_isic2018(tmp_path)
    return tmp_path


def rewrite(path, old, new):
    path.write_text(path.read_text().replace(old, new, 1))


def test_diagnoses_lesions_as_patients_and_official_splits(tree):
    root, ids = tree
    manifest = read(root)
    assert manifest.ids == ids
    assert list(manifest.findings) == FOUND
    rows = manifest.labels()[:7].astype(int).tolist()
    assert rows[1] == rows[3] == [1, 0, 0, 0, 0, 0, 0]
    assert [rows[0], rows[2], rows[4], rows[6]] == [
        [0, 1, 0, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0, 0],
        [0, 0, 0, 1, 0, 0, 0],
        [0, 0, 0, 0, 1, 0, 0],
    ]
    assert manifest.frame["split"].to_list() == ["train"] * 40 + ["val"] * 16 + ["test"] * 24
    owners = manifest.frame["patient_id"].to_list()
    assert owners[:5] == ["HAM_0000000", "HAM_0000001", "HAM_0000000", "HAM_0000001", "HAM_0000002"]
    assert owners[40] == "ISIC_0024346"
    assert manifest.frame["image"][0] == "ISIC2018_Task3_Training_Input/ISIC_0024306.jpg"
    assert "who is whose is not known: images of one lesion count as one patient" in manifest.card.notes
    assert (manifest.card.licence, manifest.card.release) == ("CC BY-NC 4.0", "task 3")


def test_a_probability_above_the_threshold_is_an_artefact(tree):
    manifest = read(tree[0])
    assert manifest.frame["attribute.ruler_inferred"].to_list()[:4] == [1, 0, 0, 1]
    assert manifest.frame["attribute.gel_bubble_inferred"].to_list() == [1] * 80
    note = "80 of 80 images have probabilities of artefacts by a model of Bissoto et al. 2022 ("
    assert f"{note}isic_inferred_wocarcinoma.csv), cut above 0.6" in manifest.card.notes
    lower = read(tree[0], threshold=0.5)
    assert lower.frame["attribute.ruler_inferred"].to_list()[:4] == [1, 1, 0, 1]
    assert read(tree[0], threshold="0.98").frame["attribute.ruler_inferred"].sum() == 0


def test_people_saw_none_of_these_images_so_nothing_is_said_of_them(tree):
    manifest = read(tree[0])
    assert "ruler" not in manifest.attributes
    assert "0 of 80 images have artefact labels of Bissoto et al. (isic_bias.csv)" in manifest.card.notes


@pytest.mark.parametrize("value", ["1", -0.1, "half", None])
def test_a_threshold_that_is_no_probability_is_refused(tree, value):
    with pytest.raises(UsageError, match=r"dataset\.options\.threshold: '.*' is no probability; write a number from 0"):
        read(tree[0], threshold=value)


def test_an_unknown_option_names_those_there_are(tree):
    with pytest.raises(UsageError, match=r"no such option \(did you mean 'threshold'\?\); it has: task, split, thres"):
        read(tree[0], treshold=0.5)


def test_a_table_of_training_alone_is_cut_by_lesion(spoilt):
    for part in ("Validation", "Test"):
        (spoilt / f"ISIC2018_Task3_{part}_GroundTruth" / f"ISIC2018_Task3_{part}_GroundTruth.csv").unlink()
    manifest = read(spoilt)
    assert len(manifest) == 40
    pairs = manifest.frame.select("patient_id", "split").unique()
    assert (pairs.height, set(pairs["split"])) == (20, {"train", "val", "test"})
    note = "no split was given: patients are cut 60/20/20 into train, val and test by a hash of their id"
    assert note in manifest.card.notes


def test_without_lesions_each_image_is_its_own(spoilt):
    (spoilt / "ISIC2018_Task3_Training_LesionGroupings.csv").unlink()
    manifest = read(spoilt)
    assert manifest.frame["patient_id"].to_list() == manifest.ids
    assert "no patient ids: each image counts as its own patient" in manifest.card.notes


def test_outlines_of_ham10000_are_taken_with_task_3(spoilt):
    (spoilt / "ISIC2018_Task1_Training_GroundTruth" / "ISIC_0000000_segmentation.png").rename(
        spoilt / "ISIC2018_Task1_Training_GroundTruth" / "ISIC_0024306_segmentation.png"
    )
    (spoilt / "ISIC2018_Task1_Training_GroundTruth").rename(spoilt / "HAM10000_segmentations_lesion_tschandl")
    manifest = read(spoilt)
    assert manifest.frame["mask.lesion"].drop_nulls().to_list() == [
        "HAM10000_segmentations_lesion_tschandl/ISIC_0024306_segmentation.png"
    ]


def test_a_row_has_one_diagnosis(spoilt):
    path = spoilt / TRAINING / f"{TRAINING}.csv"
    rewrite(path, "ISIC_0024308,0.0", "ISIC_0024308,1.0")
    with pytest.raises(
        InputError, match=r"row 3: 'ISIC_0024308' has 2 diagnoses \(MEL, BCC\); expected 1 in one of MEL"
    ):
        read(spoilt)
    rewrite(path, "ISIC_0024308,1.0,0.0,1.0", "ISIC_0024308,0.0,0.0,0.0")
    with pytest.raises(InputError, match=r"row 3: 'ISIC_0024308' has 0 diagnoses \(none\)"):
        read(spoilt)


def test_a_part_without_images_is_left_out_and_said_and_nothing_at_all_is_refused(spoilt):
    for path in (spoilt / "ISIC2018_Task3_Test_Input").glob("*.jpg"):
        path.unlink()
    manifest = read(spoilt)
    assert set(manifest.frame["split"]) == {"train", "val", "test"}
    note = "ISIC2018_Task3_Test_GroundTruth.csv: 24 of 24 rows have no image here and are left out"
    assert note in manifest.card.notes
    for path in spoilt.glob("ISIC2018_Task3_*_Input/*.jpg"):
        path.unlink()
    with pytest.raises(UsageError, match=r"the tables of ISIC 2018, task 3 are here, and not one of their images"):
        read(spoilt)


def test_counts_of_task_3_are_checked_by_part(tree):
    notes = read(tree[0]).card.notes
    assert notes[0].startswith(f"{TRAINING}.csv has 40 rows, 9,975 fewer than the 10,015 published (ISIC 2018, task 3)")
    assert notes[2].startswith(
        "ISIC2018_Task3_Validation_GroundTruth.csv has 16 rows, 177 fewer than the 193 published"
    )
    assert notes[3].startswith("ISIC2018_Task3_Test_GroundTruth.csv has 24 rows, 1,488 fewer than the 1,512 published")


def published_task_3(root, counts):
    """A table as large as the published one; of its images only one is here."""
    names = [code for code, count in zip(isic_trees.CODES, counts, strict=True) for _ in range(count)]
    rows = [
        ",".join([f"ISIC_{24306 + n:07d}", *("1.0" if one == code else "0.0" for one in isic_trees.CODES)])
        for n, code in enumerate(names)
    ]
    write_lines(root / f"{TRAINING}.csv", ["image," + ",".join(isic_trees.CODES), *rows])
    isic_trees.skin(root / "ISIC2018_Task3_Training_Input" / "ISIC_0024306.jpg", 0)


def test_the_published_size_with_one_row_less_or_one_label_changed_is_said(tmp_path):
    published_task_3(tmp_path, (1113, 6705, 514, 327, 1099, 115, 142))
    notes = read(tmp_path).card.notes
    assert notes[0] == f"{TRAINING}.csv has 10,015 rows and values as published (ISIC 2018, task 3)"
    published_task_3(tmp_path, (1112, 6705, 514, 327, 1099, 115, 142))
    assert "10,014 rows, 1 fewer than the 10,015 published" in read(tmp_path).card.notes[0]
    published_task_3(tmp_path, (1112, 6706, 514, 327, 1099, 115, 142))
    assert read(tmp_path).card.notes[:3] == (
        f"{TRAINING}.csv has 10,015 rows as published (ISIC 2018, task 3)",
        f"{TRAINING}.csv: melanoma = 1 in 1,112 rows, published: 1,113",
        f"{TRAINING}.csv: nevus = 1 in 6,706 rows, published: 6,705",
    )


def test_lesions_and_structures_of_tasks_1_and_2_and_no_malignancy_that_is_not_known(tree):
    manifest = read(tree[0], task=1)
    assert manifest.ids[:2] == ["ISIC_0000000", "ISIC_0000001"]
    assert manifest.frame["split"].to_list() == ["train"] * 40 + ["val"] * 16 + ["test"] * 24
    assert manifest.frame["mask.lesion"][79] == "ISIC2018_Task1_Test_GroundTruth/ISIC_0000079_segmentation.png"
    assert manifest.footprints == ("pigment_network", "negative_network", "streaks", "milia_like_cyst", "globules")
    assert manifest.frame["footprint.streaks"][4] == (
        "ISIC2018_Task2_Training_GroundTruth_v3/ISIC_0000004_attribute_streaks.png"
    )
    streaks, globules = (
        read_drawn(manifest.drawn("footprint", name)[4]).foreground for name in ("streaks", "globules")
    )
    assert (streaks.sum(), globules.any()) == (256, False)
    assert manifest.findings == ()
    assert any(note.startswith("malignancy of 40 of 80 images is not known") for note in manifest.card.notes)
    assert manifest.frame["attribute.ruler"].to_list()[:4] == [1, 0, 0, 1]
    notes = manifest.card.notes
    assert notes[0].startswith("ISIC2018_Task1-2_Training_Input has 40 rows, 2,554 fewer than the 2,594 published")
    assert "40 of 80 images have artefact labels of Bissoto et al. (isic_bias.csv)" in notes


def test_a_structure_becomes_an_attribute_by_a_rule(tree):
    manifest = read(tree[0], task=1, attributes={"streaks": "footprint.streaks"})
    assert manifest.frame["attribute.streaks"].to_list()[:10] == [0, 0, 0, 0, 1, 0, 0, 0, 0, 1]


def test_labelled_images_can_be_cut_into_splits(tree):
    manifest = read(tree[0], task=1, split="cut")
    assert (len(manifest), set(manifest.frame["split"])) == (40, {"train", "val", "test"})
    assert manifest.findings == ("malignant",)
    assert manifest.labels()[:, 0].tolist() == [float(n % 2) for n in range(40)]
    assert "the 40 training images alone are taken (dataset.options.split=cut)" in manifest.card.notes


def test_what_is_not_drawn_of_an_image_is_said(spoilt):
    (spoilt / "ISIC2018_Task1_Training_GroundTruth" / "ISIC_0000003_segmentation.png").unlink()
    (spoilt / "ISIC2018_Task2_Training_GroundTruth_v3" / "ISIC_0000003_attribute_globules.png").unlink()
    manifest = read(spoilt, task=1)
    assert manifest.sample(3).masks == {}
    assert "mask.lesion is not drawn in 1 of 40 images of train" in manifest.card.notes
    assert "footprint.globules is not drawn in 1 of 40 images of train" in manifest.card.notes


def test_lesions_without_the_tables_of_others_have_no_finding(tmp_path):
    isic_trees.write_isic2018_lesions(tmp_path)
    (tmp_path / "artefacts-annotation" / "isic_bias.csv").unlink()
    manifest = read(tmp_path, task=1)
    assert (manifest.findings, manifest.attributes, manifest.structures) == ((), (), ("lesion",))


def test_each_task_names_the_other_where_its_files_are_not_here(tmp_path):
    with pytest.raises(UsageError, match=r"no ISIC2018_Task3_Training_GroundTruth\.csv of ISIC 2018.*options\.task=1"):
        read(tmp_path)
    with pytest.raises(UsageError, match=r"no image in ISIC2018_Task1-2_Training_Input of ISIC 2018.*options\.task=3"):
        read(tmp_path, task=1)


def test_a_probability_above_one_is_refused(spoilt):
    rewrite(spoilt / "isic_inferred_wocarcinoma.csv", "ISIC_0024307,0.02", "ISIC_0024307,2")
    with pytest.raises(InputError, match=r"row 2, column 'dark_corner' holds '2'; expected a probability from 0 to 1"):
        read(spoilt)


def test_the_real_table_of_artefacts_is_as_published_and_one_changed_label_is_said(real_data, tmp_path):
    isic_trees.write_isic2018_lesions(tmp_path)
    path = tmp_path / "artefacts-annotation" / "isic_bias.csv"
    whole = (real_data / "annotations" / "isic" / "isic_bias.csv").read_text()
    path.write_text(whole)
    said = "isic_bias.csv has 2,594 rows and values as published (Bissoto et al. 2020)"
    assert said in read(tmp_path, task=1).card.notes
    header, first, rest = whole.split("\n", 2)
    cells = first.split(";")
    cells[6] = str(1 - int(cells[6]))
    path.write_text("\n".join([header, ";".join(cells), rest]))
    notes = read(tmp_path, task=1).card.notes
    assert said not in notes
    assert any(note.startswith("isic_bias.csv: ruler = ") for note in notes)


def test_real_images_masks_and_artefacts_agree_with_the_table_that_came_with_them(real_data, tmp_path):
    told = pl.read_csv(real_data / "isic2017" / "manifest.csv", infer_schema=False)
    told = told.filter(pl.col("ruler").is_not_null() & pl.col("mask_path").is_not_null()).head(60)
    images, masks = tmp_path / "ISIC2018_Task1-2_Training_Input", tmp_path / "ISIC2018_Task1_Training_GroundTruth"
    for folder, column in ((images, "image_path"), (masks, "mask_path")):
        folder.mkdir()
        for name in told[column]:
            shutil.copy(real_data / "isic2017" / name, folder)
    shutil.copytree(real_data / "annotations" / "isic", tmp_path / "artefacts-annotation")

    manifest = read(tmp_path, task=1, split="cut")

    assert manifest.ids == sorted(told["image_id"])
    told = told.sort("image_id")
    for ours, theirs in {"label.malignant": "label", "attribute.ruler": "ruler", "attribute.hair": "hair"}.items():
        assert manifest.frame[ours].to_list() == told[theirs].cast(pl.Float64).to_list()
    share = [read_drawn(cell).foreground.mean() for cell in manifest.drawn("mask", "lesion")]
    assert share == pytest.approx(told["mask_area_frac"].cast(pl.Float64).to_list(), abs=2e-4)
