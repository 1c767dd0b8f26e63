"""Small pictures from which a network can learn, for look-alike trees. Imports nothing from the package."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

import numpy as np
from PIL import Image

CUTS = ("train", "train", "val", "test")


def save(path: Path, pixels) -> None:
    """Write a picture; its ending says how."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(path)


def film(number: int, *, ill: bool, tube: bool = False, size: int = 32, colours: int = 1):
    """Noise; brighter in an upper corner where ill, with a bright line where there is a tube."""
    rng = np.random.default_rng(number)
    pixels = rng.integers(40, 120, (size, size, 3) if colours == 3 else (size, size))
    if ill:
        pixels[: size // 3, : size // 3] += 80
    if tube:
        pixels[-4:-2, :] = 240
    return pixels


def save_film(path: Path, **kwargs) -> None:
    """Write a film that no other path has: one file in two splits is refused."""
    save(path, film(crc32("/".join(path.parts[-3:]).encode()), **kwargs))


def square(size: int = 32):
    """A mask: 0 and 255, foreground in the upper left quarter."""
    mask = np.zeros((size, size))
    mask[: size // 2, : size // 2] = 255
    return mask


def write_lines(path: Path, lines) -> None:
    """Write a table as text, line by line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
