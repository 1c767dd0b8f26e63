"""Whether a PNG holds all of its rows. Pillow reads one that does not without a word and leaves the rest black."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_STEP = 1 << 20
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def lacks_rows(raw: bytes) -> bool:
    """Return True if the pixel data of a PNG ends before its last row. Interlaced files are taken as whole."""
    if not raw.startswith(SIGNATURE):
        return False
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", raw[16:29])
    if interlace or colour not in _CHANNELS:
        return False
    expected: int = height * (1 + (width * depth * _CHANNELS[colour] + 7) // 8)
    inflate = zlib.decompressobj()
    found = 0
    for chunk in _pixel_data(raw):
        data = chunk
        while data and found < expected:
            found += len(inflate.decompress(data, _STEP))
            data = inflate.unconsumed_tail
    return found < expected


def _pixel_data(raw: bytes) -> Iterator[bytes]:
    """Yield the content of every IDAT chunk."""
    at = len(SIGNATURE)
    while at + 8 <= len(raw):
        length, kind = struct.unpack(">I4s", raw[at : at + 8])
        if kind == b"IDAT":
            yield raw[at + 8 : at + 8 + length]
        at += 12 + length
