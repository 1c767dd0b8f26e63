"""ISIC 2016, ISIC 2019 and HAM10000: labels, lesions as patients, dialects, published counts."""

import pytest
from trees import isic_trees
from trees.pictures import write_lines

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.errors import InputError, UsageError

CUT = "no split was given: patients are cut 60/20/20 into train, val and test by a hash of their id"
ONE_LESION = "who is whose is not known: images of one lesion count as one patient"


def read(name, root, **options):
    return open_dataset(DatasetConfig(name=name, root=str(root), options=options))


def rewrite(path, old, new):
    path.write_text(path.read_text().replace(old, new, 1))


def test_words_and_numbers_of_2016_are_one_label(tmp_path):
    ids = isic_trees.write_isic2016(tmp_path)
    manifest = read("isic2016", tmp_path)
    assert manifest.ids == ids
    assert manifest.labels(("malignant",))[:, 0].tolist() == [float(n % 2) for n in range(72)]
    assert manifest.frame["mask.lesion"][50] == "ISBI2016_ISIC_Part1_Test_GroundTruth/ISIC_0000050_Segmentation.png"
    assert manifest.frame["attribute.ruler"].to_list()[:4] == [1, 0, 0, 1]
    splits = manifest.frame["split"].to_list()
    assert (set(splits[:48]), set(splits[48:])) == ({"train", "val"}, {"test"})
    assert "val is 5% of the training patients by a hash of their id" in manifest.card.notes


def test_a_header_that_somebody_gave_to_2016_is_read(tmp_path):
    isic_trees.write_isic2016(tmp_path)
    path = tmp_path / "ISBI2016_ISIC_Part3_Training_GroundTruth.csv"
    expected = read("isic2016", tmp_path).labels()
    path.write_text("image_name,target\n" + path.read_text())
    assert (read("isic2016", tmp_path).labels() == expected).all()


def test_another_word_is_refused_by_2016(tmp_path):
    isic_trees.write_isic2016(tmp_path)
    rewrite(tmp_path / "ISBI2016_ISIC_Part3_Training_GroundTruth.csv", "ISIC_0000001,malignant", "ISIC_0000001,malign")
    with pytest.raises(InputError, match=r"row 2: 'ISIC_0000001' is 'malign'; expected malignant or benign, or 1 or 0"):
        read("isic2016", tmp_path)


def test_counts_of_2016_one_row_less_and_one_label_changed(tmp_path):
    def write(malignant, benign):
        words = ["malignant"] * malignant + ["benign"] * benign
        lines = [f"ISIC_{n:07d},{word}" for n, word in enumerate(words)]
        write_lines(tmp_path / "ISBI2016_ISIC_Part3_Training_GroundTruth.csv", lines)
        return read("isic2016", tmp_path).card.notes

    isic_trees.skin(tmp_path / "ISBI2016_ISIC_Part3_Training_Data" / "ISIC_0000000.jpg", 0)
    name = "ISBI2016_ISIC_Part3_Training_GroundTruth.csv"
    assert write(173, 727)[0] == f"{name} has 900 rows and values as published (ISIC 2016)"
    assert "899 rows, 1 fewer than the 900 published" in write(173, 726)[0]
    assert f"{name}: malignant = 1 in 172 rows, published: 173" in write(172, 728)


def test_diagnoses_lesions_sites_and_longer_names_of_2019(tmp_path):
    ids = isic_trees.write_isic2019(tmp_path)
    manifest = read("isic2019", tmp_path)
    assert manifest.ids == ids
    assert ids[5] == "ISIC_0000005_downsampled"
    assert manifest.frame["image"][5] == "ISIC_2019_Training_Input/ISIC_0000005_downsampled.jpg"
    assert manifest.findings == (
        "melanoma", "nevus", "basal_cell_carcinoma", "actinic_keratosis", "benign_keratosis", "dermatofibroma",
        "vascular_lesion", "squamous_cell_carcinoma",
    )  # fmt: skip
    assert manifest.labels()[[1, 6, 12, 110]].astype(int).tolist() == [
        [1, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 1, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0, 0],
    ]
    owners = manifest.frame["patient_id"].to_list()
    assert owners[4:8] == ["BCN_0000002", "BCN_0000003", "BCN_0000002", "ISIC_0000007"]
    assert manifest.frame["attribute.anatomic_site"].to_list()[:4] == [
        "anterior torso", "head/neck", "head/neck", "anterior torso",
    ]  # fmt: skip
    assert manifest.frame["attribute.anatomic_site"][9] is None
    assert manifest.frame["attribute.ruler_inferred"].to_list()[3:6] == [1, 0, 0]
    notes = manifest.card.notes
    assert "ISIC_2019_Test_GroundTruth.csv: 1 images have none of the 8 diagnoses (UNK)" in notes
    assert ONE_LESION in notes
    assert "112 of 112 images have probabilities of artefacts by a model" in " ".join(notes)


def test_2019_without_test_and_metadata_is_cut_by_image(tmp_path):
    isic_trees.write_isic2019(tmp_path)
    for name in ("Test_GroundTruth", "Test_Metadata", "Training_Metadata"):
        (tmp_path / f"ISIC_2019_{name}.csv").unlink()
    manifest = read("isic2019", tmp_path)
    assert (len(manifest), set(manifest.frame["split"])) == (80, {"train", "val", "test"})
    assert "anatomic_site" not in manifest.attributes
    assert CUT in manifest.card.notes


def test_a_flipped_label_of_2019_is_named(tmp_path):
    isic_trees.write_isic2019(tmp_path)
    rewrite(tmp_path / "ISIC_2019_Training_GroundTruth.csv", "ISIC_0000001,1.0", "ISIC_0000001,0.0")
    with pytest.raises(InputError, match=r"row 2: 'ISIC_0000001' has 0 diagnoses \(none\); expected 1 in one of MEL"):
        read("isic2019", tmp_path)


def published_rows(ids, codes, counts):
    found = [code for code, count in zip(codes, counts, strict=True) for _ in range(count)]
    return [",".join([ids(n), *("1.0" if one == code else "0.0" for one in codes)]) for n, code in enumerate(found)]


def test_counts_of_2019_one_row_less_and_one_label_changed(tmp_path):
    codes, counts = isic_trees.CODES_2019, [4522, 12875, 3323, 867, 2624, 239, 253, 628]
    name = "ISIC_2019_Training_GroundTruth.csv"
    isic_trees.skin(tmp_path / "ISIC_2019_Training_Input" / "ISIC_0000000.jpg", 0)

    def notes(counts):
        rows = published_rows("ISIC_{:07d}".format, codes, counts)
        write_lines(tmp_path / name, ["image," + ",".join(codes), *rows])
        return read("isic2019", tmp_path).card.notes

    assert notes(counts)[0] == f"{name} has 25,331 rows and values as published (ISIC 2019)"
    assert "25,330 rows, 1 fewer than the 25,331" in notes([4521, *counts[1:]])[0]
    assert f"{name}: nevus = 1 in 12,876 rows, published: 12,875" in notes([4521, 12876, *counts[2:]])


@pytest.mark.parametrize(("ending", "separator"), [(".csv", ","), (".tab", "\t"), ("", ",")])
def test_diagnoses_lesions_and_clinic_of_ham10000(tmp_path, ending, separator):
    ids = isic_trees.write_ham10000(tmp_path, ending, separator)
    manifest = read("ham10000", tmp_path)
    assert manifest.ids == ids
    assert manifest.labels(("melanoma", "nevus"))[:3].tolist() == [[0, 1], [1, 0], [0, 0]]
    assert manifest.frame["patient_id"].to_list()[:4] == ["HAM_0000000", "HAM_0000001", "HAM_0000000", "HAM_0000001"]
    assert manifest.frame.select("site", "sex", "age").rows()[:2] == [
        ("vidir_modern", "male", "20.0"), ("rosendahl", None, "21.0"),
    ]  # fmt: skip
    assert manifest.frame["age"][5] is None
    assert manifest.frame["attribute.anatomic_site"].to_list()[2:5] == ["back", "scalp", None]
    assert manifest.frame["mask.lesion"][0] == "HAM10000_segmentations_lesion_tschandl/ISIC_0024306_segmentation.png"
    assert manifest.frame["image"][60] == "HAM10000_images_part_2/ISIC_0024366.jpg"
    assert {CUT, ONE_LESION} <= set(manifest.card.notes)


def test_ham10000_without_the_clinic_and_with_folders_of_kaggle_twice(tmp_path):
    isic_trees.write_ham10000(tmp_path)
    path = tmp_path / "HAM10000_metadata.csv"
    path.write_text("".join(line.rpartition(",")[0] + "\n" for line in path.read_text().splitlines()))
    isic_trees.skin(tmp_path / "ham10000_images_part_1" / "ISIC_0024306.jpg", 0)
    manifest = read("ham10000", tmp_path)
    assert "site" not in manifest.frame.columns
    assert len(manifest) == 100


def test_another_diagnosis_and_a_blank_lesion_are_refused_by_ham10000(tmp_path):
    isic_trees.write_ham10000(tmp_path)
    path = tmp_path / "HAM10000_metadata.csv"
    rewrite(path, "ISIC_0024307,mel", "ISIC_0024307,melanom")
    with pytest.raises(InputError, match=r"row 2, column 'dx' holds 'melanom'; expected one of mel, nv, bcc, akiec"):
        read("ham10000", tmp_path)
    rewrite(path, "HAM_0000001,ISIC_0024307,melanom", ",ISIC_0024307,mel")
    with pytest.raises(InputError, match=r"row 2, column 'lesion_id' is blank"):
        read("ham10000", tmp_path)


def test_counts_of_ham10000_one_row_less_one_label_and_one_lesion_changed(tmp_path):
    codes, counts = [code.lower() for code in isic_trees.CODES], [1113, 6705, 514, 327, 1099, 115, 142]
    isic_trees.skin(tmp_path / "HAM10000_images_part_1" / "ISIC_0000000.jpg", 0)

    def notes(counts, lesions=7470):
        found = [code for code, count in zip(codes, counts, strict=True) for _ in range(count)]
        rows = [f"HAM_{n % lesions:07d},ISIC_{n:07d},{dx},histo,50.0,male,back" for n, dx in enumerate(found)]
        write_lines(tmp_path / "HAM10000_metadata.csv", ["lesion_id,image_id,dx,dx_type,age,sex,localization", *rows])
        return read("ham10000", tmp_path).card.notes

    assert notes(counts)[0] == "HAM10000_metadata has 10,015 rows and values as published (Tschandl et al. 2018)"
    assert "10,014 rows, 1 fewer than the 10,015" in notes([1112, *counts[1:]])[0]
    assert "HAM10000_metadata: melanoma = 1 in 1,112 rows, published: 1,113" in notes([1112, 6706, *counts[2:]])
    assert "HAM10000_metadata: 7,469 patients, published: 7,470" in notes(counts, lesions=7469)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("isic2016", "ISBI2016_ISIC_Part3_Training_GroundTruth.csv of ISIC 2016"),
        ("isic2019", "ISIC_2019_Training_GroundTruth.csv or"),
        ("ham10000", "HAM10000_metadata.csv or HAM10000_metadata.tab"),
    ],
)
def test_another_folder_names_the_file_that_is_missing(tmp_path, name, file):
    with pytest.raises(UsageError, match=rf"no {file}"):
        read(name, tmp_path)


@pytest.mark.parametrize("name", ["isic2016", "isic2019", "ham10000"])
def test_the_only_option_is_the_threshold(tmp_path, name):
    with pytest.raises(UsageError, match=r"no such option.*; it has: threshold"):
        read(name, tmp_path, task=1)
