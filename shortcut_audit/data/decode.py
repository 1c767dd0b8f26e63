"""Pixels of image files that cannot be trusted: PNG, JPEG, BMP, GIF, TIFF and DICOM; of several frames, the first.

Pixels are scaled by the depth of the file (8 bit: /255, 16 bit: /65535), grey and colour alike. The camera's rotation
(EXIF) is undone, transparency is put on black. What DICOM does in between stands in ``data/dicom.py``.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from shortcut_audit.data.png import SIGNATURE, deep_colour, lacks_rows
from shortcut_audit.data.raw_film import RAW_FILM, raw_film
from shortcut_audit.errors import InputError
from shortcut_audit.shapes import Pixels

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF")
MAX_PIXELS = 64_000_000
_BROKEN = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, OSError, RuntimeError,
    SyntaxError, TypeError, ValueError, struct.error, zlib.error,
    Image.DecompressionBombError, Image.DecompressionBombWarning,
)  # fmt: skip
_WHITE_IS_ZERO = 0
_PNG_DEPTH = 24
_BITS, _PHOTOMETRIC, _ORIENTATION = 258, 262, 274
_ON_ITS_SIDE = (5, 6, 7, 8)
_ONE_NUMBER = ("1", "L", "P", "I;16", "I;16B", "I;16L")
_RENUMBERED = ("JPEG", "GIF")
"""Formats that do not keep the numbers: one is lossy, of the other writers sort the palette anew."""
_TRUNCATED = "truncated, rows of the image are missing; fetch the file again"
_DICOM = slice(128, 132)
_Result = TypeVar("_Result")

# Pillow warns of damaged metadata, which is not what is read here.
warnings.filterwarnings("ignore", category=UserWarning, module="PIL")
# An image of more pixels than Pillow likes is refused, not warned about.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


class BadImageError(InputError):
    """One image that is not there or cannot be read; the message names the file."""


def decode(path: Path) -> Pixels:
    """Return the pixels of a file as (H, W, 1 or 3) float32 in [0, 1].

    Raises:
        BadImageError: missing, truncated, too large, of more than 16 bits, or not an image.
    """
    return _guarded(path, _pixels)


def is_black(path: Path) -> bool:
    """Return True if :func:`decode` would give 0 everywhere; of a grey PNG without making numbers of its pixels.

    Raises:
        BadImageError: as for :func:`decode`.
    """
    return _guarded(path, _black)


def stored_values(path: Path) -> NDArray[np.integer[Any]]:
    """Return the numbers (H, W) that a picture stores, of a palette the index: a label map as it was written.

    Raises:
        BadImageError: missing, truncated, of several channels, or of a format that does not keep numbers.
    """
    return _guarded(path, _values)


def image_size(path: Path) -> tuple[int, int]:
    """Return height and width of an image as :func:`decode` returns it, from its header.

    Raises:
        BadImageError: missing, or not an image.
    """
    return _guarded(path, _size)


def stored_as(path: Path) -> tuple[int, int, str]:
    """Return height and width of a DICOM film and how its pixels are stored, from its header.

    Raises:
        BadImageError: missing, or no DICOM file with an image.
    """

    def read(raw: bytes, _: Path) -> tuple[int, int, str]:
        from shortcut_audit.data import dicom

        return _of_dicom(lambda: dicom.dicom_storage(dicom.read_header(raw, pixels=False)))

    return _guarded(path, read)


def view_position(path: Path) -> str | None:
    """Return the projection that the header of a DICOM film states (PA, AP, ...), None if it states none.

    Raises:
        BadImageError: missing, or no DICOM file.
    """

    def read(raw: bytes, _: Path) -> str | None:
        from shortcut_audit.data import dicom

        return _of_dicom(lambda: dicom.stated_view(dicom.read_header(raw, pixels=False)))

    return _guarded(path, read)


def _guarded(path: Path, read: Callable[[bytes, Path], _Result]) -> _Result:
    """Let a reader fail with one message that names the file."""
    try:
        return read(path.read_bytes(), path)
    except BadImageError as error:
        raise error if str(path) in str(error) else BadImageError(f"{path}: {error}") from error
    except FileNotFoundError as error:
        raise BadImageError(f"{path}: no such file") from error
    except UnidentifiedImageError as error:
        raise BadImageError(f"{path}: not one of {', '.join(FORMATS)} or DICOM") from error
    except _BROKEN as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadImageError(f"{path}: cannot be read ({reason}); fetch the file again") from error


def _is_dicom(raw: bytes, path: Path) -> bool:
    return raw[_DICOM] == b"DICM" or path.suffix.lower() in (".dcm", ".dicom")


def _of_dicom(read: Callable[[], _Result]) -> _Result:
    """Call a reader of DICOM, whose library is imported only now, with its errors made built-in ones."""
    from shortcut_audit.data.dicom import DAMAGED

    try:
        return read()
    except DAMAGED as error:
        raise ValueError(str(error)) from error


def _size(raw: bytes, path: Path) -> tuple[int, int]:
    if path.suffix.lower() == RAW_FILM:
        height, width, _ = raw_film(raw).shape
        return height, width
    if _is_dicom(raw, path):
        from shortcut_audit.data import dicom

        return _of_dicom(lambda: dicom.dicom_size(dicom.read_header(raw, pixels=False)))
    with Image.open(io.BytesIO(raw), formats=FORMATS) as image:
        if image.format == "PNG":
            # Its orientation may stand behind the pixels.
            image.load()
        turned = _orientation(image) in _ON_ITS_SIDE
        return (image.width, image.height) if turned else (image.height, image.width)


def _pixels(raw: bytes, path: Path) -> Pixels:
    if path.suffix.lower() == RAW_FILM:
        return raw_film(raw)
    if _is_dicom(raw, path):
        from shortcut_audit.data import dicom

        return _of_dicom(lambda: dicom.dicom_pixels(raw))
    with Image.open(io.BytesIO(raw), formats=FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise BadImageError(_too_large(image))
        if lacks_rows(raw):
            raise BadImageError(_TRUNCATED)
        image.load()
        return _upright(_native(image, raw), _orientation(image))


def _values(raw: bytes, _: Path) -> NDArray[np.integer[Any]]:
    with Image.open(io.BytesIO(raw), formats=FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise BadImageError(_too_large(image))
        renumbered = image.format in _RENUMBERED or image.info.get("compression") == "jpeg"
        inverted = image.format == "TIFF" and image.getexif().get(_PHOTOMETRIC) == _WHITE_IS_ZERO
        if renumbered or inverted or image.mode not in _ONE_NUMBER:
            found = f"a {image.format}" if renumbered else "white is 0" if inverted else f"of mode {image.mode}"
            raise BadImageError(
                f"{found}, so its pixels are not the numbers of structures; save the label map as a grey PNG"
            )
        if lacks_rows(raw):
            raise BadImageError(_TRUNCATED)
        image.load()
        stored = np.asarray(image) // _stretched(image, raw)
        return _upright(stored[:, :, None], _orientation(image))[:, :, 0]


def _stretched(image: Image.Image, raw: bytes) -> int:
    """Return by what Pillow multiplies the numbers of a grey picture of 2 or 4 bits, to fill 0 to 255."""
    depth = raw[_PNG_DEPTH] if image.format == "PNG" else _bits(image)
    return {2: 85, 4: 17}.get(depth, 1) if image.mode == "L" else 1


def _black(raw: bytes, path: Path) -> bool:
    if raw.startswith(SIGNATURE):
        with Image.open(io.BytesIO(raw), formats=FORMATS) as image:
            grey = image.mode in ("1", "L") and image.width * image.height <= MAX_PIXELS
            if grey and not lacks_rows(raw):
                return image.getbbox() is None
    return not _pixels(raw, path).any()


def _too_large(image: Image.Image) -> str:
    return f"{image.width} x {image.height} pixels; an image has at most {MAX_PIXELS:,}, make it smaller"


def _orientation(image: Image.Image) -> int:
    return int(image.getexif().get(_ORIENTATION, 1))


def _native(image: Image.Image, raw: bytes) -> Pixels:
    """Scale by the depth of the file. Pillow would clip 16 bits of grey to 255, and cuts those of colour to 8."""
    bits = _bits(image)
    if (deep := deep_colour(raw)) is not None or (image.mode not in ("I;16", "I;16B", "I;16L") and bits == 16):
        return _on_black(_tiff(raw) if deep is None else deep, 65535)
    if image.mode.startswith("I;16"):
        grey = _scaled(image, 2**bits - 1 if bits in (12, 16) else 65535)[:, :, None]
        inverted = image.format == "TIFF" and image.getexif().get(_PHOTOMETRIC) == _WHITE_IS_ZERO
        return 1 - grey if inverted else grey
    if image.mode in ("I", "F"):
        raise BadImageError("more than 16 bits a pixel; save it with 8 or 16 bits")
    if image.mode in ("1", "L"):
        return _scaled(image.convert("L"), 255)[:, :, None]
    if image.has_transparency_data:
        return _on_black(np.asarray(image.convert("RGBA")), 255)
    return _scaled(image.convert("RGB"), 255)


def _bits(image: Image.Image) -> int:
    """Return the bits of a sample that a TIFF states; 0 for other formats."""
    stated = image.getexif().get(_BITS, 0) if image.format == "TIFF" else 0
    return int(max(stated) if isinstance(stated, tuple) else stated)


def _tiff(raw: bytes) -> NDArray[Any]:
    """Read a TIFF whose colours have 16 bits."""
    import tifffile

    found = tifffile.imread(io.BytesIO(raw), key=0)
    if found.dtype != np.uint16 or found.ndim != 3 or found.shape[2] not in (2, 3, 4):
        raise BadImageError(f"a TIFF of {found.dtype} with shape {found.shape}; save it as 8 or 16 bit grey or RGB")
    return found


def _on_black(stored: NDArray[Any], full: int) -> Pixels:
    """Scale (H, W, 1 to 4) and put the last of 2 or 4 channels, which is alpha, on black."""
    scaled = stored.astype(np.float32) / np.float32(full)
    if scaled.shape[2] in (1, 3):
        return scaled
    return scaled[:, :, :-1] * scaled[:, :, -1:]


def _upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Undo the rotation of the camera (EXIF 2.32, tag 274)."""
    if orientation in _ON_ITS_SIDE:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def _scaled(image: Image.Image, full: int) -> Pixels:
    return np.asarray(image, dtype=np.float32) / np.float32(full)
