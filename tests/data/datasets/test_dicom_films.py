"""One film of every set that is published as DICOM, from disk to working size: the picture, and its mask upon it."""

from __future__ import annotations

import numpy as np
import pytest
from trees.dicom_films import save_dicom
from trees.dicom_trees import VINDR_KINDS
from trees.pictures import save, write_lines

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.data.decode import decode
from shortcut_audit.data.drawn import fitted, read_drawn
from shortcut_audit.data.images import read_image

SIDE = 64
ROWS, COLUMNS = slice(16, 40), slice(8, 20)
"""Where the film is bright, and where the tables say that the finding is, at working size."""
DARK, BRIGHT = 60 / 255, 200 / 255
REPORTS = "SOPInstanceUID,StudyInstanceUID,EncodedPixels,Report,filename"


def scaled(shape):
    """Top, bottom, left and right of the bright square in a film of that shape."""
    height, width = (side // SIDE for side in shape)
    return ROWS.start * height, ROWS.stop * height, COLUMNS.start * width, COLUMNS.stop * width


def bright_square(shape):
    top, bottom, left, right = scaled(shape)
    seen = np.full(shape, DARK)
    seen[top:bottom, left:right] = BRIGHT
    return seen


def runs(shape):
    """The square as pairs (gap since the end of the last run, length), down the columns."""
    top, bottom, left, right = scaled(shape)
    length = bottom - top
    return f"{left * shape[0] + top} {length}" + f" {shape[0] - length} {length}" * (right - left - 1)


def siim(root, seen):
    save_dicom(root / "dicom-images-train" / "1.2.3" / "1.2.4" / "1.2.5.dcm", seen, jpeg=True)
    write_lines(root / "train-rle.csv", ["ImageId, EncodedPixels", f"1.2.5, {runs(seen.shape)}"])


def candid(place):
    def write(root, seen):
        path = root / place
        if path.suffix == ".jpg":
            save(path, seen[::2, ::2] * 255)
        else:
            save_dicom(path, seen)
        write_lines(root / "Pneumothorax_reports.csv", [REPORTS, f"1.2.826.0.7,2.25,{runs(seen.shape)},,P0001_0"])
        write_lines(root / "chest_tube.csv", ["anon_SOPUID,annotation,mask_rle", f"1.2.826.0.7,a,{runs(seen.shape)}"])

    return write


def vindr(kind):
    def write(root, seen):
        save_dicom(root / "train" / "5a.dicom", seen, **kind)
        top, bottom, left, right = scaled(seen.shape)
        header = "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max"
        row = f"Nodule/Mass,8,R{{}},{left}.0,{top}.0,{right}.0,{bottom}.0"
        write_lines(root / "train.csv", [header, *(f"5a,{row.format(reader)}" for reader in (8, 9))])

    return write


def rsna(root, seen):
    save_dicom(root / "stage_2_train_images" / "0004cfab.dcm", seen)
    top, bottom, left, right = scaled(seen.shape)
    box = f"{left}.0,{top}.0,{right - left}.0,{bottom - top}.0"
    write_lines(root / "stage_2_train_labels.csv", ["patientId,x,y,width,height,Target", f"0004cfab,{box},1"])


UPRIGHT, LYING, LARGE = (320, 256), (192, 320), (1024, 1024)
FILMS = {
    "SIIM-ACR": ("siim_acr", siim, LARGE, "mask.pneumothorax"),
    "CANDID-PTX": ("candid_ptx", candid("dataset/1.2.826.0.7"), LARGE, "mask.pneumothorax"),
    "CANDID-PTX, tube": ("candid_ptx", candid("dataset/1.2.826.0.7"), LARGE, "footprint.chest_tube"),
    "CANDID-PTX, .dcm": ("candid_ptx", candid("dataset/1.2.826.0.7.dcm"), LARGE, "mask.pneumothorax"),
    "CANDID-PTX, 512": ("candid_ptx", candid("candid-ptx-images-512/1.2.826.0.7.jpg"), LARGE, "mask.pneumothorax"),
    "RSNA": ("rsna_pneumonia", rsna, LARGE, "mask.pneumonia"),
    **{f"VinDr-CXR {kind}": ("vindr_cxr", vindr(kind), UPRIGHT, "mask.nodule_mass") for kind in VINDR_KINDS},
    **{f"VinDr-CXR {kind} lying": ("vindr_cxr", vindr(kind), LYING, "mask.nodule_mass") for kind in VINDR_KINDS[:1]},
}  # fmt: skip


@pytest.mark.parametrize("name", FILMS)
def test_a_film_is_bright_exactly_where_its_mask_is(tmp_path, name):
    dataset, write, shape, column = FILMS[name]
    write(tmp_path, bright_square(shape))
    manifest = open_dataset(DatasetConfig(name=dataset, root=str(tmp_path)))
    (path,), (cell,) = manifest.images(), manifest.drawn(*column.split("."))
    image = read_image(path, channels=1, size=SIDE)[0]
    mask = fitted(read_drawn(cell, image=path), (SIDE, SIDE)).foreground
    expected = np.zeros((SIDE, SIDE), dtype=bool)
    expected[ROWS, COLUMNS] = True
    np.testing.assert_array_equal(mask, expected)
    np.testing.assert_array_equal(image > (DARK + BRIGHT) / 2, expected)
    assert image[28, 14] == pytest.approx(BRIGHT, abs=0.01)
    assert image[50, 50] == pytest.approx(DARK, abs=0.01)


@pytest.mark.parametrize("kind", VINDR_KINDS, ids=str)
def test_no_grey_level_is_lost_of_films_of_more_than_8_bits(tmp_path, kind):
    seen = np.linspace(0, 1, 4096).reshape(64, 64)
    vindr(kind)(tmp_path, seen)
    manifest = open_dataset(DatasetConfig(name="vindr_cxr", root=str(tmp_path)))
    pixels = decode(manifest.images()[0])[:, :, 0]
    np.testing.assert_allclose(pixels, seen, atol=0.5 / 1023 + 1e-6)
    assert len(np.unique(pixels)) > 1000


def test_boxes_beside_films_that_are_no_dicom_are_said_to_depend_on_their_size(tmp_path):
    vindr({})(tmp_path, bright_square(UPRIGHT))
    notes = open_dataset(DatasetConfig(name="vindr_cxr", root=str(tmp_path))).card.notes
    assert not any("boxes" in note for note in notes)
    (tmp_path / "train" / "5a.dicom").unlink()
    save(tmp_path / "train" / "5a.png", bright_square(UPRIGHT) * 255)
    notes = open_dataset(DatasetConfig(name="vindr_cxr", root=str(tmp_path))).card.notes
    assert (
        "boxes are in pixels of the DICOM films; images that are no DICOM: 1 of 1; if they were made smaller or "
        "larger, their boxes lie elsewhere"
    ) in notes
