"""RLE of DICOM: what an independent encoder wrote comes back, what is damaged is as pydicom's own decoder has it."""

from __future__ import annotations

import io
import struct

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import pixel_array
from pydicom.uid import ExplicitVRLittleEndian, RLELossless

from shortcut_audit.data import decoders, dicom
from shortcut_audit.data.decode import BadImageError, decode

SIZE = st.integers(1, 40)


def film(pixels: np.ndarray) -> Dataset:
    """A film of 8 or 16 bits, grey or RGB, packed by pydicom."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = "1.2.3"
    made.Modality = "OT"
    made.Rows, made.Columns = pixels.shape[:2]
    made.SamplesPerPixel = 1 if pixels.ndim == 2 else 3
    made.PhotometricInterpretation = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
    if pixels.ndim == 3:
        made.PlanarConfiguration = 0
    made.BitsAllocated = made.BitsStored = 8 * pixels.itemsize
    made.HighBit, made.PixelRepresentation = made.BitsStored - 1, 0
    made.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    made["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
    made.compress(RLELossless, encoding_plugin="pydicom", generate_instance_uid=False)
    return made


def written(made: Dataset) -> bytes:
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, made, enforce_file_format=True)
    return stream.getvalue()


def with_decoder(plugin: str, made: Dataset) -> np.ndarray:
    return pixel_array(made, index=0, decoding_plugin=plugin)


@given(st.data(), SIZE, SIZE, st.sampled_from(["u1", "<u2"]), st.booleans(), st.integers(0, 2**32))
def test_what_was_packed_comes_back(data, rows, columns, depth, colour, seed):
    full = 2 ** (8 * np.dtype(depth).itemsize) - 1
    levels = data.draw(st.integers(1, min(full, 300)))
    shape = (rows, columns, 3) if colour else (rows, columns)
    pixels = np.random.default_rng(seed).integers(0, levels, shape).astype(depth) * (full // levels)
    np.testing.assert_array_equal(with_decoder("shortcut_audit", film(pixels.astype(depth))), pixels)


FILM = written(film(np.repeat(np.random.default_rng(0).integers(0, 4096, (24, 6), dtype=np.uint16), 5, axis=1)))
PACKED = FILM.index(b"\xe0\x7f\x10\x00")


@given(
    st.integers(PACKED + 12, len(FILM) - 1), st.binary(max_size=4), st.integers(0, 4), st.sampled_from([None, 1, 3, 40])
)
def test_a_damaged_frame_is_read_or_refused_as_pydicom_does(place, put, taken, cut):
    """Bytes changed, put in, taken out, and the end cut off."""
    raw = FILM[:place] + put + FILM[place + taken : len(FILM) - (cut or 0)]
    found = []
    for plugin in ("shortcut_audit", "pydicom"):
        try:
            found.append(with_decoder(plugin, dicom.read_header(raw)).tolist())
        except Exception:  # noqa: BLE001 (what pydicom raises on a damaged file is its own affair)
            found.append(None)
    # A last run that is too long is cut by pydicom and refused by us, where pydicom is asked next.
    assert found[0] == found[1] or found[0] is None


def refused(tmp_path, raw, message):
    path = tmp_path / "film.dcm"
    path.write_bytes(raw)
    with pytest.raises(BadImageError, match=f"film.dcm: compressed as RLE Lossless: .*{message}"):
        decode(path)


def test_another_number_of_segments_than_the_pixels_need_is_told(tmp_path):
    made = film(np.zeros((4, 4), dtype=np.uint16))
    made.BitsAllocated = made.BitsStored = 8
    made.HighBit = 7
    refused(tmp_path, written(made), r"\(2 vs. 1 segments\); save it uncompressed$")


def test_more_segments_than_a_header_can_name_are_refused(tmp_path):
    """Of colours of 64 bits; what the header does not name would be whatever the memory held."""
    made = film(np.zeros((4, 4, 3), dtype=np.uint16))
    made.BitsAllocated = made.BitsStored = 64
    made.HighBit = 63
    frame = struct.pack("<16L", 24, *[64] * 15) + b"\xf1\x07" * 24
    made.PixelData = pydicom.encaps.encapsulate([frame])
    made["PixelData"].is_undefined_length = True
    refused(tmp_path, written(made), "save it uncompressed$")


def test_a_frame_that_ends_within_its_header_is_told(tmp_path):
    made = film(np.zeros((4, 4), dtype=np.uint16))
    made.PixelData = pydicom.encaps.encapsulate([struct.pack("<3L", 2, 64, 68)])
    made["PixelData"].is_undefined_length = True
    refused(tmp_path, written(made), "header can only be 64 bytes long; save it uncompressed$")


def test_a_decoder_that_panics_on_damaged_runs_is_never_asked(tmp_path, monkeypatch):
    monkeypatch.setitem(get_decoder(RLELossless)._available, "pylibjpeg", lambda *_: pytest.fail("asked"))
    monkeypatch.setattr(decoders, "PLUGINS", ("pylibjpeg",))
    path = tmp_path / "film.dcm"
    path.write_bytes(FILM)
    with pytest.raises(BadImageError, match="RLE Lossless: no decoder is installed"):
        decode(path)
