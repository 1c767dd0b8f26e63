"""Images and masks at the working size, and which ones could not be read. Images become square: the aspect goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import numpy as np
from PIL import Image

from shortcut_audit.data.decode import BadImageError, decode
from shortcut_audit.data.manifest import Manifest
from shortcut_audit.data.quarantine import Quarantine, quarantine
from shortcut_audit.errors import InputError
from shortcut_audit.runtime import progress, usable_cores
from shortcut_audit.shapes import Bytes8, Pixels

MAX_MEMORY = 4 * 2**30
LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""Weights of red, green and blue in grey (ITU-R BT.601)."""


def read_image(path: Path, *, channels: int, size: int) -> Pixels:
    """Return one image as (C, S, S) float32 in [0, 1].

    The camera's rotation (EXIF) is undone, transparency is put on black, the size is changed by an
    antialiased bilinear filter.

    Args:
        path: the file.
        channels: 1 for grey (ITU-R BT.601 luma of a colour image), 3 for RGB.
        size: S, the side in pixels.

    Raises:
        BadImageError: missing, truncated, too large, of more than 16 bits, or not an image.
    """
    pixels = decode(path)
    if channels == 1 and pixels.shape[2] == 3:
        pixels = (pixels @ LUMA)[:, :, None]
    planes = [_resized(pixels[:, :, c], size) for c in range(pixels.shape[2])]
    return np.stack(planes if len(planes) == channels else planes * channels)


def _resized(plane: Pixels, size: int) -> Pixels:
    if plane.shape == (size, size):
        return np.ascontiguousarray(plane)
    resized = Image.fromarray(plane).resize((size, size), Image.Resampling.BILINEAR)
    return np.clip(np.asarray(resized, dtype=np.float32), 0, 1)


def check_images(manifest: Manifest) -> Quarantine:
    """Read every image and keep none of them; also where too many cannot be read, so that all reasons are seen."""
    return quarantine(manifest, visit_images(manifest.images(), lambda _, path: decode(path), what="Checking images"))


def load_pixels(manifest: Manifest, *, size: int, channels: int) -> tuple[Bytes8, Quarantine]:
    """Return the images as uint8 (N', C, S, S), and which rows were left out.

    N' counts the rows of ``manifest.select(quarantine.kept)``.

    Raises:
        InputError: more than max(3, 1 %) cannot be read, or more than 4 GiB would be needed.
    """
    pixels, reasons = read_pixels(manifest.images(), size=size, channels=channels)
    lost = quarantine(manifest, reasons)
    lost.refuse_many()
    return (pixels[lost.kept] if reasons else pixels), lost


def read_pixels(
    paths: Sequence[Path], *, size: int, channels: int, what: str | None = "Reading images"
) -> tuple[Bytes8, dict[int, str]]:
    """Return uint8 (N, C, S, S), and for each row that could not be read (left black) the reason.

    ``what`` is the work in words, None where the caller reports progress.

    Raises:
        InputError: more than 4 GiB would be needed.
    """
    refuse_too_large(len(paths), size=size, channels=channels)
    pixels = np.zeros((len(paths), channels, size, size), dtype=np.uint8)

    def fill(row: int, path: Path) -> None:
        pixels[row] = np.rint(read_image(path, channels=channels, size=size) * 255)

    return pixels, visit_images(paths, fill, what=what)


def refuse_too_large(images: int, *, size: int, channels: int) -> None:
    """Refuse to hold more pixels than there is memory for.

    Raises:
        InputError: more than 4 GiB would be needed.
    """
    needed = images * channels * size * size
    if needed > MAX_MEMORY:
        fits = int((MAX_MEMORY / images / channels) ** 0.5) // 32 * 32
        raise InputError(
            f"{images} images of {channels} x {size} x {size} need {needed / 2**30:.1f} GiB, at most 4 are used; set "
            f"image.size to {max(fits, 32)} or less, take fewer images, or read them from a pixel cache on the disk "
            "('audit data prepare --pixels')"
        )


def visit_images(paths: Sequence[Path], visit: Callable[[int, Path], object], *, what: str | None) -> dict[int, str]:
    """Call ``visit(row, path)`` in a few threads (Pillow decodes without the lock); return reasons by row."""

    def attempt(job: tuple[int, Path]) -> str | None:
        try:
            visit(*job)
        except BadImageError as error:
            return str(error)
        return None

    reasons = {}
    shown = progress(what, len(paths), "images") if what else nullcontext()
    with shown as bar, ThreadPoolExecutor(min(8, usable_cores())) as pool:
        for row, reason in enumerate(pool.map(attempt, enumerate(paths))):
            if bar:
                bar.advance()
            if reason:
                reasons[row] = reason
    return reasons
