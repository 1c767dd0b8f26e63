"""What Pillow does not do with a PNG: it leaves missing rows black without a word, and cuts 16-bit colour to 8 bits."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from shortcut_audit.shapes import Ints

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_STEP = 1 << 20
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEEP = (2, 4, 6)


def lacks_rows(raw: bytes) -> bool:
    """Return True if the pixel data of a PNG ends before its last row. Interlaced files are taken as whole."""
    if not raw.startswith(SIGNATURE):
        return False
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", raw[16:29])
    if interlace or colour not in _CHANNELS:
        return False
    expected: int = height * (1 + (width * depth * _CHANNELS[colour] + 7) // 8)
    return sum(len(piece) for piece in _inflated(raw, expected)) < expected


def deep_colour(raw: bytes) -> NDArray[np.uint16] | None:
    """Return (H, W, 2 to 4) of a PNG of 16 bits with colour or alpha; None for all others.

    Raises:
        ValueError: it is interlaced, has a filter that PNG does not know, or lacks rows.
    """
    if not raw.startswith(SIGNATURE) or raw[24] != 16 or raw[25] not in _DEEP:
        return None
    width, height, _, colour, _, _, interlace = struct.unpack(">IIBBBBB", raw[16:29])
    if interlace:
        raise ValueError("interlaced, of 16-bit colour; save it without interlacing")
    pixel = 2 * _CHANNELS[colour]
    data = b"".join(_inflated(raw, height * (1 + width * pixel)))
    lines = np.frombuffer(data, dtype=np.uint8, count=height * (1 + width * pixel)).reshape(height, -1)
    if lines[:, 0].max() > 4:
        raise ValueError(f"filter {lines[:, 0].max()} of a row; PNG knows 0 to 4")
    whole = _unfiltered(lines[:, 1:].reshape(height, width, pixel).astype(np.int64), lines[:, 0].astype(np.int64))
    return (whole[:, :, ::2] << 8 | whole[:, :, 1::2]).astype(np.uint16)


def _unfiltered(coded: Ints, filters: Ints) -> Ints:
    """Undo the filters of rows (PNG specification, chapter 9), one anti-diagonal at a time.

    A byte depends on those to the left, above and in the corner between: all of them on earlier diagonals.
    """
    height, width, _ = coded.shape
    whole = np.zeros((height + 1, width + 1, coded.shape[2]), dtype=np.int64)
    for diagonal in range(height + width - 1):
        row = np.arange(max(0, diagonal - width + 1), min(height, diagonal + 1))
        column = diagonal - row
        left, up, corner = whole[row + 1, column], whole[row, column + 1], whole[row, column]
        to_left, to_up, to_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
        nearest = np.where((to_left <= to_up) & (to_left <= to_corner), left, np.where(to_up <= to_corner, up, corner))
        guess = np.choose(filters[row, None], [np.zeros_like(left), left, up, (left + up) >> 1, nearest])
        whole[row + 1, column + 1] = (coded[row, column] + guess) & 255
    return whole[1:, 1:]


def _inflated(raw: bytes, wanted: int) -> Iterator[bytes]:
    """Yield the pixel data, decompressed, in pieces, until as many bytes as wanted are there."""
    inflate = zlib.decompressobj()
    found = 0
    for chunk in _pixel_data(raw):
        data = chunk
        while data and found < wanted:
            piece = inflate.decompress(data, _STEP)
            found += len(piece)
            yield piece
            data = inflate.unconsumed_tail


def _pixel_data(raw: bytes) -> Iterator[bytes]:
    """Yield the content of every IDAT chunk."""
    at = len(SIGNATURE)
    while at + 8 <= len(raw):
        length, kind = struct.unpack(">I4s", raw[at : at + 8])
        if kind == b"IDAT":
            yield raw[at + 8 : at + 8 + length]
        at += 12 + length
