"""The pixel cache gives what decoding gives, goes on where it was stopped, and is never believed when it is damaged."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from shortcut_audit.config import DatasetConfig, ImageConfig
from shortcut_audit.data import cache_writer, decode, pixel_cache
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.data.images import load_pixels
from shortcut_audit.data.manifest import SPLITS, DataCard, Manifest, read_manifest
from shortcut_audit.data.pixel_cache import PixelCache, film_pixels
from shortcut_audit.errors import InputError, OutputError
from shortcut_audit.stages.prepare import prepare

SIZE = 32
IMAGE = ImageConfig(size=SIZE, channels=1)


def films(root: Path, rows=20, bad=()) -> Manifest:
    """JPEG, PNG and 16-bit PNG of several sizes, their splits mixed up."""
    rng = np.random.default_rng(0)
    names = [f"{row}.{'jpg' if row % 3 else 'png'}" for row in range(rows)]
    for row, name in enumerate(names):
        shape = (40 + row, 50, 3) if row % 2 else (33, 47)
        if row % 6 == 0:
            Image.fromarray(rng.integers(0, 2**16, (33, 47), dtype=np.uint16)).save(root / name)
        else:
            Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(root / name)
        if row in bad:
            (root / name).write_bytes(b"no picture")
    frame = pl.DataFrame(
        {
            "sample_id": [f"s{row}" for row in range(rows)],
            "image": names,
            "split": [SPLITS[row % 3] for row in range(rows)],
            "label.x": [row % 2 for row in range(rows)],
        }
    )
    return Manifest.from_frame(frame, card=DataCard(name="t"), root=root, where="t.csv")


def cached(folder: Path, size=SIZE, channels=1) -> PixelCache:
    return PixelCache(folder=folder, size=size, channels=channels)


def alike(one, other):
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1].kept, other[1].kept)
    assert one[1].reasons == other[1].reasons
    assert one[1].losses == other[1].losses


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("bad", [(), (4, 7)])
def test_every_split_is_byte_for_byte_what_decoding_gives(tmp_path, channels, bad):
    manifest = films(tmp_path, bad=bad)
    out = tmp_path / "prepared"

    lost = prepare(manifest, out, ImageConfig(size=SIZE, channels=channels))

    assert lost.reasons.keys() == {f"s{row}" for row in bad}
    for split in SPLITS:
        rows = replace(manifest, cache=out).split(split)
        alike(
            film_pixels(rows, size=SIZE, channels=channels),
            load_pixels(manifest.split(split), size=SIZE, channels=channels),
        )
    alike(film_pixels(replace(manifest, cache=out), size=SIZE, channels=channels),
          load_pixels(manifest, size=SIZE, channels=channels))  # fmt: skip


def test_a_split_is_a_part_of_the_file_and_nothing_is_decoded_or_written(tmp_path, monkeypatch):
    manifest = films(tmp_path)
    prepare(manifest, tmp_path / "prepared", IMAGE)
    monkeypatch.setattr(pixel_cache, "load_pixels", None)
    rows = replace(manifest, cache=tmp_path / "prepared").split("val")

    pixels, _ = film_pixels(rows, size=SIZE, channels=1)

    assert not pixels.flags.owndata
    pixels[:] = 7
    assert (film_pixels(rows, size=SIZE, channels=1)[0] != 7).any()


def test_any_program_with_numpy_can_read_it(tmp_path):
    manifest = films(tmp_path)
    prepare(manifest, tmp_path / "prepared", IMAGE)

    stored = np.load(tmp_path / "prepared/pixels_1x32.npy")
    table = pl.read_csv(tmp_path / "prepared/pixels_1x32.csv")

    assert stored.shape == (20, 1, SIZE, SIZE)
    assert table["sample_id"].to_list()[:8] == ["s0", "s3", "s6", "s9", "s12", "s15", "s18", "s1"]
    decoded, _ = load_pixels(manifest.select(pl.col("sample_id") == "s3"), size=SIZE, channels=1)
    np.testing.assert_array_equal(stored[1], decoded[0])


@pytest.mark.parametrize("stop", range(6))
@pytest.mark.parametrize("bad", [(), (4,)])
def test_stopped_at_any_batch_it_goes_on_and_ends_in_the_same_bytes(tmp_path, monkeypatch, stop, bad):
    monkeypatch.setattr(cache_writer, "AT_ONCE", 4)
    manifest = films(tmp_path, bad=bad)
    prepare(manifest, tmp_path / "whole", IMAGE)
    decoded = []

    def until(paths, **named):
        if len(decoded) == stop:
            raise KeyboardInterrupt
        decoded.append(len(paths))
        return read(paths, **named)

    read = cache_writer.read_pixels
    monkeypatch.setattr(cache_writer, "read_pixels", until)
    if stop < 5:
        with pytest.raises(KeyboardInterrupt):
            prepare(manifest, tmp_path / "out", IMAGE)
        assert not list(tmp_path.glob("out/pixels_*.json"))
        # What was being written when the power went.
        with (tmp_path / "out/pixels_1x32.npy.part").open("ab") as stream:
            stream.write(b"half an image")
        with (tmp_path / "out/pixels_1x32.journal").open("a") as stream:
            stream.write('[["s9", "9.p')
    stop = 99
    prepare(manifest, tmp_path / "out", IMAGE)

    assert sum(decoded) == 20
    for name in ("pixels_1x32.npy", "pixels_1x32.csv", "pixels_1x32.json"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "manifest.csv", "manifest.json", "pixels_1x32.csv", "pixels_1x32.json", "pixels_1x32.npy"
    ]  # fmt: skip


def test_an_image_that_changed_while_it_was_stopped_is_decoded_again(tmp_path, monkeypatch):
    monkeypatch.setattr(cache_writer, "AT_ONCE", 4)
    manifest, out = films(tmp_path), tmp_path / "out"
    read, calls = cache_writer.read_pixels, []

    def twice(paths, **named):
        calls.append(paths)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return read(paths, **named)

    with monkeypatch.context() as stopped:
        stopped.setattr(cache_writer, "read_pixels", twice)
        with pytest.raises(KeyboardInterrupt):
            prepare(manifest, out, IMAGE)
    Image.new("L", (50, 50), 200).save(tmp_path / "3.png")

    prepare(manifest, out, IMAGE)

    alike(film_pixels(replace(manifest, cache=out), size=SIZE, channels=1),
          load_pixels(manifest, size=SIZE, channels=1))  # fmt: skip


def test_a_finished_cache_is_left_as_it_is(tmp_path, monkeypatch):
    manifest, out = films(tmp_path, bad=(4,)), tmp_path / "out"
    first = prepare(manifest, out, IMAGE)
    monkeypatch.setattr(cache_writer, "read_pixels", None)
    assert prepare(manifest, out, IMAGE).reasons == first.reasons


def test_too_many_bad_images_leave_nothing(tmp_path):
    manifest = films(tmp_path, bad=(1, 2, 3, 4))
    with pytest.raises(InputError, match="4 of 20 images are missing or cannot be read"):
        prepare(manifest, tmp_path / "out", IMAGE)
    assert not (tmp_path / "out").exists()


def changed(tmp_path):
    Image.new("L", (50, 50), 200).save(tmp_path / "3.png")


def touched(tmp_path):
    os.utime(tmp_path / "3.png", ns=(1, 1))


def mended(tmp_path):
    Image.new("L", (50, 50), 200).save(tmp_path / "4.jpg")


@pytest.mark.parametrize(
    ("change", "told"), [(changed, "1 changed since"), (touched, "1 changed since"), (mended, "the first 's4'")]
)
def test_changed_images_are_decoded_and_it_is_said(tmp_path, capsys, change, told):
    manifest, out = films(tmp_path, bad=(4,)), tmp_path / "out"
    prepare(manifest, out, IMAGE)
    change(tmp_path)
    alike(film_pixels(replace(manifest, cache=out), size=SIZE, channels=1),
          load_pixels(manifest, size=SIZE, channels=1))  # fmt: skip
    assert told in capsys.readouterr().err
    prepare(manifest, out, IMAGE)
    film_pixels(replace(manifest, cache=out), size=SIZE, channels=1)
    assert "Images are decoded" not in capsys.readouterr().err


def test_another_size_another_decoder_and_unknown_images_are_decoded_and_it_is_said(tmp_path, capsys, monkeypatch):
    manifest, out = films(tmp_path), tmp_path / "out"
    few = manifest.select(np.arange(20) < 19)
    prepare(few, out, IMAGE)
    here = replace(manifest, cache=out)

    film_pixels(here, size=64, channels=1)
    assert (
        "has no pixels of 1 x 64 x 64; the command that wrote the folder makes it with --pixels --set"
        in capsys.readouterr().err
    )
    film_pixels(here, size=SIZE, channels=1)
    assert "1 of 20 are not in" in capsys.readouterr().err
    monkeypatch.setattr(pixel_cache, "decoder", lambda: "newer")
    film_pixels(replace(few, cache=out), size=SIZE, channels=1)
    assert "was made by another version of the decoder" in capsys.readouterr().err


def test_images_that_are_no_longer_on_the_disk_come_from_the_cache(tmp_path):
    manifest, out = films(tmp_path), tmp_path / "out"
    expected = load_pixels(manifest, size=SIZE, channels=1)
    prepare(manifest, out, IMAGE)
    for path in manifest.images():
        path.unlink()
    alike(film_pixels(replace(manifest, cache=out), size=SIZE, channels=1), expected)


def flip(path, at):
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(bytes(raw))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda out: flip(out / "pixels_1x32.npy", -1), "1 images fail their checksum, the first 's17'"),
        (lambda out: flip(out / "pixels_1x32.npy", 128), "1 images fail their checksum, the first 's0'"),
        (lambda out: os.truncate(out / "pixels_1x32.npy", 5000), "is damaged"),
        (lambda out: os.truncate(out / "pixels_1x32.npy", 0), "is damaged"),
        (lambda out: (out / "pixels_1x32.npy").unlink(), "No such file"),
        (lambda out: np.save(out / "pixels_1x32.npy", np.zeros((20, 1, 8, 8), np.uint8)), "expected uint8"),
        (lambda out: flip(out / "pixels_1x32.csv", 100), "pixels_1x32.csv is damaged (it is not what was written)"),
        (lambda out: (out / "pixels_1x32.csv").unlink(), "it is not what was written"),
        (lambda out: (out / "pixels_1x32.json").write_text("{"), "not a card of a pixel cache"),
    ],
)
def test_a_damaged_cache_is_refused(tmp_path, damage, told):
    manifest, out = films(tmp_path), tmp_path / "out"
    prepare(manifest, out, IMAGE)
    damage(out)
    with pytest.raises(OutputError) as refused:
        film_pixels(replace(manifest, cache=out), size=SIZE, channels=1)
    assert told in str(refused.value)
    assert str(refused.value).endswith("delete pixels_1x32.json and run 'audit data prepare --pixels' again")
    (out / "pixels_1x32.json").unlink()
    prepare(manifest, out, IMAGE)
    film_pixels(replace(manifest, cache=out), size=SIZE, channels=1)


def test_without_space_nothing_is_begun(tmp_path, monkeypatch):
    manifest = films(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 0))
    with pytest.raises(OutputError, match=r"the pixels of 20 images need 1 MiB, 0 are free"):
        prepare(manifest, tmp_path / "out", IMAGE)
    assert not (tmp_path / "out").exists()


def test_a_full_disk_says_that_the_same_command_goes_on(tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache_writer.os, "fsync", full)
    with pytest.raises(OutputError, match="No space left on device; free some space and type the command again"):
        prepare(films(tmp_path), tmp_path / "out", IMAGE)


def test_the_prepared_folder_is_a_data_set_wherever_it_lies(tmp_path):
    manifest = films(tmp_path)
    prepare(manifest, tmp_path / "out", IMAGE)
    shutil.move(tmp_path / "out", tmp_path / "moved")

    opened = open_dataset(DatasetConfig(name="prepared", root=str(tmp_path / "moved")))

    assert opened.fingerprint == manifest.fingerprint
    assert opened.cache == tmp_path / "moved"
    assert opened.images() == manifest.images()


def test_the_configuration_it_was_prepared_by_can_be_used_again(tmp_path):
    (tmp_path / "tubes.csv").write_text("sample_id,tube\ns0,1\ns1,0\n")
    rules = {"attributes_file": str(tmp_path / "tubes.csv"), "attributes": {"odd": "label.x"}}
    prepare(films(tmp_path), tmp_path / "raw", None)
    made = open_dataset(DatasetConfig(name="prepared", root=str(tmp_path / "raw"), **rules))
    prepare(made, tmp_path / "out", IMAGE)

    again = open_dataset(DatasetConfig(name="prepared", root=str(tmp_path / "out"), **rules))

    assert again.fingerprint == made.fingerprint
    assert again.attributes == ("tube", "odd")


def test_a_run_remembers_where_its_pixels_are(tmp_path):
    manifest = films(tmp_path)
    prepare(manifest, tmp_path / "out", IMAGE)
    replace(manifest, cache=tmp_path / "out").save(tmp_path / "run")
    assert read_manifest(tmp_path / "run").cache == tmp_path / "out"
    assert "cache" not in json.loads((manifest.save(tmp_path / "plain").with_suffix(".json")).read_text())


def test_the_decoder_is_known_by_every_file_that_it_is_made_of():
    """What decode.py imports of this folder decides pixels too."""
    source = Path(decode.__file__).read_text()
    folder = Path(decode.__file__).parent
    used = {path.name for path in folder.glob("*.py") if f"shortcut_audit.data.{path.stem} import" in source}
    used |= {path.name for path in folder.glob("*.py") if f"from shortcut_audit.data import {path.stem}" in source}
    assert used <= set(pixel_cache.DECODER)
    assert all((folder / name).is_file() for name in pixel_cache.DECODER)
