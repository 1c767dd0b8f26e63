"""JSRT with the masks of SCR, and its raw films."""

import shutil

import numpy as np
import pytest
from trees.chest_trees import write_jsrt, write_jsrt_site
from trees.pictures import save, square

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.data.decode import BadImageError, decode
from shortcut_audit.data.drawn import read_drawn
from shortcut_audit.errors import InputError, UsageError


def read(root):
    return open_dataset(DatasetConfig(name="jsrt", root=str(root)))


def test_labels_folds_and_structures(tmp_path):
    names = write_jsrt(tmp_path)
    manifest = read(tmp_path)
    assert manifest.ids == names
    assert manifest.labels()[:, 0].tolist() == [1] * 24 + [0] * 20
    assert manifest.structures == ("lung", "heart", "clavicle")
    split = dict(zip(manifest.ids, manifest.frame["split"], strict=True))
    assert all((split[name] == "test") == (int(name[-1]) % 2 == 0) for name in names)
    lung = read_drawn(manifest.drawn("mask", "lung")[0]).foreground
    assert (lung[:16, :8].all(), lung[:16, 16:24].all(), int(lung.sum())) == (True, True, 256)
    assert int(read_drawn(manifest.drawn("mask", "heart")[0]).foreground.sum()) == 128


def test_half_a_structure_is_no_mask(tmp_path):
    write_jsrt(tmp_path)
    (tmp_path / "scratch/fold1/masks/left lung/JPCLN001.gif").unlink()
    masks = read(tmp_path).frame["mask.lung"].to_list()
    assert masks[0] is None
    assert masks[1] == "scratch/fold2/masks/left lung/JPCLN002.gif|scratch/fold2/masks/right lung/JPCLN002.gif"


@pytest.mark.parametrize("folder", ["left_lung", "Left Lung"])
def test_folders_of_masks_are_spelled_in_other_ways(tmp_path, folder):
    write_jsrt(tmp_path)
    for fold in ("fold1", "fold2"):
        masks = tmp_path / "scratch" / fold / "masks"
        (masks / "left lung").rename(masks / folder)
    assert read(tmp_path).frame["mask.lung"].null_count() == 0


def test_an_empty_folder_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"no film such as JPCLN001\.IMG or JPCLN001\.png; name the folder"):
        read(tmp_path)


@pytest.mark.parametrize("inside", ["", "Segmentation01"])
def test_lungs_of_segmentation01_are_read(tmp_path, inside):
    ids = write_jsrt_site(tmp_path, "Segmentation01", train=50, test=10)
    manifest = read(tmp_path / inside)
    assert sorted(manifest.ids) == sorted(ids)
    assert (manifest.findings, manifest.structures) == (("lung",), ("lung",))
    assert set(manifest.frame["label.lung"]) == {1.0}
    split = dict(zip(manifest.ids, manifest.frame["split"], strict=True))
    assert [split[name] for name in ids[50:]] == ["test"] * 10
    assert {split[name] for name in ids[:50]} == {"train", "val"}
    at = manifest.ids.index("train-1")
    assert int(read_drawn(manifest.drawn("mask", "lung")[at]).foreground.sum()) == int((square() > 0).sum())
    assert manifest.card.notes[0] == "Segmentation01 has 60 rows and values as published (JSRT)"
    assert "Segmentation01 does not say which films show a nodule: lung counts as a finding" in manifest.card.notes[1]


def test_lungs_and_hearts_of_segmentation02_are_grey_levels_of_one_picture(tmp_path):
    ids = write_jsrt_site(tmp_path, "segmentation02", train=199, test=48)
    manifest = read(tmp_path)
    assert sorted(manifest.ids) == sorted(ids)
    assert manifest.structures == ("lung", "heart")
    lung, heart = (read_drawn(manifest.drawn("mask", name)[0]) for name in ("lung", "heart"))
    # In the tree, 85 (heart) is the upper right quarter of the picture and 255 (lung) the lower right one.
    assert (lung.foreground[16:, 16:].all(), int(lung.foreground.sum())) == (True, 256)
    assert (heart.foreground[:16, 16:].all(), int(heart.foreground.sum())) == (True, 256)
    assert manifest.card.notes[0] == "segmentation02 has 247 rows and values as published (JSRT)"


def test_a_zip_of_the_site_with_a_film_less_is_said(tmp_path):
    write_jsrt_site(tmp_path, "segmentation02", train=199, test=47)
    notes = read(tmp_path).card.notes
    assert notes[0] == "segmentation02 has 246 rows, 1 fewer than the 247 published (JSRT)"


def test_a_film_of_the_site_that_nobody_drew_has_no_mask(tmp_path):
    write_jsrt_site(tmp_path, "segmentation02")
    (tmp_path / "segmentation02/segmentation/label_train/case002_label.png").unlink()
    manifest = read(tmp_path)
    masks = dict(zip(manifest.ids, manifest.frame["mask.heart"], strict=True))
    assert [name for name, cell in masks.items() if cell is None] == ["case002"]
    assert "1 of 50 films has no drawing" in manifest.card.notes


def test_a_drawing_of_other_grey_levels_is_refused(tmp_path):
    write_jsrt_site(tmp_path, "segmentation02")
    save(tmp_path / "segmentation02/segmentation/label_test/case050_label.png", square() // 2)
    with pytest.raises(
        InputError, match=r"case050_label\.png: has the grey level 127; segmentation02 of JSRT has 0, 85"
    ):
        read(tmp_path)


def test_a_part_of_a_zip_without_some_films_is_read(tmp_path):
    write_jsrt_site(tmp_path, "segmentation02")
    (tmp_path / "segmentation02/segmentation/org_train/case002.bmp").unlink()
    assert len(read(tmp_path)) == 49


@pytest.mark.parametrize("name", ["case002_mask.png", "case999_label.png"])
def test_a_drawing_of_no_film_is_refused_for_its_film_would_have_none(tmp_path, name):
    write_jsrt_site(tmp_path, "segmentation02")
    folder = tmp_path / "segmentation02/segmentation/label_train"
    (folder / "case002_label.png").rename(folder / name)
    with pytest.raises(InputError, match=rf"{name}: no film of org_train is called so, and films are without"):
        read(tmp_path)


def test_both_zips_of_the_site_are_not_mixed(tmp_path):
    write_jsrt_site(tmp_path, "Segmentation01")
    write_jsrt_site(tmp_path, "segmentation02")
    with pytest.raises(UsageError, match="Segmentation01 and segmentation02 of JSRT draw the same films; name one"):
        read(tmp_path)
    assert len(read(tmp_path / "segmentation02")) == 50


def test_half_a_zip_of_the_site_is_refused(tmp_path):
    write_jsrt_site(tmp_path, "Segmentation01")
    shutil.rmtree(tmp_path / "Segmentation01/test/label")
    with pytest.raises(
        UsageError, match="no folder test/label of Segmentation01 of JSRT; name the one folder that was"
    ):
        read(tmp_path)


def test_beside_films_of_their_own_names_the_zips_of_the_site_do_not_matter(tmp_path):
    write_jsrt_site(tmp_path, "Segmentation01")
    names = write_jsrt(tmp_path)
    assert read(tmp_path).ids == names


def test_a_raw_film_is_12_bit_big_endian_and_inverted(tmp_path):
    raw = np.full((2048, 2048), 4095, dtype=">u2")
    raw[0, 1], raw[2047, 0] = 0, 1024
    (tmp_path / "JPCNN001.IMG").write_bytes(raw.tobytes())
    pixels = decode(read(tmp_path).images()[0])
    assert pixels.shape == (2048, 2048, 1)
    assert (pixels[0, 0, 0], pixels[0, 1, 0]) == (0, 1)
    assert pixels[2047, 0, 0] == np.float32(1 - 1024 / 4095)


def test_half_a_raw_film_is_refused(tmp_path):
    (tmp_path / "JPCNN001.IMG").write_bytes(b"\0" * 100)
    with pytest.raises(
        BadImageError, match=r"JPCNN001\.IMG: cannot be read \(100 bytes; a raw film of JSRT has 8,388,608\)"
    ):
        decode(tmp_path / "JPCNN001.IMG")


def test_a_raw_film_of_more_than_12_bits_is_refused(tmp_path):
    (tmp_path / "JPCNN001.IMG").write_bytes(np.full((2048, 2048), 4096, dtype=">u2").tobytes())
    with pytest.raises(
        BadImageError, match=r"JPCNN001\.IMG: cannot be read \(a value of 4096; a raw film of JSRT has 12 bits\)"
    ):
        decode(tmp_path / "JPCNN001.IMG")
