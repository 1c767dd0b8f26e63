"""Pixels of image files that cannot be trusted: PNG, JPEG, BMP, GIF and TIFF; of several frames, the first.

Pixels are scaled by the depth of the file (8 bit: /255, 16 bit: /65535; 16-bit colour is read at 8 bits, as Pillow
does). The camera's rotation (EXIF) is undone, transparency is put on black.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from shortcut_audit.data.png import lacks_rows
from shortcut_audit.data.raw_film import RAW_FILM, raw_film
from shortcut_audit.errors import InputError
from shortcut_audit.shapes import Pixels

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF")
MAX_PIXELS = 64_000_000
_BROKEN = (
    OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, struct.error, zlib.error,
    Image.DecompressionBombError, Image.DecompressionBombWarning,
)  # fmt: skip
_WHITE_IS_ZERO = 0
_PHOTOMETRIC = 262
_ORIENTATION = 0x0112
_ON_ITS_SIDE = (5, 6, 7, 8)

# An image of more pixels than Pillow likes is refused, not warned about.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


class BadImageError(InputError):
    """One image that is not there or cannot be read; the message names the file."""


def decode(path: Path) -> Pixels:
    """Return the pixels of a file as (H, W, 1 or 3) float32 in [0, 1].

    Raises:
        BadImageError: missing, truncated, too large, of more than 16 bits, or not an image.
    """
    try:
        raw = path.read_bytes()
        if path.suffix.lower() == RAW_FILM:
            return raw_film(raw)
        with Image.open(io.BytesIO(raw), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                found = f"{image.width} x {image.height} pixels"
                raise BadImageError(f"{path}: {found}; an image has at most {MAX_PIXELS:,}, make it smaller")
            if lacks_rows(raw):
                raise BadImageError(f"{path}: truncated, rows of the image are missing; fetch the file again")
            return _native(image, path)
    except FileNotFoundError as error:
        raise BadImageError(f"{path}: no such file") from error
    except UnidentifiedImageError as error:
        raise BadImageError(f"{path}: not one of {', '.join(FORMATS)}") from error
    except _BROKEN as error:
        raise BadImageError(f"{path}: cannot be read ({error}); fetch the file again") from error


def image_size(path: Path) -> tuple[int, int]:
    """Return height and width of an image as :func:`decode` returns it, from its header.

    Raises:
        BadImageError: missing, or not an image.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            turned = image.getexif().get(_ORIENTATION, 1) in _ON_ITS_SIDE
            return (image.width, image.height) if turned else (image.height, image.width)
    except FileNotFoundError as error:
        raise BadImageError(f"{path}: no such file") from error
    except UnidentifiedImageError as error:
        raise BadImageError(f"{path}: not one of {', '.join(FORMATS)}") from error
    except _BROKEN as error:
        raise BadImageError(f"{path}: cannot be read ({error}); fetch the file again") from error


def _native(image: Image.Image, path: Path) -> Pixels:
    """Scale by the depth of the file. ``convert('L')`` would clip 16 bits to 255."""
    inverted = image.format == "TIFF" and image.getexif().get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        grey = _scaled(image, 65535)[:, :, None]
        return 1 - grey if inverted else grey
    if image.mode in ("I", "F"):
        raise BadImageError(f"{path}: more than 16 bits a pixel; save it with 8 or 16 bits")
    if image.mode in ("1", "L"):
        return _scaled(image.convert("L"), 255)[:, :, None]
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
    return _scaled(image.convert("RGB"), 255)


def _scaled(image: Image.Image, full: int) -> Pixels:
    return np.asarray(image, dtype=np.float32) / np.float32(full)
