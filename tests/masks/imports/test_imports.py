"""Masks made elsewhere: ids byte for byte, mismatches by name, sizes by a stated rule."""

import json

import numpy as np
import polars as pl
import pytest
from PIL import Image

from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.errors import BusyError, InputError, UsageError
from shortcut_audit.masks.bring import import_masks
from shortcut_audit.masks.store import MaskStore

SIDE = 8
IDS = ["0012", "train/3", "film a"]
FINDINGS = ["pneumothorax", "effusion"]


@pytest.fixture
def manifest():
    frame = pl.DataFrame({"sample_id": IDS, "image": [f"{name}.png" for name in IDS], "split": "train"})
    return Manifest.from_frame(frame, card=DataCard(name="films", licence="none"), root=".", where="films")


@pytest.fixture
def bring(manifest, tmp_path):
    def run(source, kind="png", **more):
        return import_masks(
            source, kind, manifest=manifest, findings=FINDINGS, size=SIDE, folder=tmp_path / "store", **more
        )

    return run


def draw(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(path)
    return path


def square(side=SIDE, value=255):
    pixels = np.zeros((side, side))
    pixels[: side // 2, : side // 2] = value
    return pixels


def annotation(**more):
    return {"id": 1, "image_id": 7, "category_id": 3, **more}


def coco(path, annotations, **image):
    shape = {"id": 7, "file_name": "0012.png", "height": SIDE, "width": SIDE}
    tree = {
        "images": [shape | image], "categories": [{"id": 3, "name": "effusion"}], "annotations": annotations,
    }  # fmt: skip
    path.write_text(json.dumps(tree))
    return path


def test_png_files_become_pairs_by_folder_and_name(tmp_path, bring, manifest):
    source = tmp_path / "drawn"
    draw(source / "effusion" / "film a.png", square())
    draw(source / "pneumothorax" / "train" / "3.png", np.zeros((SIDE, SIDE)))
    draw(source / "effusion" / "train%2F3.png", np.where(square() > 0, 255, 127))
    store = bring(source).store
    assert [(record.sample_id, record.finding) for record in store] == [
        ("train/3", "pneumothorax"), ("train/3", "effusion"), ("film a", "effusion"),
    ]  # fmt: skip
    nothing, doubt, drawn = store
    assert not nothing.foreground.any()
    assert nothing.known.all()
    assert (doubt.known == (square() > 0)).all()
    assert (drawn.foreground == (square() > 0)).all()
    assert (drawn.heatmap, drawn.score, drawn.delta, drawn.steps, drawn.threshold) == (None,) * 5


def test_the_store_says_that_it_was_imported_from_what_and_how(tmp_path, bring, manifest):
    source = tmp_path / "drawn"
    draw(source / "Effusion" / "film a.png", square())
    header = bring(source, names={"Effusion": "effusion"}).store.header
    assert (header.kind, header.model, header.manifest, header.heatmap_size) == (
        "imported", None, manifest.fingerprint, None,
    )  # fmt: skip
    found = dict(header.settings["import"])
    assert len(found.pop("sha256")) == 64
    assert found == {
        "format": "png", "source": "drawn", "masks": 1, "left_out": 0, "names": {"Effusion": "effusion"},
        "resampled": "nearest neighbour, as drawn masks are",
    }  # fmt: skip


def test_larger_masks_are_brought_to_size_by_nearest_neighbour(tmp_path, bring):
    draw(tmp_path / "drawn" / "effusion" / "0012.png", square(side=40))
    (record,) = bring(tmp_path / "drawn").store
    assert (record.foreground == (square() > 0)).all()


def test_polygons_and_both_run_lengths_are_united(tmp_path, bring):
    rings = [[0, 0, 3, 0, 3, 3, 0, 3], [6, 6, 7, 6, 7, 7, 6, 7]]
    runs = {"size": [SIDE, SIDE], "counts": [SIDE * SIDE - 1, 1]}
    text = {"size": [SIDE, SIDE], "counts": "0" + "1" + "o1"}  # one pixel, then 63
    source = coco(tmp_path / "a.json", [annotation(segmentation=one) for one in (rings, runs, text)])
    (record,) = bring(source, "coco").store
    want = square() > 0
    want[6:, 6:] = True
    assert (record.foreground == want).all()
    assert record.finding == "effusion"


def test_the_sample_of_a_coco_image_is_its_sample_id_or_its_file_with_or_without_suffix(tmp_path, bring):
    whole = annotation(segmentation=[[0, 0, 8, 0, 8, 8, 0, 8]])
    for image in ({"sample_id": "film a"}, {"file_name": "film a"}, {"file_name": "film a.jpeg"}):
        store = bring(coco(tmp_path / "a.json", [whole], **image), "coco").store
        assert store[0].sample_id == "film a"
        store.path.unlink()


def test_ids_are_matched_byte_for_byte_and_mismatches_are_named(tmp_path, bring):
    source = tmp_path / "drawn"
    for name in ("12", "0012", "Film a"):
        draw(source / "effusion" / f"{name}.png", square())
    with pytest.raises(InputError) as caught:
        bring(source)
    assert "2 of 3 masks have no sample in 'films': 'effusion/12.png'" in str(caught.value)
    assert "'effusion/Film a.png'" in str(caught.value)
    assert "ids are matched byte for byte: rename them, or leave them out with --skip-unmatched" in str(caught.value)
    assert not (tmp_path / "store").exists()
    brought = bring(source, skip_unmatched=True)
    assert len(brought.store) == 1
    assert brought.left_out == ("effusion/12.png", "effusion/Film a.png")


def test_nothing_but_mismatches_is_refused_all_the_same(tmp_path, bring):
    draw(tmp_path / "drawn" / "effusion" / "12.png", square())
    with pytest.raises(InputError, match=r"none of its 1 masks has a sample in 'films'"):
        bring(tmp_path / "drawn", skip_unmatched=True)


def test_a_finding_that_nobody_knows_is_named(tmp_path, bring):
    draw(tmp_path / "drawn" / "Effusion" / "0012.png", square())
    with pytest.raises(InputError, match=r"'Effusion' is no .*did you mean 'effusion'.*--name 'Effusion=FINDING'"):
        bring(tmp_path / "drawn")


def test_two_masks_of_one_pair_are_refused(tmp_path, bring):
    draw(tmp_path / "drawn" / "effusion" / "train" / "3.png", square())
    draw(tmp_path / "drawn" / "effusion" / "train%2F3.png", square())
    with pytest.raises(InputError, match=r"are masks of one sample and finding; keep one of them"):
        bring(tmp_path / "drawn")


def test_a_mask_that_cannot_be_read_is_named_and_nothing_is_left(tmp_path, bring):
    draw(tmp_path / "drawn" / "effusion" / "0012.png", square())
    (tmp_path / "drawn" / "effusion" / "film a.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"effusion/film a.png .*; mend it or take it out"):
        bring(tmp_path / "drawn")
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"segmentation": {"size": [9, 9], "counts": [81]}}, r"is of size \[9, 9\], but its image of 8 x 8"),
        ({"segmentation": {"size": [8, 8], "counts": [3]}}, "has runs of 3 pixels, but 8 x 8 has 64"),
        ({"segmentation": {"size": [8, 8], "counts": None}}, "has no 'counts'"),
        ({"segmentation": [[1, 1, 2, 2]]}, "has a polygon of 2 points; three are the least"),
        ({"segmentation": [["a"]]}, "has points that are not pairs of numbers"),
        ({}, "has no segmentation"),
    ],
)
def test_a_segmentation_that_is_none_is_named(tmp_path, bring, changes, message):
    source = coco(tmp_path / "a.json", [annotation(**changes)])
    with pytest.raises(InputError, match=f"a.json: image '0012.png', category 'effusion' {message}"):
        bring(source, "coco")


def test_an_image_too_large_to_be_true_is_refused(tmp_path, bring):
    source = coco(tmp_path / "a.json", [annotation(segmentation=[[0, 0, 1, 0, 1, 1]])], height=10**6, width=10**6)
    with pytest.raises(InputError, match="is of an image said to be 1000000 x 1000000; mend it or take it out"):
        bring(source, "coco")


SIZED = """{"annotations": [{"image_id": 1, "category_id": 1}], "categories": [{"id": 1, "name": "effusion"}],
"images": [{"id": 1, "file_name": "0012.png", "height": %s, "width": 8}]}"""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "holds no annotations"),
        ('{"annotations": []}', "holds no annotations"),
        ('{"annotations": [{}], "images": [], "categories": []}', r"is not laid out as COCO: KeyError\('image_id'\)"),
        ('{"annotations": [{}], "images": [3], "categories": []}', "is not laid out as COCO"),
        pytest.param("[" * 100_000, "is not JSON", id="deep"),
        (SIZED % '"tall"', "is not laid out as COCO: ValueError"),
        (SIZED % "NaN", "is not laid out as COCO: ValueError"),
        (SIZED % "1e999", "is not laid out as COCO: OverflowError"),
    ],
)
def test_what_is_no_coco_file_is_refused(tmp_path, bring, content, message):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(InputError, match=message):
        bring(tmp_path / "a.json", "coco")


def test_a_source_that_is_not_there_is_refused(tmp_path, bring):
    with pytest.raises(InputError, match="nowhere cannot be read"):
        bring(tmp_path / "nowhere", "coco")
    with pytest.raises(InputError, match="nowhere is not a folder"):
        bring(tmp_path / "nowhere")
    (tmp_path / "bare").mkdir()
    with pytest.raises(InputError, match=r"holds no folder with PNG files; expected FINDING/SAMPLE.png"):
        bring(tmp_path / "bare")
    with pytest.raises(UsageError, match="no import format is called 'dicom'"):
        bring(tmp_path / "bare", "dicom")


def test_a_store_that_is_there_is_not_overwritten(tmp_path, bring):
    draw(tmp_path / "drawn" / "effusion" / "0012.png", square())
    path = bring(tmp_path / "drawn").store.path
    with pytest.raises(BusyError, match=r"masks.h5 is there already; choose another folder with --out"):
        bring(tmp_path / "drawn")
    assert len(MaskStore(path)) == 1
