"""Masks that are pictures."""

import struct
import zlib

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from shortcut_audit.data.decode import BadImageError
from shortcut_audit.data.drawn import cell_of, fitted, parse_cell, read_drawn
from shortcut_audit.data.drawn.picture import read_picture
from shortcut_audit.errors import InputError

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


# ---- label maps: several structures in one picture


def structure(root, cell):
    drawn = read_drawn(parse_cell(cell, root=root, where="row 1"))
    assert drawn.known.all()
    return drawn.foreground


def stored(kind, dtype):
    """Three structures and a value that is 127 in 8 bits, which means nothing in a label map."""
    numbers = np.array([[0, 1, 2], [127, 255, 1]], dtype=dtype)
    return Image.fromarray(numbers), f"m.{kind}"


@pytest.mark.parametrize(("kind", "dtype"), [("png", "u1"), ("bmp", "u1"), ("tif", "u1"), ("png", "u2")])
def test_one_number_of_a_label_map_is_one_structure(tmp_path, kind, dtype):
    image, name = stored(kind, dtype)
    image.save(tmp_path / name)
    np.testing.assert_array_equal(structure(tmp_path, f"{name}#1"), [[False, True, False], [False, False, True]])
    np.testing.assert_array_equal(structure(tmp_path, f"{name}#127"), [[False, False, False], [True, False, False]])
    np.testing.assert_array_equal(
        structure(tmp_path, f"{name}#1|{name}#255"), [[False, True, False], [False, True, True]]
    )
    assert not structure(tmp_path, f"{name}#9").any()


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_numbers_of_a_png_of_few_bits_are_those_that_it_stores(tmp_path, bits):
    numbers = (np.arange(16) % 2**bits).astype(np.uint8)
    row = np.packbits(np.unpackbits(numbers[:, None], axis=1)[:, -bits:])
    head = struct.pack(">IIBBBBB", len(numbers), 1, bits, 0, 0, 0, 0)
    content = zlib.compress(b"\0" + row.tobytes())
    chunks = [(b"IHDR", head), (b"IDAT", content), (b"IEND", b"")]
    told = [struct.pack(">I", len(c)) + n + c + struct.pack(">I", zlib.crc32(n + c)) for n, c in chunks]
    (tmp_path / "m.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(told))
    for value in range(2 ** min(bits, 4)):
        np.testing.assert_array_equal(structure(tmp_path, f"m.png#{value}")[0], numbers == value)


@pytest.mark.parametrize("bits", [2, 4])
def test_numbers_of_a_tiff_of_few_bits_are_those_that_it_stores(tmp_path, bits):
    numbers = (np.arange(16) % 2**bits).astype(np.uint8)
    row = np.packbits(np.unpackbits(numbers[:, None], axis=1)[:, -bits:]).tobytes()
    tags = [(256, 3, 16), (257, 3, 1), (258, 3, bits), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1), (278, 3, 1),
            (279, 4, len(row))]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    head = struct.pack("<2sHI", b"II", 42, 8 + len(row))
    (tmp_path / "m.tif").write_bytes(head + row + struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0))
    for value in range(2**bits):
        np.testing.assert_array_equal(structure(tmp_path, f"m.tif#{value}")[0], numbers == value)


def test_a_tiff_with_jpeg_inside_is_no_label_map(tmp_path):
    Image.new("L", (16, 16)).save(tmp_path / "m.tif", compression="jpeg")
    with pytest.raises(BadImageError, match=r"m\.tif: a TIFF, so its pixels are not the numbers of structures"):
        structure(tmp_path, "m.tif#1")


def test_a_tiff_in_which_white_is_0_is_no_label_map(tmp_path):
    numbers = np.array([[0, 1], [2, 3]], dtype=np.uint8)
    tifffile.imwrite(tmp_path / "m.tif", numbers, photometric="miniswhite")
    with pytest.raises(BadImageError, match=r"m\.tif: white is 0, so its pixels are not the numbers of structures"):
        structure(tmp_path, "m.tif#1")


def test_of_a_palette_the_number_is_the_index(tmp_path):
    image = Image.fromarray(np.array([[0, 1], [2, 1]], dtype="u1")).convert("P")
    image.putpalette([255, 255, 255, 9, 9, 9, 0, 0, 0])
    image.save(tmp_path / "m.png")
    np.testing.assert_array_equal(structure(tmp_path, "m.png#1"), [[False, True], [False, True]])


@given(arrays.arrays(np.uint16, st.tuples(st.integers(1, 9), st.integers(1, 9))))
@settings(deadline=None, max_examples=50)
def test_the_structures_of_a_label_map_part_its_pixels(tmp_path_factory, numbers):
    root = tmp_path_factory.mktemp("maps")
    Image.fromarray(numbers).save(root / "m.png")
    parts = [structure(root, f"m.png#{value}") for value in np.unique(numbers)]
    assert (np.sum(parts, axis=0) == 1).all()


@pytest.mark.parametrize(
    ("name", "mode", "reason"),
    [("m.tiff", "RGB", "of mode RGB, so its pixels are not"), ("m.png", "RGBA", "of mode RGBA, so its pixels are not")],
)
def test_colours_are_no_label_map(tmp_path, name, mode, reason):
    Image.new(mode, (2, 2)).save(tmp_path / name)
    with pytest.raises(
        BadImageError, match=rf"{name}: {reason} the numbers of structures; save the label map as a grey"
    ):
        structure(tmp_path, f"{name}#1")


@pytest.mark.parametrize("kind", ["JPEG", "GIF"])
def test_what_does_not_keep_numbers_is_no_label_map_whatever_it_is_called(tmp_path, kind):
    Image.new("L", (2, 2)).save(tmp_path / "m.png", format=kind)
    Image.new("L", (2, 2)).save(tmp_path / "m.jpg", format="JPEG")
    with pytest.raises(BadImageError, match=r"m\.jpg: a JPEG, so its pixels"):
        structure(tmp_path, "m.jpg#1")
    with pytest.raises(BadImageError, match=rf"m\.png: a {kind}, so its pixels are not the numbers of structures"):
        structure(tmp_path, "m.png#1")


def test_half_a_label_map_is_refused(tmp_path):
    save(tmp_path / "whole.png", np.random.default_rng(0).integers(0, 9, (64, 64)).astype("u1"))
    (tmp_path / "m.png").write_bytes((tmp_path / "whole.png").read_bytes()[:-200])
    with pytest.raises(BadImageError, match=r"m\.png: "):
        structure(tmp_path, "m.png#1")


@pytest.mark.parametrize("name", ["a#1.png", "a.png#1.png", "m.png#x.png"])
def test_a_picture_with_a_number_sign_in_its_name_is_that_picture(tmp_path, name):
    save(tmp_path / name, blob(255))
    np.testing.assert_array_equal(structure(tmp_path, name), blob(255) > 0)
    assert str(parse_cell(name, root=tmp_path, where="row 1")[0]).endswith(name)


def test_the_cell_of_a_label_map_reads_back(tmp_path):
    assert cell_of("maps/1.png", key="85") == "maps/1.png#85"
    part = parse_cell("maps/1.png#85", root=tmp_path, where="row 1")[0]
    assert (part.file, part.value, part.key) == (tmp_path / "maps/1.png", 85, None)
    assert str(part).endswith("maps/1.png#85")


@pytest.mark.parametrize("key", ["left", "-1", "123456"])
def test_a_structure_of_a_picture_that_is_no_number_is_refused(key):
    with pytest.raises(InputError, match=rf"the mask 'maps/1.png#{key}' cannot be written as a cell"):
        cell_of("maps/1.png", key=key)
