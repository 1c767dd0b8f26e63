"""Images and masks as people have them, and files that are none."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageOps

from shortcut_audit.data.decode import BadImageError, decode, image_size, is_black
from shortcut_audit.data.images import check_images, load_pixels, read_image, read_pixels
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.data.png import deep_colour
from shortcut_audit.errors import InputError

SIZE = 32


def save(path, pixels, **options):
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(path, **options)
    return path


def constant(mode, colour):
    return Image.new(mode, (SIZE, SIZE), colour)


def ramp(dtype, top):
    return np.linspace(0, top, SIZE * SIZE).astype(dtype).reshape(SIZE, SIZE)


# ---- black


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16"])
@pytest.mark.parametrize("ending", [".png", ".tif"])
@pytest.mark.parametrize("lit", [False, True])
def test_an_image_is_black_where_decoding_gives_nothing_else(tmp_path, mode, ending, lit):
    image = constant("L", 0).convert(mode) if mode != "I;16" else Image.new("I;16", (SIZE, SIZE))
    if lit:
        image.putpixel((3, 4), {"RGB": (0, 1, 0), "RGBA": (0, 9, 0, 255), "LA": (9, 255)}.get(mode, 1))
    path = save(tmp_path / f"mask{ending}", image)
    assert bool(decode(path).any()) is lit
    assert is_black(path) is not lit


# ---- depth


@given(arrays.arrays(np.uint8, (SIZE, SIZE)), st.sampled_from(["PNG", "BMP", "TIFF"]))
@settings(deadline=None, max_examples=50)
def test_eight_bits_are_divided_by_255_and_nothing_else(tmp_path_factory, pixels, kind):
    path = save(tmp_path_factory.mktemp("grey") / "a", pixels, format=kind)
    np.testing.assert_array_equal(read_image(path, channels=1, size=SIZE)[0], pixels / np.float32(255))


@given(arrays.arrays(np.uint16, (SIZE, SIZE)), st.sampled_from(["PNG", "TIFF"]))
@settings(deadline=None, max_examples=50)
def test_sixteen_bits_are_divided_by_65535(tmp_path_factory, pixels, kind):
    path = save(tmp_path_factory.mktemp("deep") / "a", pixels, format=kind)
    np.testing.assert_array_equal(read_image(path, channels=1, size=SIZE)[0], pixels / np.float32(65535))


def test_sixteen_bits_are_not_clipped_as_pillow_would(tmp_path):
    path = save(tmp_path / "a.png", np.full((SIZE, SIZE), 40000, dtype=np.uint16))
    with Image.open(path) as image:
        assert image.convert("L").getpixel((0, 0)) == 255
    assert read_image(path, channels=1, size=SIZE).max() == pytest.approx(40000 / 65535)


@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 65535)])
def test_a_tiff_in_which_white_is_zero_is_turned_round(tmp_path, dtype, top):
    stored = ramp(dtype, top)
    path = save(tmp_path / "a.tif", stored)
    black_is_zero, white_is_zero = (struct.pack("<HHIHH", 262, 3, 1, value, 0) for value in (1, 0))
    assert black_is_zero in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(black_is_zero, white_is_zero))
    np.testing.assert_allclose(read_image(path, channels=1, size=SIZE)[0], 1 - stored / top, atol=1e-6)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(lines, *, width, depth, kind, height=None):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height or len(lines), depth, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"".join(lines))) + chunk(b"IEND", b"")


def paeth(left, up, corner):
    guess = left + up - corner
    away = [abs(guess - left), abs(guess - up), abs(guess - corner)]
    return (left, up, corner)[away.index(min(away))]


def png16(stored, kind, height=None):
    """A PNG of 16 bits: kind 2 is RGB, 4 grey with alpha, 6 RGBA. Rows take the five filters in turn."""
    width, pixel = stored.shape[1], 2 * stored.shape[2]
    rows = [list(row.astype(">u2").tobytes()) for row in stored]
    lines = []
    for at, row in enumerate(rows):
        above = rows[at - 1] if at else [0] * len(row)
        guesses = []
        for i in range(len(row)):
            left, corner = (row[i - pixel], above[i - pixel]) if i >= pixel else (0, 0)
            guesses.append((0, left, above[i], (left + above[i]) // 2, paeth(left, above[i], corner))[at % 5])
        lines.append(bytes([at % 5, *((byte - guess) % 256 for byte, guess in zip(row, guesses, strict=True))]))
    return png(lines, width=width, depth=16, kind=kind, height=height)


@pytest.mark.parametrize(("kind", "channels"), [(2, 3), (4, 2), (6, 4)])
def test_colour_of_sixteen_bits_keeps_all_of_them(tmp_path, kind, channels):
    stored = np.random.default_rng(0).integers(0, 65536, (7, 5, channels), dtype=np.uint16)
    (tmp_path / "a.png").write_bytes(png16(stored, kind))
    scaled = stored / 65535
    expected = scaled if kind == 2 else scaled[:, :, :-1] * scaled[:, :, -1:]
    np.testing.assert_allclose(decode(tmp_path / "a.png"), expected, atol=1e-7)


def test_a_deep_png_whose_rows_are_missing_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(png16(np.full((6, 5, 3), 7, dtype=np.uint16), 2, height=7))
    with pytest.raises(BadImageError, match=r"a\.png: truncated, rows of the image are missing"):
        decode(tmp_path / "a.png")


def test_a_deep_png_that_is_interlaced_or_has_an_unknown_filter_is_refused():
    raw = png([bytes([5]) + bytes(6)], width=1, depth=16, kind=2)
    with pytest.raises(ValueError, match="filter 5 of a row; PNG knows 0 to 4"):
        deep_colour(raw)
    with pytest.raises(ValueError, match="interlaced, of 16-bit colour; save it without interlacing"):
        deep_colour(raw[:28] + b"\1" + raw[29:])


@pytest.mark.parametrize("channels", [3, 4])
def test_a_colour_tiff_of_sixteen_bits_keeps_all_of_them(tmp_path, channels):
    stored = np.random.default_rng(0).integers(0, 65536, (7, 5, channels), dtype=np.uint16)
    extra = {"extrasamples": ["unassalpha"]} if channels == 4 else {}
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", **extra)
    scaled = stored / 65535
    expected = scaled if channels == 3 else scaled[:, :, :3] * scaled[:, :, 3:]
    np.testing.assert_allclose(decode(tmp_path / "a.tif"), expected, atol=1e-7)


@pytest.mark.parametrize(("bits", "packed"), [(1, "01000000"), (2, "00011011"), (4, "0000000100101111")])
def test_few_bits_of_grey_span_black_to_white(tmp_path, bits, packed):
    levels = [int(packed[at : at + bits], 2) for at in range(0, len(packed), bits)]
    line = b"\0" + int(packed, 2).to_bytes(len(packed) // 8, "big")
    (tmp_path / "a.png").write_bytes(png([line], width=len(levels), depth=bits, kind=0))
    np.testing.assert_allclose(decode(tmp_path / "a.png")[0, :, 0], np.array(levels) / (2**bits - 1), atol=1e-6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_rotation_of_the_camera_is_undone_as_pillow_does(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "a.png", np.arange(35, dtype=np.uint8).reshape(7, 5), exif=exif)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(np.rint(decode(path)[:, :, 0] * 255), expected)
    assert image_size(path) == expected.shape


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_damaged_files_are_read_at_their_size_or_refused(tmp_path_factory, data):
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "BMP", "GIF", "TIFF", "PNG16"]))
    stream = io.BytesIO()
    Image.fromarray(ramp(np.uint8, 255)).save(stream, format=kind.removesuffix("16"))
    deep = png16(np.random.default_rng(0).integers(0, 65536, (9, 8, 3), dtype=np.uint16), 2)
    raw = bytearray(deep if kind == "PNG16" else stream.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("fuzz") / "a.bin"
    path.write_bytes(raw[: data.draw(st.sampled_from([len(raw), len(raw) // 2, len(raw) - 3]))])
    try:
        pixels = decode(path)
    except BadImageError:
        return
    assert pixels.shape[:2] == image_size(path)
    assert (pixels >= 0).all()
    assert (pixels <= 1).all()


def test_more_than_sixteen_bits_are_refused(tmp_path):
    path = save(tmp_path / "a.tif", np.zeros((SIZE, SIZE), dtype=np.float32))
    with pytest.raises(BadImageError, match=r"a\.tif: more than 16 bits a pixel; save it with 8 or 16 bits"):
        read_image(path, channels=1, size=SIZE)


# ---- colour


def test_grey_of_a_colour_image_is_its_luma(tmp_path):
    path = save(tmp_path / "a.png", constant("RGB", (200, 100, 50)))
    expected = (0.299 * 200 + 0.587 * 100 + 0.114 * 50) / 255
    np.testing.assert_allclose(read_image(path, channels=1, size=SIZE), expected, rtol=1e-5)


def test_a_grey_image_in_three_channels_is_the_same_three_times(tmp_path):
    pixels = read_image(save(tmp_path / "a.png", ramp(np.uint8, 255)), channels=3, size=SIZE)
    assert pixels.shape == (3, SIZE, SIZE)
    assert (pixels[0] == pixels[1]).all()
    assert (pixels[0] == pixels[2]).all()
    assert pixels.dtype == np.float32


def test_a_palette_is_applied_also_an_inverted_one(tmp_path):
    image = Image.fromarray(ramp(np.uint8, 255)).convert("P")
    image.putpalette([255 - level for level in range(256) for _ in range(3)])
    indices = np.asarray(image)
    pixels = read_image(save(tmp_path / "a.png", image), channels=1, size=SIZE)
    np.testing.assert_allclose(pixels[0], 1 - indices / 255, atol=1e-6)


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("RGBA", (250, 250, 250, 0), 0.0),
        ("RGBA", (255, 255, 255, 51), 0.2),
        ("LA", (250, 0), 0.0),
        ("RGBA", (102, 102, 102, 255), 0.4),
        ("1", 1, 1.0),
        ("CMYK", (0, 0, 0, 255), 0.0),
    ],
)
def test_transparency_is_put_on_black_and_odd_modes_are_read(tmp_path, mode, colour, expected):
    path = save(tmp_path / "a", constant(mode, colour), format="JPEG" if mode == "CMYK" else "PNG")
    np.testing.assert_allclose(read_image(path, channels=1, size=SIZE), expected, atol=1e-2)


def test_a_transparent_palette_colour_is_put_on_black(tmp_path):
    image = constant("P", 1)
    image.putpalette([0, 0, 0, 255, 255, 255])
    path = save(tmp_path / "a.png", image, transparency=1)
    assert read_image(path, channels=1, size=SIZE).max() == 0


def test_of_an_animation_the_first_frame_is_read(tmp_path):
    frames = [constant("L", 255), constant("L", 0)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert read_image(tmp_path / "a.gif", channels=1, size=SIZE).min() == 1


# ---- geometry


def test_the_rotation_of_the_camera_is_undone(tmp_path):
    upright = np.zeros((40, 20), dtype=np.uint8)
    upright[:10] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.fromarray(upright).transpose(Image.Transpose.ROTATE_90)
    path = save(tmp_path / "a.png", stored, exif=exif)
    pixels = read_image(path, channels=1, size=SIZE)[0]
    assert pixels[:6].min() > 0.9
    assert pixels[12:].max() < 0.1


@pytest.mark.parametrize("shape", [(64, 64), (48, 96), (7, 5)])
def test_images_become_square_and_keep_their_mean(tmp_path, shape):
    rng = np.random.default_rng(0)
    stored = rng.integers(0, 256, shape, dtype=np.uint8)
    pixels = read_image(save(tmp_path / "a.png", stored), channels=1, size=SIZE)
    assert pixels.shape == (1, SIZE, SIZE)
    assert pixels.min() >= 0
    assert pixels.max() <= 1
    assert pixels.mean() == pytest.approx(stored.mean() / 255, abs=0.03)


def test_shrinking_is_antialiased(tmp_path):
    stripes = np.zeros((SIZE * 8, SIZE * 8), dtype=np.uint8)
    stripes[:, ::2] = 255
    pixels = read_image(save(tmp_path / "a.png", stripes), channels=1, size=SIZE)
    np.testing.assert_allclose(pixels, 0.5, atol=0.02)


# ---- files that are none


def png_without_rows(path, *, rows, interlace=0):
    """A PNG whose header promises SIZE rows and whose data holds fewer."""

    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 0, 0, 0, interlace)
    data = zlib.compress((b"\0" + b"\xc8" * SIZE) * rows)
    half = len(data) // 2
    body = chunk(b"IHDR", header) + chunk(b"IDAT", data[:half]) + chunk(b"IDAT", data[half:]) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def test_a_png_whose_rows_are_missing_is_refused_although_pillow_reads_it(tmp_path):
    path = png_without_rows(tmp_path / "a.png", rows=SIZE // 2)
    with Image.open(path) as image:
        assert np.asarray(image)[-1].max() == 0
    with pytest.raises(BadImageError, match=r"a\.png: truncated, rows of the image are missing; fetch the file again"):
        read_image(path, channels=1, size=SIZE)


def test_a_png_whose_rows_are_missing_is_not_taken_for_black(tmp_path):
    path = png_without_rows(tmp_path / "a.png", rows=SIZE // 2)
    with pytest.raises(BadImageError, match=r"a\.png: truncated, rows of the image are missing; fetch the file again"):
        is_black(path)


def test_a_png_in_several_chunks_with_all_its_rows_is_read(tmp_path):
    path = png_without_rows(tmp_path / "a.png", rows=SIZE)
    np.testing.assert_allclose(read_image(path, channels=1, size=SIZE), 200 / 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_whole_pngs_of_every_mode_are_not_taken_for_truncated(tmp_path, mode):
    image = Image.new(mode, (13, 7))
    assert read_image(save(tmp_path / "a.png", image), channels=1, size=SIZE).shape == (1, SIZE, SIZE)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF", "GIF"])
@pytest.mark.parametrize("share", [0.1, 0.6])
def test_truncated_files_are_refused(tmp_path, kind, share):
    stream = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (200, 200), dtype=np.uint8)
    Image.fromarray(noise).save(stream, format=kind)
    path = tmp_path / "cut"
    path.write_bytes(stream.getvalue()[: int(len(stream.getvalue()) * share)])
    with pytest.raises(BadImageError, match=r"cut: (cannot be read|truncated|not one of)"):
        read_image(path, channels=1, size=SIZE)


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"\0" * 128 + b"DICM", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image_is_refused(tmp_path, content):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(BadImageError, match=r"a\.png: (not one of PNG, JPEG|cannot be read|a DICOM file without)"):
        read_image(path, channels=1, size=SIZE)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadImageError, match=r"gone\.png: no such file"):
        read_image(tmp_path / "gone.png", channels=1, size=SIZE)


def test_a_folder_is_no_image(tmp_path):
    with pytest.raises(BadImageError, match=r"cannot be read \(.*directory"):
        read_image(tmp_path, channels=1, size=SIZE)


@pytest.mark.parametrize("side", [8_001, 10_000, 20_000])
def test_too_many_pixels_are_refused_before_they_are_unpacked(tmp_path, side):
    path = tmp_path / "a.bmp"
    header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 0, 0, 0, 0, 0, 0)
    path.write_bytes(b"BM" + struct.pack("<IHHI", 54 + 1024, 0, 0, 54 + 1024) + header + b"\0" * 1024)
    with pytest.raises(BadImageError, match=r"a\.bmp: .*(at most 64,000,000, make it smaller|exceeds limit)"):
        read_image(path, channels=1, size=SIZE)


def test_a_small_png_that_promises_many_pixels_is_refused_without_unpacking_it(tmp_path):
    path = png_without_rows(tmp_path / "a.png", rows=SIZE)
    raw = bytearray(path.read_bytes())
    raw[16:24] = struct.pack(">II", 8_200, 8_200)
    raw[29:33] = struct.pack(">I", zlib.crc32(bytes(raw[12:29])))
    path.write_bytes(bytes(raw))
    with pytest.raises(BadImageError, match=r"a\.png: 8200 x 8200 pixels; an image has at most 64,000,000"):
        read_image(path, channels=1, size=SIZE)


def test_an_interlaced_png_is_read(tmp_path):
    # Adam7 of a picture of one colour, written by hand: seven passes of their own sizes.
    passes = [(4, 4), (4, 4), (8, 4), (8, 8), (16, 8), (16, 16), (32, 16)]
    path = png_without_rows(tmp_path / "a.png", rows=SIZE, interlace=1)
    data = zlib.compress(b"".join((b"\0" + b"\xc8" * width) * height for width, height in passes))
    head = path.read_bytes()[:33]
    body = b"IDAT" + data
    path.write_bytes(head + struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body)))
    np.testing.assert_allclose(read_image(path, channels=1, size=SIZE), 200 / 255)


# ---- many images


def manifest_of(root, rows, bad=()):
    for row in range(rows):
        save(root / f"{row}.png", constant("L", row * 5 % 256))
    for row in bad:
        (root / f"{row}.png").write_bytes(b"no image")
    frame = pl.DataFrame(
        {
            "sample_id": [f"s{row}" for row in range(rows)],
            "image": [f"{row}.png" for row in range(rows)],
            "split": ["train"] * rows,
            "label.x": [str(row % 2) for row in range(rows)],
            "attribute.view": ["ap" if row % 3 else "" for row in range(rows)],
        }
    )
    return Manifest.from_frame(frame, card=DataCard(name="t"), root=root, where="t.csv")


def test_pixels_come_as_bytes_in_the_order_of_the_manifest(tmp_path):
    pixels, quarantine = load_pixels(manifest_of(tmp_path, 12), size=SIZE, channels=3)
    assert pixels.shape == (12, 3, SIZE, SIZE)
    assert pixels.dtype == np.uint8
    assert pixels[:, 0, 0, 0].tolist() == [row * 5 for row in range(12)]
    assert len(quarantine) == 0
    assert quarantine.note() is None
    assert quarantine.kept.all()


def test_a_few_bad_images_are_left_out_named_and_counted_by_label_and_attribute(tmp_path):
    manifest = manifest_of(tmp_path, 10, bad=[1, 3, 4])
    pixels, quarantine = load_pixels(manifest, size=SIZE, channels=1)
    assert list(quarantine.reasons) == ["s1", "s3", "s4"]
    assert "3.png: not one of" in quarantine.reasons["s3"]
    assert manifest.select(quarantine.kept).ids == ["s0", "s2", "s5", "s6", "s7", "s8", "s9"]
    assert pixels[:, 0, 0, 0].tolist() == [0, 10, 25, 30, 35, 40, 45]
    assert quarantine.by_group == {
        "attribute.view=ap": 2, "attribute.view=blank": 1, "label.x=0": 1, "label.x=1": 2,
    }  # fmt: skip
    assert quarantine.note() == (
        "3 of 10 images could not be read and were left out "
        "(label.x=0: 1, label.x=1: 2, attribute.view=ap: 2, attribute.view=blank: 1)"
    )


def test_too_many_bad_images_stop_everything_naming_the_first(tmp_path):
    manifest = manifest_of(tmp_path, 10, bad=[0, 2, 4, 6])
    (tmp_path / "0.png").unlink()
    with pytest.raises(InputError) as caught:
        load_pixels(manifest, size=SIZE, channels=1)
    message = str(caught.value)
    assert "4 of 10 images are missing or cannot be read, more than max(3, 1 %): " in message
    assert "0.png: no such file" in message
    assert "6.png" not in message
    assert "check the root folder" in message


def test_checking_finds_what_loading_would(tmp_path):
    manifest = manifest_of(tmp_path, 10, bad=[7])
    checked = check_images(manifest)
    _, loaded = load_pixels(manifest, size=SIZE, channels=1)
    assert checked.reasons == loaded.reasons
    assert checked.by_group == loaded.by_group


def test_more_memory_than_there_should_be_is_refused_before_reading():
    with pytest.raises(InputError, match=r"need 6\.0 GiB, at most 4 are used; set image\.size to 832 or less"):
        read_pixels([Path("a.png")] * 6144, size=1024, channels=1)


def test_no_images_are_an_empty_array():
    pixels, reasons = read_pixels([], size=SIZE, channels=1)
    assert pixels.shape == (0, 1, SIZE, SIZE)
    assert reasons == {}


def test_real_chest_films_of_all_modes_and_lying_extensions_are_read(real_data):
    paths = sorted((real_data / "covid_cxr" / "images").iterdir())
    pixels, reasons = read_pixels(paths, size=SIZE, channels=1)
    assert reasons == {}
    assert len(pixels) == 157
    assert (pixels.reshape(157, -1).std(axis=1) > 5).all()
