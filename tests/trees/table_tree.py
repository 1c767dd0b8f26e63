"""Makes a folder with a user's own CSV, images and masks. Imports nothing from the package."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image


def write_table_tree(root: Path, *, rows: int = 40, size: int = 32, seed: int = 0):
    """Write ``cases.csv``, ``pics/`` and ``drawn/``; return the rows of the table.

    Two images a patient; the label goes with a bright square, the mask is that square; every fourth positive
    has no mask; ``ruler`` is blank in every fifth row.
    """
    rng = np.random.default_rng(seed)
    made = [_row(rng, root, number, size) for number in range(rows)]
    with (root / "cases.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(made[0]))
        writer.writeheader()
        writer.writerows(made)
    return made


def _row(rng, root: Path, number: int, size: int) -> dict[str, str]:
    label = number % 2
    pixels = rng.integers(0, 120, (size, size, 3), dtype=np.uint8)
    mask = np.zeros((size, size), dtype=np.uint8)
    mask[4 : size // 2, 4 : size // 2] = 255
    if label:
        pixels[mask > 0] += 100
    _save(root / "pics" / f"{number:03d}.png", pixels)
    drawn = label == 1 and number % 4 == 1
    if drawn:
        _save(root / "drawn" / f"{number:03d}_mask.png", mask)
    return {
        "case": f"{number:03d}",
        "picture": f"pics/{number:03d}.png",
        "who": f"P{number // 2:02d}",
        "set": ["train", "train", "valid", "test"][number // 2 % 4],
        "malignant": str(label),
        "ruler": "" if number % 5 == 0 else str(int(rng.random() < 0.5)),
        "scanner": str(rng.choice(["alpha", "beta"])),
        "outline": f"drawn/{number:03d}_mask.png" if drawn else "",
    }


def _save(path: Path, pixels) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
