"""Raw films of JSRT: no header, 2048 x 2048 pixels of 12 bits in two bytes, the high one first; white is 0."""

from __future__ import annotations

import numpy as np

from shortcut_audit.shapes import Pixels

SIDE, LARGEST = 2048, 4095
RAW_FILM = ".img"
"""Ending of such a file, in small letters."""


def raw_film(raw: bytes) -> Pixels:
    """Return the pixels as (H, W, 1) float32 in [0, 1], air dark as in any other film.

    Raises:
        ValueError: another size, or a pixel of more than 12 bits.
    """
    expected = SIDE * SIDE * 2
    if len(raw) != expected:
        raise ValueError(f"{len(raw):,} bytes; a raw film of JSRT has {expected:,}")
    grey = np.frombuffer(raw, dtype=">u2").reshape(SIDE, SIDE, 1)
    if grey.max() > LARGEST:
        raise ValueError(f"a value of {grey.max()}; a raw film of JSRT has 12 bits")
    return np.float32(1) - grey.astype(np.float32) / np.float32(LARGEST)
