"""The same picture twice is found through another size, format and contrast; what is alike by chance is counted."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.stats import binomtest

from shortcut_audit.data import duplicates
from shortcut_audit.data.decode import decode
from shortcut_audit.data.duplicates import NEAR, difference_hash, exact_groups, look, near_pairs
from shortcut_audit.data.manifest import DataCard, Manifest


def picture(seed, side=120):
    """A smooth grey picture of its own."""
    smooth = gaussian_filter(np.random.default_rng(seed).normal(size=(side, side)), side / 12)
    return Image.fromarray((255 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8))


def manifest_of(root: Path, splits, patients=None) -> Manifest:
    frame = pl.DataFrame(
        {
            "sample_id": list(splits),
            "image": [next(root.glob(f"{name}.*")).name for name in splits],
            "patient_id": patients or [f"p{name}" for name in splits],
            "split": list(splits.values()),
        }
    )
    return Manifest.from_frame(frame, card=DataCard(name="t"), root=root, where="t.csv", allow_shared_patients=True)


def differ(one: Path, other: Path) -> int:
    bits = [np.unpackbits(difference_hash(decode(path))) for path in (one, other)]
    return int((bits[0] != bits[1]).sum())


def test_the_hash_says_where_it_becomes_brighter_to_the_right():
    ramp = np.tile(np.arange(17, dtype=np.float32) / 17, (16, 1))[:, :, None]
    assert difference_hash(ramp).tolist() == [255] * 32
    assert difference_hash(ramp[:, ::-1]).tolist() == [0] * 32
    half = np.concatenate([ramp[:8], ramp[8:, ::-1]])
    assert difference_hash(half).tolist() == [255] * 16 + [0] * 16


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image.resize((77, 90), Image.Resampling.BILINEAR),
        lambda image: image.convert("RGB"),
        lambda image: image.point(lambda grey: int(40 + grey * 0.6)),
    ],
)
def test_size_colour_and_contrast_hardly_change_it(tmp_path, change):
    picture(0).save(tmp_path / "a.png")
    change(picture(0)).save(tmp_path / "b.jpg", quality=70)
    assert differ(tmp_path / "a.png", tmp_path / "b.jpg") <= NEAR


def test_two_pictures_and_a_mirrored_one_are_far_apart(tmp_path):
    picture(0).save(tmp_path / "a.png")
    picture(1).save(tmp_path / "b.png")
    picture(0).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "c.png")
    assert differ(tmp_path / "a.png", tmp_path / "b.png") > 60
    assert differ(tmp_path / "a.png", tmp_path / "c.png") > 60


def test_near_pairs_are_those_across_splits_and_not_those_of_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(duplicates, "BLOCK", 3)
    for seed in range(12):
        picture(seed).save(tmp_path / f"{seed}.png")
    splits = {str(seed): "train" if seed < 8 else "test" for seed in range(12)}
    picture(0).save(tmp_path / "copy.jpg", quality=80)
    picture(1).save(tmp_path / "inside.jpg", quality=80)
    (tmp_path / "same.png").write_bytes((tmp_path / "2.png").read_bytes())
    manifest = manifest_of(tmp_path, splits | {"copy": "val", "inside": "train", "same": "test"})

    seen = look(manifest, np.arange(15))
    near = near_pairs(manifest, seen, seed=0)

    assert [pair[:2] for pair in near.pairs] == [("copy", "0")]
    assert (near.found, near.compared) == (1, 9 * 1 + 9 * 5 + 1 * 5)
    assert exact_groups(seen) == [[2, 14]]
    # One near pair of two patients lies within a split: 1 of the 36 + 10 there are, none of them counted twice.
    assert (near.chance_near, near.chance_pairs) == (1, 46)
    interval = binomtest(1, 46).proportion_ci(method="exact")
    assert near.expected == pytest.approx(59 / 46)
    assert (near.expected_low, near.expected_high) == pytest.approx((59 * interval.low, 59 * interval.high))


def test_of_many_pairs_some_are_drawn_and_none_twice(tmp_path, monkeypatch):
    for seed in range(12):
        picture(seed).save(tmp_path / f"{seed}.png")
    manifest = manifest_of(tmp_path, {str(seed): "train" if seed < 8 else "test" for seed in range(12)})
    seen = look(manifest, np.arange(12))
    monkeypatch.setattr(duplicates, "CHANCE_PAIRS", 34)
    assert near_pairs(manifest, seen, seed=0).chance_pairs == 28 + 6
    monkeypatch.setattr(duplicates, "CHANCE_PAIRS", 33)
    assert 0 < near_pairs(manifest, seen, seed=0).chance_pairs < 33


def test_pairs_of_one_patient_say_nothing_of_chance(tmp_path):
    for seed in range(4):
        picture(seed % 2).save(tmp_path / f"{seed}.png")
    manifest = manifest_of(
        tmp_path, {"0": "train", "2": "train", "1": "test", "3": "test"}, patients=["a", "a", "b", "b"]
    )
    near = near_pairs(manifest, look(manifest, np.arange(4)), seed=0)
    assert (near.found, near.chance_near, near.chance_pairs) == (0, 0, 0)
    assert (near.expected, near.expected_low, near.expected_high) == (None, None, None)


def test_unreadable_images_are_in_no_pair(tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.png").write_bytes(b"no picture")
    manifest = manifest_of(tmp_path, {"a": "train", "b": "test", "c": "test"})
    seen = look(manifest, np.array([0, 2]))
    assert list(seen.reasons) == [0, 1]
    assert exact_groups(seen) == []
    near = near_pairs(manifest, seen, seed=0)
    assert (near.found, near.compared) == (0, 0)
