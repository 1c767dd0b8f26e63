"""Masks that are pictures."""

import numpy as np
import pytest
from PIL import Image

from shortcut_audit.data.decode import BadImageError
from shortcut_audit.data.drawn import fitted
from shortcut_audit.data.drawn.picture import read_picture

SIZE = 32


def save(path, pixels, **options):
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(path, **options)
    return path


def read_mask(path, size):
    drawn = read_picture(path)
    assert drawn.known.all()
    return fitted(drawn, (size, size)).foreground


def blob(value, *, other=0, size=SIZE):
    drawn = np.full((size, size), other, dtype=np.uint8)
    drawn[4:12, 6:20] = value
    return drawn


@pytest.mark.parametrize("value", [1, 127, 255])
def test_in_a_mask_of_two_values_what_is_not_black_is_drawn(tmp_path, value):
    mask = read_mask(save(tmp_path / "m.png", blob(value)), SIZE)
    np.testing.assert_array_equal(mask, blob(1) > 0)
    assert mask.dtype == np.bool_


@pytest.mark.parametrize(("kind", "options"), [("png", {}), ("gif", {}), ("bmp", {}), ("jpg", {"quality": 50})])
def test_127_beside_255_means_ignore_and_is_not_known(tmp_path, kind, options):
    stored = np.kron(blob(255), np.ones((8, 8), dtype=np.uint8))
    stored[160:240] = 127
    drawn = read_picture(save(tmp_path / f"m.{kind}", stored, **options))
    wrong = (drawn.foreground != (stored == 255)) | (drawn.known != (stored != 127))
    assert wrong.mean() < (0.01 if kind == "jpg" else 1e-9)
    assert not (drawn.foreground & ~drawn.known).any()


def test_colours_of_which_none_is_black_are_refused(tmp_path):
    with pytest.raises(
        BadImageError, match=r"m\.png: 2 colours and none of them black, .* save the mask with 0 as its"
    ):
        read_picture(save(tmp_path / "m.png", blob(2, other=1)))


@pytest.mark.parametrize("top", [1, 65535])
def test_masks_of_16_bits_are_read(tmp_path, top):
    stored = blob(1).astype(np.uint16) * top
    np.testing.assert_array_equal(read_mask(save(tmp_path / "m.png", stored.astype(np.uint16)), SIZE), blob(1) > 0)


def test_an_inverted_palette_is_applied(tmp_path):
    image = Image.fromarray(1 - blob(1)).convert("P")
    image.putpalette([255, 255, 255, 0, 0, 0])
    np.testing.assert_array_equal(read_mask(save(tmp_path / "m.png", image), SIZE), blob(1) > 0)


def test_every_label_of_a_label_map_is_drawn(tmp_path):
    drawn = blob(1)
    drawn[20:30] = 2
    np.testing.assert_array_equal(read_mask(save(tmp_path / "m.png", drawn), SIZE), drawn > 0)


def test_an_antialiased_mask_is_cut_at_half(tmp_path):
    soft = np.tile(np.linspace(0, 255, SIZE).astype(np.uint8), (SIZE, 1))
    np.testing.assert_array_equal(read_mask(save(tmp_path / "m.png", soft), SIZE), soft > 127.5)


def test_the_noise_of_a_jpeg_is_not_drawn(tmp_path):
    rough = np.kron(np.random.default_rng(0).integers(0, 2, (8, 8)), np.ones((5, 5))).astype(np.uint8) * 255
    path = save(tmp_path / "m.jpg", rough, quality=60)
    np.testing.assert_array_equal(read_mask(path, 40), rough > 0)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_masks_of_every_mode_are_read(tmp_path, mode):
    path = save(tmp_path / "m.png", Image.fromarray(blob(255)).convert(mode))
    np.testing.assert_array_equal(read_mask(path, SIZE), blob(1) > 0)


def test_an_empty_mask_is_empty(tmp_path):
    assert not read_mask(save(tmp_path / "m.png", blob(0)), SIZE).any()


def test_masks_are_resized_without_new_shades_and_keep_their_share(tmp_path):
    large = np.kron(blob(255), np.ones((4, 4), dtype=np.uint8))
    np.testing.assert_array_equal(read_mask(save(tmp_path / "m.png", large), SIZE), blob(1) > 0)
