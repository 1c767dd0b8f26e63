"""Small data sets in which one thing, and nothing else, gives the label away."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from shortcut_audit.data.manifest import DataCard, Manifest


def made(root: Path, *, films=80, seed=0, paint=None, **columns) -> Manifest:
    """Noise with labels at random, two films a patient; ``paint(pixels, label)`` changes pixels.

    Columns are functions of (rng, labels) to a list of cells.
    """
    rng = np.random.default_rng(seed)
    label = np.repeat(rng.permutation(np.arange(films // 2) % 2), 2)
    pixels = rng.integers(60, 180, (films, 32, 32), dtype=np.uint8)
    for number, (film, positive) in enumerate(zip(pixels, label, strict=True)):
        if paint:
            paint(film, positive)
        Image.fromarray(film).save(root / f"{number}.png")
    frame = pl.DataFrame(
        {
            "sample_id": [f"s{number}" for number in range(films)],
            "image": [f"{number}.png" for number in range(films)],
            "patient_id": [f"p{number // 2}" for number in range(films)],
            "split": ["train" if number < films // 2 else "test" for number in range(films)],
            "label.ill": label,
            **{name.replace("__", "."): cells(rng, label) for name, cells in columns.items()},
        }
    )
    return Manifest.from_frame(frame, card=DataCard(name="films"), root=root, where="films.csv")
