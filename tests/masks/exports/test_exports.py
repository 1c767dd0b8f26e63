"""Exports: what others read of them is what the store holds."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from PIL import Image

from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.errors import BusyError, InputError, OutputError, UsageError
from shortcut_audit.masks.bring import import_masks
from shortcut_audit.masks.exports import SAYS_NOTHING, export_store, file_name
from shortcut_audit.masks.store import MaskStore

SIDE = 16
IDS = ("film/1 é", "film..2", "..", "a%2Fb")


@pytest.fixture
def films(tmp_path):
    root = tmp_path / "films"
    root.mkdir()
    for n in range(len(IDS)):
        Image.fromarray(np.full((SIDE, SIDE), 60 * n, dtype=np.uint8)).save(root / f"{n}.png")
    frame = pl.DataFrame({
        "sample_id": IDS, "image": [f"{n}.png" for n in range(len(IDS))], "split": "train",
        "label.pneumothorax": 1, "label.effusion": 1,
    })  # fmt: skip
    return Manifest.from_frame(frame, card=DataCard(name="films", licence="none"), root=root, where="films")


@pytest.fixture
def store(films, make_square, fill, tmp_path):
    job, records = make_square(films)
    return MaskStore(fill(tmp_path / "made", job, records))


def pairs_of(store):
    return {(record.sample_id, record.finding): record for record in store}


@pytest.mark.parametrize("kind", ["png", "coco"])
def test_what_was_exported_comes_back_exactly(tmp_path, store, films, kind):
    exported = export_store(store, kind, tmp_path / "out")
    source = tmp_path / "out" if kind == "png" else tmp_path / "out" / "masks.coco.json"
    again = import_masks(
        source, kind, manifest=films, findings=store.pairs.findings, size=SIDE, folder=tmp_path / "again"
    ).store
    want, found = pairs_of(store), pairs_of(again)
    if kind == "png":
        want = {pair: record for pair, record in want.items() if record.known.any()}
        assert exported.left_out == {SAYS_NOTHING: 1}
    assert found.keys() == want.keys()
    assert exported.masks == len(want)
    for pair, record in want.items():
        assert (found[pair].foreground == record.foreground).all()
        assert (found[pair].known == record.known).all()


def test_png_files_lie_in_a_folder_for_each_finding_and_never_elsewhere(tmp_path, store):
    export_store(store, "png", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["effusion", "pneumothorax"]
    pixels = np.asarray(Image.open(tmp_path / "out" / "pneumothorax" / "film%2F1 %C3%A9.png"))
    record = pairs_of(store)["film/1 é", "pneumothorax"]
    assert ((pixels == 255) == record.foreground).all()
    assert ((pixels == 127) == ~record.known).all()
    assert not list(tmp_path.glob(".out*"))


def test_coco_is_read_by_its_own_tools(tmp_path, store, capsys):
    coco = pytest.importorskip("pycocotools.coco")
    tools = pytest.importorskip("pycocotools.mask")
    export_store(store, "coco", tmp_path / "out")
    tree = coco.COCO(tmp_path / "out" / "masks.coco.json")
    wanted = pairs_of(store)
    for annotation in tree.anns.values():
        sample = tree.imgs[annotation["image_id"]]["sample_id"]
        record = wanted[sample, tree.cats[annotation["category_id"]]["name"]]
        assert int(tools.area(annotation["segmentation"])) == annotation["area"] == record.foreground.sum()
        assert tools.toBbox(annotation["segmentation"]).tolist() == annotation["bbox"]
    assert len(tree.anns) == len(wanted)


def test_coco_names_the_files_of_the_films_where_they_are_known(tmp_path, store, films):
    export_store(store, "coco", tmp_path / "out", films)
    tree = json.loads((tmp_path / "out" / "masks.coco.json").read_text())
    assert [image["file_name"] for image in tree["images"]] == ["0.png", "1.png", "2.png", "3.png"]
    assert (tmp_path / "out" / "masks.coco.json").stat().st_mode & 0o777 == 0o600


def test_nnunet_gets_a_data_set_for_each_finding_as_its_documentation_asks(tmp_path, store, films):
    exported = export_store(store, "nnunet", tmp_path / "out", films)
    folders = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert folders == ["Dataset501_pneumothorax", "Dataset502_effusion"]
    assert exported.notes == ()
    wanted = pairs_of(store)
    for folder, finding in zip(folders, ("pneumothorax", "effusion"), strict=True):
        place = tmp_path / "out" / folder
        card = json.loads((place / "dataset.json").read_text())
        labels = sorted(place.glob("labelsTr/*"))
        assert card["numTraining"] == len(labels) == len(list(place.glob("imagesTr/*")))
        assert card["file_ending"] == ".png"
        assert card["channel_names"] == {"0": "film"}
        assert sorted(card["labels"].values()) == list(range(len(card["labels"])))
        assert card["labels"]["background"] == 0
        assert card["labels"].get("ignore", 99) == (max(card["labels"].values()) if finding == "pneumothorax" else 99)
        for label in labels:
            film = np.asarray(Image.open(place / "imagesTr" / f"{label.stem}_0000.png"))
            pixels = np.asarray(Image.open(label))
            assert film.shape == pixels.shape == (SIDE, SIDE)
            assert set(np.unique(pixels).tolist()) <= set(card["labels"].values())
        sample = wanted["film..2", finding]
        pixels = np.asarray(Image.open(place / "labelsTr" / "film..2.png"))
        assert ((pixels == 1) == sample.foreground).all()
        assert ((pixels == 2) == ~sample.known).all()
        assert np.asarray(Image.open(place / "imagesTr" / "film..2_0000.png")).max() == 60


def test_nnunet_without_films_says_what_is_missing(tmp_path, store):
    exported = export_store(store, "nnunet", tmp_path / "out")
    assert "imagesTr is empty: name the data set" in exported.notes[0]


def test_films_of_another_data_set_are_refused(tmp_path, store, films):
    other = films.select(np.array([True, True, True, False]))
    with pytest.raises(InputError, match=r"the data set that was named: sample 'a%2Fb' is not in it"):
        export_store(store, "nnunet", tmp_path / "out", other)
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".out*"))


def test_masks_that_are_not_square_have_no_films_to_go_with(tmp_path, sealed, job):
    ids = list(job.pairs.sample_ids)
    frame = pl.DataFrame({"sample_id": ids, "image": ids, "split": "train"})
    films = Manifest.from_frame(frame, card=DataCard(name="films", licence="none"), root=tmp_path, where="films")
    with pytest.raises(InputError, match=r"the data set that was named: its masks are not square"):
        export_store(MaskStore(sealed), "nnunet", tmp_path / "out", films)


def test_a_film_that_cannot_be_read_is_named(tmp_path, store, films):
    (tmp_path / "films" / "0.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"sample 'film/1 é': .*; export without --dataset, or mend it"):
        export_store(store, "nnunet", tmp_path / "out", films)


def test_a_mask_of_doubt_alone_cannot_be_a_png_and_is_counted(tmp_path, films, make_square, fill):
    job, records = make_square(films)
    doubt = np.zeros((SIDE, SIDE), dtype=bool)
    doubt[0] = True
    records[0] = replace(records[0], foreground=~doubt & doubt, known=doubt)
    exported = export_store(MaskStore(fill(tmp_path / "made", job, records)), "png", tmp_path / "out")
    assert sum(count for reason, count in exported.left_out.items() if "cannot be told apart" in reason) == 1


def test_a_folder_that_holds_something_is_left_alone(tmp_path, store):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(BusyError, match=r"out is there already; choose another folder with --out"):
        export_store(store, "png", tmp_path / "out")


def test_an_unknown_format_is_refused(tmp_path, store):
    with pytest.raises(UsageError, match=r"no export format is called 'jpg'.*; there are: coco, nnunet, png"):
        export_store(store, "jpg", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_leaves_nothing_half(tmp_path, store, monkeypatch):
    def full(self, *arguments, **named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(OutputError, match=r"out could not be written: No space left on device; free some space"):
        export_store(store, "png", tmp_path / "out")
    assert not list(tmp_path.glob("*out*"))


def test_a_name_too_long_for_a_file_is_refused():
    assert file_name("../x") == "%2E.%2Fx"
    with pytest.raises(InputError, match=r"too long for a file name \(300 of at most 240 bytes\); rename it"):
        file_name("é" * 50)
