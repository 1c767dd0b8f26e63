"""ISIC 2017 and the trap sets of Bissoto et al."""

import pytest
from trees.isic_trees import write_bias_traps, write_isic2017, write_traps
from trees.pictures import save, square, write_lines

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.errors import InputError, UsageError


def read(name, root, **options):
    return open_dataset(DatasetConfig(name=name, root=str(root), options=options))


def test_labels_lesions_people_and_artefacts_of_2017(tmp_path):
    ids = write_isic2017(tmp_path)
    manifest = read("isic2017", tmp_path)
    assert manifest.ids == ids
    assert manifest.findings == ("melanoma", "seborrheic_keratosis")
    assert manifest.labels()[:4].tolist() == [[0, 0], [1, 0], [0, 1], [1, 0]]
    assert manifest.frame["split"].to_list() == ["train"] * 24 + ["val"] * 8 + ["test"] * 16
    sample = manifest.sample(0)
    assert sample.image == tmp_path.resolve() / "ISIC-2017_Training_Data" / "ISIC_0000000.jpg"
    assert manifest.frame["mask.lesion"][40] == "ISIC-2017_Test_v2_Part1_GroundTruth/ISIC_0000040_segmentation.png"
    assert manifest.frame.select("age", "sex").rows()[:3] == [("20", None), (None, "female"), ("22", None)]
    assert manifest.frame["attribute.ruler"].to_list()[:4] == [1, 0, 0, 1]
    assert manifest.frame["attribute.hair"].to_list()[39:41] == [1, None]
    assert "40 of 48 images have artefact labels of Bissoto et al. (isic_bias.csv)" in manifest.card.notes


def test_counts_of_2017_are_checked_by_part(tmp_path):
    write_isic2017(tmp_path)
    notes = read("isic2017", tmp_path).card.notes
    assert notes[0].startswith("ISIC-2017_Training_Part3_GroundTruth.csv has 24 rows, 1,976 fewer than the 2,000")
    assert notes[2].startswith("ISIC-2017_Test_v2_Part3_GroundTruth.csv has 16 rows, 584 fewer than the 600")


def test_an_image_that_is_not_there_is_left_out(tmp_path):
    ids = write_isic2017(tmp_path)
    (tmp_path / "ISIC-2017_Training_Data" / f"{ids[3]}.jpg").unlink()
    manifest = read("isic2017", tmp_path)
    assert ids[3] not in manifest.ids
    note = "ISIC-2017_Training_Part3_GroundTruth.csv: 1 of 24 rows have no image here and are left out"
    assert note in manifest.card.notes


def test_a_repeated_id_is_refused(tmp_path):
    write_isic2017(tmp_path)
    path = tmp_path / "ISIC-2017_Training_Part3_GroundTruth.csv"
    write_lines(path, ["image_id,melanoma,seborrheic_keratosis", "ISIC_0000001,0.0,0.0", "ISIC_0000001,1.0,0.0"])
    with pytest.raises(InputError, match=r"the image_id 'ISIC_0000001' stands in row 1 and again in row 2"):
        read("isic2017", tmp_path)


def test_another_folder_is_a_usage_error(tmp_path):
    with pytest.raises(
        UsageError, match=r"no ISIC-2017_Training_Part3_GroundTruth\.csv of ISIC 2017, neither here nor"
    ):
        read("isic2017", tmp_path)
    with pytest.raises(UsageError, match=r"no isic_annotated_train1\.csv of the trap sets in any folder here"):
        read("isic_traps", tmp_path)


def test_images_of_val_are_taken_out_of_train_and_it_is_said(tmp_path):
    ids = write_traps(tmp_path)
    manifest = read("isic_traps", tmp_path)
    assert manifest.split("train").ids == ids[:30]
    assert manifest.split("val").ids == ids[30:40]
    assert manifest.split("test").ids == ids[40:]
    assert "10 images of val are in train upstream; here they are in val only" in manifest.card.notes
    assert manifest.card.test_design == "reversed"
    assert manifest.labels()[:3, 0].tolist() == [0, 1, 0]
    assert manifest.frame["attribute.ruler"].to_list()[:4] == [1, 0, 0, 1]
    assert "vasc" not in manifest.attributes
    assert manifest.frame["mask.lesion"][0] == "ISIC2018_Task1_Training_GroundTruth/ISIC_0000000_segmentation.png"


def test_a_test_image_in_val_is_refused(tmp_path):
    write_traps(tmp_path)
    path = tmp_path / "trap-sets" / "isic_annotated_test1.csv"
    path.write_text(path.read_text().replace("ISIC_0000040", "ISIC_0000030"))
    with pytest.raises(InputError, match=r"isic_annotated_test1\.csv: 'ISIC_0000030' is in two splits"):
        read("isic_traps", tmp_path)


@pytest.mark.parametrize(
    ("name", "write", "table", "cell", "column"),
    [
        ("isic2017", write_isic2017, "ISIC-2017_Training_Part3_GroundTruth.csv", ("3,1.0,", "3,,"), "melanoma"),
        ("isic_traps", write_traps, "trap-sets/isic_annotated_val1.csv", (",1,malignant", ",,malignant"), "label"),
    ],
)
def test_a_blank_label_is_refused_as_it_would_be_read_as_negative(tmp_path, name, write, table, cell, column):
    write(tmp_path)
    path = tmp_path / table
    path.write_text(path.read_text().replace(*cell, 1))
    with pytest.raises(InputError, match=rf"row \d+, column '{column}' is blank; every row needs one"):
        read(name, tmp_path)


def test_trap_sets_without_images_are_a_usage_error(tmp_path):
    write_traps(tmp_path)
    (tmp_path / "ISIC2018_Task1-2_Training_Input").rename(tmp_path / "elsewhere")
    for path in (tmp_path / "elsewhere").iterdir():
        path.unlink()
    with pytest.raises(UsageError, match=r"the tables of the trap sets are here, and not one of their images"):
        read("isic_traps", tmp_path)


BIAS = {"bias": 0.5, "trap": 2}


def test_trap_sets_of_2022_have_artefacts_as_a_model_sees_them(tmp_path):
    ids = write_bias_traps(tmp_path)
    manifest = read("isic_traps", tmp_path, **BIAS)
    assert [manifest.split(split).ids for split in ("train", "val", "test")] == [ids[:30], ids[30:40], ids[40:]]
    assert manifest.findings == ("malignant",)
    assert manifest.labels()[:4, 0].tolist() == [0, 1, 0, 1]
    assert manifest.frame["attribute.ruler_inferred"].to_list()[:4] == [1, 0, 0, 1]
    assert len(manifest.attributes) == 7
    assert manifest.frame["image"][5] == "ISIC_2019_Training_Input/ISIC_0000005_downsampled.jpg"
    assert "mask.lesion" not in manifest.frame.columns
    card = manifest.card
    assert (card.name, card.release, card.test_design) == ("ISIC 2019, trap set", "trap set 2, bias 0.5", "reversed")
    assert card.notes[0] == "artefacts are probabilities of a model of Bissoto et al. 2022, cut above 0.6"
    published = "20,539 fewer than the 20,599 published (row numbers of Bissoto et al. 2022)"
    assert card.notes[1:3] == (
        f"isic_inferred_wocarcinoma.csv has 60 rows, {published}",
        "images and labels are those of isic_inferred_wocarcinoma.csv",
    )
    assert not [note for note in card.notes if "in train upstream" in note]
    lower = read("isic_traps", tmp_path, **BIAS, threshold=0.5)
    assert lower.frame["attribute.ruler_inferred"].to_list()[:4] == [1, 1, 0, 1]


def test_one_label_or_row_changed_in_a_trap_set_of_2022_is_said(tmp_path):
    ids = write_bias_traps(tmp_path)
    path = tmp_path / "trap_sets/test_bias_0.5_2.csv"
    lines = path.read_text().splitlines()
    assert lines[3].endswith(f"{ids[42]},0.02,0.98,0.05,0.7,0.9786948561668396,0.01,1e-05,0.03,0,malignant")
    path.write_text("\n".join([*lines[:3], lines[3].replace(",0,malignant", ",1,malignant"), *lines[4:]]) + "\n")
    notes = read("isic_traps", tmp_path, **BIAS).card.notes
    other = (
        "images of another label in isic_inferred_wocarcinoma.csv: 1, 'ISIC_0000042' for one; fetch the tables again"
    )
    assert other in notes
    path.write_text("\n".join([*lines[:3], *lines[4:]]) + "\n")
    notes = read("isic_traps", tmp_path, **BIAS).card.notes
    gone = "images in isic_inferred_wocarcinoma.csv and in none of the three tables: 1, 'ISIC_0000042' for one"
    assert any(note.startswith(gone) for note in notes)
    whole = tmp_path / "isic_inferred_wocarcinoma.csv"
    path.write_text("\n".join(lines) + "\n")
    whole.write_text("\n".join(line for line in whole.read_text().splitlines() if ids[42] not in line) + "\n")
    notes = read("isic_traps", tmp_path, **BIAS).card.notes
    new = "images in one of the three tables and not in isic_inferred_wocarcinoma.csv: 1, 'ISIC_0000042' for one"
    assert any(note.startswith(new) for note in notes)
    whole.unlink()
    assert any("compared with nothing" in note for note in read("isic_traps", tmp_path, **BIAS).card.notes)


def test_images_of_val_are_taken_out_of_train_in_2022_as_well(tmp_path):
    ids = write_bias_traps(tmp_path)
    tables = tmp_path / "trap_sets"
    train, val = tables / "train_bias_0.5_2.csv", (tables / "val_bias_0.5_2.csv").read_text().splitlines()
    train.write_text(train.read_text() + "\n".join(val[1:3]) + "\n")
    manifest = read("isic_traps", tmp_path, **BIAS)
    assert manifest.split("train").ids == ids[:30]
    assert manifest.split("val").ids == ids[30:40]
    assert "2 images of val are in train upstream; here they are in val only" in manifest.card.notes


def test_without_bias_the_test_set_is_drawn_by_chance_and_not_reversed(tmp_path):
    write_bias_traps(tmp_path)
    for path in sorted((tmp_path / "trap_sets").iterdir()):
        path.rename(path.with_name(path.name.replace("0.5", "0")))
    card = read("isic_traps", tmp_path, bias=0, trap=2).card
    assert (card.release, card.test_design) == ("trap set 2, bias 0", "natural")


def test_a_probability_of_a_trap_set_out_of_range_is_refused(tmp_path):
    write_bias_traps(tmp_path)
    path = tmp_path / "trap_sets" / "test_bias_0.5_2.csv"
    path.write_text(path.read_text().replace("ISIC_0000041,0.02", "ISIC_0000041,2"))
    with pytest.raises(
        InputError, match=r"test_bias_0\.5_2\.csv: row 2, column 'dark_corner' holds '2'; expected a prob"
    ):
        read("isic_traps", tmp_path, **BIAS)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"threshold": 0.5}, r"threshold: only the trap sets of 2022 have probabilities to cut; name one with .*bias"),
        ({"trap": 6}, r"trap: '6' is not one of 1, 2, 3, 4, 5$"),
        ({"bias": 0.4}, r"bias: '0\.4' is not one of 0, 0\.3, 0\.5, 0\.7, 0\.9, 1$"),
        ({"bias": 0.5, "trap": 11}, r"trap: '11' is not one of 1, 2, .*, 10$"),
        ({"bais": 0.5}, r"no such option \(did you mean 'bias'\?\); it has: trap, bias, threshold"),
        ({"bias": 0.5, "trap": 3}, r"no train_bias_0\.5_3\.csv of the trap sets in any folder here"),
    ],
)
def test_options_of_the_trap_sets_that_are_refused(tmp_path, options, said):
    write_bias_traps(tmp_path)
    with pytest.raises(UsageError, match=said):
        read("isic_traps", tmp_path, **options)


@pytest.mark.parametrize("trap", [1, 2, 3, 4, 5])
def test_the_real_trap_sets(real_data, trap):
    manifest = read("isic_traps", real_data, trap=trap)
    notes = manifest.card.notes
    assert [note for note in notes if "as published" in note] == list(notes[:3])
    assert "259 images of val are in train upstream; here they are in val only" in notes
    test = manifest.split("test")
    train = manifest.split("train")
    assert not set(test.ids) & set(train.ids)
    ruler = [part.frame["attribute.ruler"].to_numpy() for part in (train, test)]
    label = [part.labels()[:, 0] for part in (train, test)]
    together = [((r - r.mean()) * (y - y.mean())).mean() for r, y in zip(ruler, label, strict=True)]
    assert together[0] > 0 > together[1]


def test_an_image_that_lies_there_twice_is_said_with_the_one_that_is_taken(tmp_path):
    ids = write_traps(tmp_path)
    save(tmp_path / "smaller" / f"{ids[0]}.jpg", square())
    manifest = open_dataset(DatasetConfig(name="isic_traps", root=str(tmp_path)))
    taken = manifest.frame.filter(sample_id=ids[0])["image"][0]
    assert taken == f"smaller/{ids[0]}.jpg"
    assert f"images that lie here more than once: 1, the first '{ids[0]}': {taken} is taken" in manifest.card.notes


def test_masks_of_two_challenges_are_refused_where_they_differ_and_the_image_is_asked_for(tmp_path):
    ids = write_traps(tmp_path)
    folders = [tmp_path / f"ISIC{part}_GroundTruth" for part in ("-2017_Training_Part1", "2018_Task1_Training")]
    for folder in folders:
        save(folder / f"{ids[0]}_segmentation.png", square())
    save(folders[0] / "ISIC_9999999_segmentation.png", square())
    save(folders[1] / "ISIC_9999999_segmentation.png", 255 - square())
    assert read("isic_traps", tmp_path).frame.filter(sample_id=ids[0])["mask.lesion"][0].endswith("_segmentation.png")
    save(folders[1] / f"{ids[0]}_segmentation.png", 255 - square())
    with pytest.raises(InputError, match=rf"'{ids[0]}' has two masks that differ: \S+{ids[0]}_\S+ and \S+; keep one"):
        read("isic_traps", tmp_path)


def test_an_artefact_is_there_or_not_or_nobody_looked(tmp_path):
    write_isic2017(tmp_path)
    path = tmp_path / "isic_bias.csv"
    cells = path.read_text().splitlines()
    cells[1] = ";".join("" if n in range(2, 9) else cell for n, cell in enumerate(cells[1].split(";")))
    path.write_text("\n".join(cells))
    assert read("isic2017", tmp_path).frame["attribute.ruler"].to_list()[:4] == [None, 0, 0, 1]
    cells[2] = cells[2].replace(";0;", ";-1;", 1)
    path.write_text("\n".join(cells))
    with pytest.raises(InputError, match=r"isic_bias\.csv: row 2, column '\w+' holds '-1'; expected 1, 0 or blank"):
        read("isic2017", tmp_path)
