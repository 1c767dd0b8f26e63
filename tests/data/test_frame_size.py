"""What compressed frames say of their size, and that no decoder is asked for one of another size."""

import struct

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.encaps import encapsulate, get_frame

from shortcut_audit.data.decode import BadImageError, decode
from shortcut_audit.data.frame_size import frame_size

SIZE = st.integers(0, 2**16 - 1)


def jpeg(rows, columns, colours, *, marker=0xC0, before=b""):
    """The first bytes of a frame, as T.81 B.2.2 has them."""
    stated = struct.pack(">BHHB", 8, rows, columns, colours) + bytes(3 * colours)
    return b"\xff\xd8" + before + b"\xff" + bytes([marker]) + struct.pack(">H", 2 + len(stated)) + stated


def jpeg_2000(rows, columns, colours, *, top=0, left=0):
    """The first bytes of a code stream, as T.800 A.5.1 has them."""
    tiles = (1024, 1024, 0, 0)
    stated = struct.pack(">HIIIIIIIIH", 0, columns + left, rows + top, left, top, *tiles, colours) + bytes(3 * colours)
    return b"\xff\x4f\xff\x51" + struct.pack(">H", 2 + len(stated)) + stated


@given(SIZE, SIZE, st.integers(1, 4), st.sampled_from([0xC0, 0xC1, 0xC2, 0xC3, 0xF7]))
def test_jpeg_states_its_size_after_other_segments_and_fill_bytes(rows, columns, colours, marker):
    segments = b"\xff\xe0\x00\x04\xff\xc0" + b"\xff\xff\xff\xc4\x00\x03\x00" + b"\xff\x01"
    for before in (b"", segments):
        frame = jpeg(rows, columns, colours, marker=marker, before=before)
        assert frame_size(frame, jpeg_2000=False) == (rows, columns, colours)


@given(SIZE, SIZE, st.integers(1, 4), st.integers(0, 99), st.integers(0, 99))
def test_jpeg_2000_states_its_size_from_a_corner(rows, columns, colours, top, left):
    stream = jpeg_2000(rows, columns, colours, top=top, left=left)
    assert frame_size(stream, jpeg_2000=True) == (rows, columns, colours)
    other = jpeg_2000(1, 1, 1)
    boxes = struct.pack(">I4s4s", 12, b"jP  ", b"\r\n\x87\n") + struct.pack(">I4s", 8 + len(other), b"free") + other
    for head in (struct.pack(">I4s", 0, b"jp2c"), struct.pack(">I4sQ", 1, b"jp2c", 16 + len(stream))):
        assert frame_size(boxes + head + stream, jpeg_2000=True) == (rows, columns, colours)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"nothing at all",
        b"?" + b"\xff" * 9,
        b"\0\0\0\1jp2c\xff\x4f",
        b"\xff\xd8\xff\xda\x00\x02\xff\xc0",
        b"\xff\xd8\xff\xe0\x00",
    ],
)
def test_a_frame_that_states_no_size_where_it_belongs_has_none(frame):
    assert frame_size(frame, jpeg_2000=False) is None
    assert frame_size(frame, jpeg_2000=True) is None


@given(st.binary(max_size=200), st.booleans())
def test_damaged_frames_state_whole_numbers_of_their_fields_or_nothing(data, jpeg_2000):
    size = frame_size((b"\xff\x4f\xff\x51" if jpeg_2000 else b"\xff\xd8") + data, jpeg_2000=jpeg_2000)
    largest = (2**32, 2**32, 2**16) if jpeg_2000 else (2**16, 2**16, 2**8)
    assert size is None or all(abs(stated) < most for stated, most in zip(size, largest, strict=True))


STATED = {
    "693_J2KI.dcm": (512, 512, 1), "HTJ2K_08_RGB.dcm": (480, 640, 3), "RG1_J2KI.dcm": (1955, 1841, 1),
    "JPEGLSNearLossless_16.dcm": (50, 10, 1), "JPGExtended.dcm": (1024, 256, 1), "SC_rgb_jpeg.dcm": (256, 256, 3),
}  # fmt: skip


@pytest.mark.parametrize("name", STATED)
def test_real_frames_state_what_their_header_says(odd, name):
    made = pydicom.dcmread(odd / name)
    j2k = "2000" in made.file_meta.TransferSyntaxUID.name
    frame = get_frame(made.PixelData, 0, number_of_frames=1)
    assert frame_size(frame, jpeg_2000=j2k) == STATED[name] == (made.Rows, made.Columns, made.SamplesPerPixel)


@pytest.mark.parametrize(("name", "place"), [("693_J2KI.dcm", b"\xff\x4f\xff\x51"), ("SC_rgb_jpeg.dcm", b"\xff\xc0")])
def test_a_small_film_with_a_frame_of_a_billion_pixels_is_refused_before_it_is_decoded(odd, tmp_path, name, place):
    raw = bytearray((odd / name).read_bytes())
    start = raw.index(place, raw.rindex(b"\xe0\x7f\x10\x00"))
    if place[1] == 0x4F:
        raw[start + 8 : start + 16] = struct.pack(">II", 40_000, 30_000)
    else:
        raw[start + 5 : start + 9] = struct.pack(">HH", 30_000, 40_000)
    (tmp_path / "bomb.dcm").write_bytes(raw)
    header = pydicom.dcmread(odd / name, stop_before_pixels=True)
    said = rf"bomb\.dcm: its frame is of 40000 x 30000 pixels, its header says {header.Columns} x {header.Rows}$"
    with pytest.raises(BadImageError, match=said):
        decode(tmp_path / "bomb.dcm")


def read_whole(path):
    """The film with every element read, so that it can be written again."""
    made = pydicom.dcmread(path)
    list(made.iterall())
    return made


def in_two(path, cut):
    """The film with its frame in two fragments, which are cut after some bytes."""
    made = read_whole(path)
    frame = get_frame(made.PixelData, 0, number_of_frames=1)
    cut = cut - cut % 2
    items = [b"\xfe\xff\x00\xe0" + struct.pack("<I", len(part)) + part for part in (frame[:cut], frame[cut:])]
    made.PixelData = b"\xfe\xff\x00\xe0\0\0\0\0" + b"".join(items)
    made["PixelData"].is_undefined_length = True
    return made


@pytest.mark.parametrize("cut", [2, 10, 24, 46])
@pytest.mark.parametrize("name", ["693_J2KI.dcm", "SC_rgb_jpeg.dcm"])
def test_a_size_that_is_split_between_two_fragments_is_read(odd, tmp_path, name, cut):
    in_two(odd / name, cut).save_as(tmp_path / "split.dcm")
    np.testing.assert_array_equal(decode(tmp_path / "split.dcm"), decode(odd / name))


def test_a_frame_of_a_billion_pixels_cannot_hide_between_two_fragments(odd, tmp_path):
    raw = bytearray((odd / "693_J2KI.dcm").read_bytes())
    start = raw.index(b"\xff\x4f\xff\x51")
    raw[start + 8 : start + 16] = struct.pack(">II", 40_000, 30_000)
    (tmp_path / "bomb.dcm").write_bytes(raw)
    in_two(tmp_path / "bomb.dcm", 2).save_as(tmp_path / "bomb.dcm")
    with pytest.raises(BadImageError, match=r"its frame is of 40000 x 30000 pixels, its header says 512 x 512$"):
        decode(tmp_path / "bomb.dcm")


def test_a_frame_that_states_no_size_is_refused(odd, tmp_path):
    made = read_whole(odd / "693_J2KI.dcm")
    made.PixelData = encapsulate([b"no picture"])
    made.save_as(tmp_path / "a.dcm")
    with pytest.raises(BadImageError, match=r"a\.dcm: its frame does not say how large it is, so it is damaged; fetch"):
        decode(tmp_path / "a.dcm")


def test_a_frame_of_more_colours_than_its_header_says_is_refused(odd, tmp_path):
    raw = bytearray((odd / "693_J2KI.dcm").read_bytes())
    start = raw.index(b"\xff\x4f\xff\x51")
    raw[start + 40 : start + 42] = struct.pack(">H", 16_000)
    (tmp_path / "bomb.dcm").write_bytes(raw)
    with pytest.raises(BadImageError, match=r"its frame has 16000 numbers a pixel, its header says 1$"):
        decode(tmp_path / "bomb.dcm")
