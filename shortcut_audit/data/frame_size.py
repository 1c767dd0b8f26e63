"""What a compressed frame of DICOM says of its size, before a decoder reserves memory for it.

The header of the film is checked already; a damaged or made-up frame may say that it is ten thousand times as large.
"""

from __future__ import annotations

import re

_J2K = b"\xff\x4f\xff\x51"
"""Start and size of a code stream of JPEG 2000 (T.800 A.4.1, A.5.1)."""
_JPEG, _SCAN = b"\xff\xd8", 0xDA
_MARKER = re.compile(rb"\xff+([^\xff])", re.DOTALL)
"""A marker, which any number of bytes may fill up to (T.81 B.1.1.2)."""
_SIZES = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
"""Markers of JPEG and JPEG-LS after which the size stands (T.81 B.2.2, T.87 C.2.2)."""
_ALONE = {0x01, *range(0xD0, 0xD9)}
"""Markers without a length."""


def frame_size(frame: bytes, *, jpeg_2000: bool) -> tuple[int, int, int] | None:
    """Return rows, columns and colours that a frame states, None if it states none where they belong.

    Args:
        frame: a frame compressed as JPEG, JPEG-LS or JPEG 2000, its fragments joined.
        jpeg_2000: which of them.
    """
    return _of_jpeg_2000(frame) if jpeg_2000 else _of_jpeg(frame)


def _of_jpeg_2000(frame: bytes) -> tuple[int, int, int] | None:
    start = _code_stream(frame)
    if frame[start : start + len(_J2K)] != _J2K:
        return None
    right, bottom, left, top = (_number(frame, start + 8 + 4 * place, 4) for place in range(4))
    return bottom - top, right - left, _number(frame, start + 40, 2)


def _code_stream(frame: bytes) -> int:
    """Return where the code stream begins: at once, as DICOM has it, or in its box of a JP2 file (T.800 I.4)."""
    place = 0
    while place < len(frame) and not frame.startswith(_J2K, place):
        length, head = _number(frame, place, 4), 8
        if length == 1:
            length, head = _number(frame, place + 8, 8), 16
        place += head if frame[place + 4 : place + 8] == b"jp2c" else max(length, head)
    return place


def _of_jpeg(frame: bytes) -> tuple[int, int, int] | None:
    place = len(_JPEG) if frame.startswith(_JPEG) else len(frame)
    while found := _MARKER.match(frame, place):
        marker, place = found[1][0], found.end()
        if marker == _SCAN:
            break
        if marker in _SIZES:
            return _number(frame, place + 3, 2), _number(frame, place + 5, 2), _number(frame, place + 7, 1)
        place += 0 if marker in _ALONE else _number(frame, place, 2)
    return None


def _number(data: bytes, place: int, length: int) -> int:
    return int.from_bytes(data[place : place + length], "big")
