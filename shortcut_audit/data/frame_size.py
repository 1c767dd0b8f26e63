"""What a compressed frame of DICOM says of its size, before a decoder reserves memory for it.

The header of the film is checked already; a damaged or made-up frame may say that it is ten thousand times as large.
"""

from __future__ import annotations

_J2K = b"\xff\x4f\xff\x51"
"""Start and size of a code stream of JPEG 2000 (T.800 A.4.1, A.5.1)."""
_JPEG, _FILL, _SCAN = b"\xff\xd8\xff", 0xFF, 0xDA
_SIZES = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
"""Markers of JPEG and JPEG-LS after which the size stands (T.81 B.2.2, T.87 C.2.2)."""
_ALONE = {0x01, *range(0xD0, 0xD9)}
"""Markers without a length."""


def frame_size(data: bytes, *, jpeg_2000: bool) -> tuple[int, int, int] | None:
    """Return rows, columns and colours that the first frame states, None if it states none where they belong.

    Args:
        data: the value of Pixel Data of a film compressed as JPEG, JPEG-LS or JPEG 2000.
        jpeg_2000: which of them.
    """
    return _of_jpeg_2000(data) if jpeg_2000 else _of_jpeg(data)


def _of_jpeg_2000(data: bytes) -> tuple[int, int, int] | None:
    if (start := data.find(_J2K)) < 0:
        return None
    right, bottom, left, top = (_number(data, start + 8 + 4 * place, 4) for place in range(4))
    return bottom - top, right - left, _number(data, start + 40, 2)


def _of_jpeg(data: bytes) -> tuple[int, int, int] | None:
    if (place := data.find(_JPEG) + 2) < 2:
        return None
    while _number(data, place, 1) == _FILL and (marker := _number(data, place + 1, 1)) != _SCAN:
        if marker in _SIZES:
            return _number(data, place + 5, 2), _number(data, place + 7, 2), _number(data, place + 9, 1)
        place += 1 if marker == _FILL else 2 if marker in _ALONE else 2 + _number(data, place + 2, 2)
    return None


def _number(data: bytes, place: int, length: int) -> int:
    return int.from_bytes(data[place : place + length], "big")
