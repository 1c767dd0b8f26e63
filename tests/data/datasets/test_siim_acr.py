"""SIIM-ACR with run lengths, and its PNG variant."""

import gzip
import shutil

import pytest
from trees.dicom_trees import write_siim, write_siim_folders, write_siim_png
from trees.pictures import film, save, square, write_lines

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.data.drawn import read_drawn
from shortcut_audit.errors import InputError, UsageError


def read(root, **options):
    return open_dataset(DatasetConfig(name="siim_acr", root=str(root), options=options))


def pixels(manifest, row):
    drawn = read_drawn(manifest.drawn("mask", "pneumothorax")[row], image=manifest.images()[row])
    return {(int(y), int(x)) for y, x in zip(*drawn.foreground.nonzero(), strict=True)}


def test_labels_masks_and_tubes_of_the_run_lengths(tmp_path):
    ids = write_siim(tmp_path)
    manifest = read(tmp_path)
    assert manifest.ids == ids
    assert manifest.labels()[:, 0].tolist() == [0, 1] * 20
    assert manifest.frame["attribute.chest_tube"].to_list() == [1, 0, 0] * 10 + [None] * 10
    place = "dicom-images-train/1.2.276.1.0/1.2.276.2.0"
    assert manifest.images()[0] == tmp_path.resolve() / place / f"{ids[0]}.dcm"
    assert pixels(manifest, 0) == set()
    two_columns = {(y, x) for y in range(10) for x in (1, 2)}
    assert pixels(manifest, 3) == two_columns
    assert pixels(manifest, 1) == two_columns | {(y, 512) for y in range(5)}


def test_the_films_may_be_png_under_their_ids(tmp_path):
    ids = write_siim(tmp_path, png=True)
    manifest = read(tmp_path)
    assert manifest.ids == ids
    assert manifest.images()[0] == tmp_path.resolve() / "train_png" / f"{ids[0]}.png"


def test_the_projection_can_be_read_from_the_films(tmp_path):
    write_siim(tmp_path)
    assert "view" not in read(tmp_path).frame.columns
    manifest = read(tmp_path, headers="read")
    assert manifest.frame["attribute.projection"].to_list()[:4] == ["AP", "PA", "PA", "AP"]
    assert manifest.attributes == ("chest_tube", "projection")


def test_where_no_film_states_its_projection_there_is_none(tmp_path):
    write_siim_png(tmp_path)
    manifest = read(tmp_path, headers="read")
    assert manifest.attributes == ()
    assert "projection: View Position of 0 of 40 films, from their headers" in manifest.card.notes


def test_the_cell_of_a_film_names_table_and_id(tmp_path):
    ids = write_siim(tmp_path)
    assert read(tmp_path).frame["mask.pneumothorax"].to_list()[:2] == ["empty", f"siim:train-rle.csv#{ids[1]}"]


@pytest.mark.parametrize("header", ["ImageId, EncodedPixels", "ImageId,EncodedPixels"])
def test_blanks_in_header_and_cells_do_not_matter(tmp_path, header):
    write_siim(tmp_path)
    expected = read(tmp_path).frame
    text = (tmp_path / "train-rle.csv").read_text()
    (tmp_path / "train-rle.csv").unlink()
    (tmp_path / "stage_2_train.csv").write_text(text.replace("ImageId, EncodedPixels", header).replace(", -1", ",-1"))
    frame = read(tmp_path).frame
    assert frame.drop("mask.pneumothorax").equals(expected.drop("mask.pneumothorax"))


def test_the_published_counts_are_said(tmp_path):
    write_siim(tmp_path)
    notes = read(tmp_path).card.notes
    assert notes[0] == "the table of masks has 40 rows, 12,007 fewer than the 12,047 published (Kaggle, stage 1)"


def test_films_that_the_table_does_not_name_are_counted(tmp_path):
    ids = write_siim(tmp_path)
    (note,) = (note for note in read(tmp_path).card.notes if "does not name" in note)
    assert note.startswith("films of dicom-images-train that train-rle.csv does not name, left out: 2, '1.2.276.0.")
    assert not any(name in note for name in ids)
    for name in ("1.2.276.1.40", "1.2.276.1.41"):
        shutil.rmtree(tmp_path / "dicom-images-train" / name)
    assert not any("does not name" in note for note in read(tmp_path).card.notes)


def test_films_without_an_image_are_left_out(tmp_path):
    ids = write_siim(tmp_path)
    next(tmp_path.glob(f"dicom-images-train/*/*/{ids[7]}.dcm")).unlink()
    manifest = read(tmp_path)
    assert ids[7] not in manifest.ids
    assert "1 of 40 rows have no image here and are left out" in manifest.card.notes


def test_minus_one_beside_a_mask_is_refused(tmp_path):
    write_siim(tmp_path)
    write_lines(tmp_path / "train-rle.csv", ["ImageId, EncodedPixels", "a, 1 2", "b, -1", "a, -1"])
    with pytest.raises(
        InputError, match=r"train-rle\.csv: row 3 says that 'a' has no pneumothorax, another row draws one"
    ):
        read(tmp_path)


def test_a_blank_mask_is_refused(tmp_path):
    write_siim(tmp_path)
    write_lines(tmp_path / "train-rle.csv", ["ImageId, EncodedPixels", "a, -1", "b,"])
    with pytest.raises(InputError, match=r"row 2, column 'EncodedPixels' is blank"):
        read(tmp_path)


def test_without_a_table_it_says_what_was_looked_for(tmp_path):
    with pytest.raises(UsageError, match=r"no train-rle\.csv or stage_2_train\.csv of SIIM-ACR"):
        read(tmp_path)


def test_the_png_variant(tmp_path):
    ids = write_siim_png(tmp_path)
    manifest = read(tmp_path)
    assert manifest.ids == ids
    assert manifest.labels()[:, 0].tolist() == [0, 1] * 20
    assert set(manifest.frame["split"][30:]) == {"test"}
    assert manifest.frame["mask.pneumothorax"][0] == "empty"
    folder = "siim-acr-pneumothorax"
    assert manifest.frame["mask.pneumothorax"][1] == f"{folder}/png_masks/1_train_1_.png"
    assert manifest.frame["image"][31] == f"{folder}/png_images/31_test_1_.png"
    assert pixels(manifest, 1) == {(y, x) for y in range(16) for x in range(16)}


def test_a_name_that_contradicts_the_table_is_refused(tmp_path):
    save(tmp_path / "png_images" / "0_train_1_.png", film(0, ill=True))
    write_lines(tmp_path / "stage_1_train_images.csv", [",new_filename,ImageId,has_pneumo", "0,0_train_1_.png,a,0"])
    with pytest.raises(InputError, match=r"row 1: the file '0_train_1_\.png' and has_pneumo '0' do not agree"):
        read(tmp_path)


def test_folders_without_a_table(tmp_path):
    ids = write_siim_folders(tmp_path)
    manifest = read(tmp_path)
    row = {name: manifest.ids.index(name) for name in ids}
    labels = manifest.labels()[:, 0]
    assert [labels[row[name]] for name in ids] == [0, 1] * 20
    assert manifest.frame["image"][row[ids[0]]] == f"train_png/{ids[0]}.png"
    masks = manifest.frame["mask.pneumothorax"].to_list()
    assert [masks[row[name]] for name in ids[:3]] == ["empty", f"mask/{ids[1]}.png", "empty"]
    assert pixels(manifest, row[ids[1]]) == {(y, x) for y in range(16) for x in range(16)}
    assert [manifest.frame["attribute.chest_tube"][row[name]] for name in ids[:4]] == [1, 0, 0, 1]
    assert manifest.card.release == "folders of PNG"
    assert manifest.card.notes == (
        "the folder of films has 40 rows, 12,007 fewer than the 12,047 published (Kaggle, stage 1)",
        "no split was given: patients are cut 60/20/20 into train, val and test by a hash of their id",
        "15 of 40 films have no mask and count as films without pneumothorax",
        "5 of 25 masks have no pixel: their films count as films without pneumothorax",
        "no patient ids: each image counts as its own patient",
    )


def test_folders_may_lie_one_folder_deeper(tmp_path):
    ids = write_siim_folders(tmp_path / "siim")
    assert f"siim/mask/{ids[1]}.png" in read(tmp_path).frame["mask.pneumothorax"].to_list()


def test_films_have_the_same_split_with_a_table_and_without(tmp_path):
    write_siim(tmp_path / "table")
    write_siim_folders(tmp_path / "folders")
    both = [read(tmp_path / name).frame.select("sample_id", "split").sort("sample_id") for name in ("table", "folders")]
    assert both[0].equals(both[1])


def test_a_table_goes_before_folders(tmp_path):
    ids = write_siim(tmp_path, png=True)
    save(tmp_path / "mask" / f"{ids[0]}.png", square())
    manifest = read(tmp_path)
    assert (manifest.card.release, manifest.labels()[0, 0]) == ("DICOM", 0)


def test_films_without_table_and_masks_are_no_set(tmp_path):
    save(tmp_path / "train_png" / "a.png", square())
    with pytest.raises(UsageError, match=r"no train-rle\.csv or stage_2_train\.csv of SIIM-ACR"):
        read(tmp_path)


def test_the_table_of_run_lengths_may_be_packed(tmp_path):
    write_siim(tmp_path)
    path = tmp_path / "train-rle.csv"
    (tmp_path / "train-rle.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    assert pixels(read(tmp_path), 3) == {(y, x) for y in range(10) for x in (1, 2)}


def test_blanks_around_ids_do_not_part_an_image_from_its_mask(tmp_path):
    ids = write_siim(tmp_path)
    path = tmp_path / "train-rle.csv"
    path.write_text(path.read_text().replace(",", " ,"))
    manifest = read(tmp_path)
    assert manifest.ids == ids
    assert pixels(manifest, 3) == {(y, x) for y in range(10) for x in (1, 2)}
