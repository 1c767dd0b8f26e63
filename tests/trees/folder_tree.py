"""Makes folders of images by class. Imports nothing from the package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from trees.pictures import film, save_film, write_lines


def write_folders(root: Path, splits=("Train", "valid", "TEST"), classes=("normal", "Viral Pneumonia")) -> list[str]:
    """``SPLIT/CLASS/n.png``: 24, 12 and 16 images; an empty split stands for ``CLASS/n.png``. A table of tubes."""
    names = []
    for split, numbers in zip(splits, (range(24), range(24, 36), range(36, 52)), strict=False):
        for n in numbers:
            name = "/".join(part for part in (split, classes[n % len(classes)], f"{n}.png") if part)
            save_film(root / name, ill=n % 2 == 1, tube=n % 3 == 0)
            names.append(name)
    write_lines(root / "tubes.csv", ["image,tube", *(f"{name},{int(n % 3 == 0)}" for n, name in enumerate(names))])
    return sorted(names)


def write_medmnist(root: Path, name: str = "pneumoniamnist", **changed: np.ndarray) -> None:
    """``pneumoniamnist.npz``: 24, 12 and 16 grey pictures of 28 x 28, odd ones ill; a table of tubes beside it."""
    arrays: dict[str, np.ndarray] = {}
    names = []
    for split, number in (("train", 24), ("val", 12), ("test", 16)):
        films = [film(len(names) + n, ill=n % 2 == 1, tube=n % 3 == 0, size=28) for n in range(number)]
        arrays[f"{split}_images"] = np.stack(films).astype(np.uint8)
        arrays[f"{split}_labels"] = (np.arange(number, dtype=np.uint8) % 2)[:, None]
        names += [f"{split}/{n}" for n in range(number)]
    root.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(root / f"{name}.npz", **{**arrays, **changed})
    write_lines(
        root / "tubes.csv", ["sample_id,tube", *(f"{name},{int(int(name.split('/')[1]) % 3 == 0)}" for name in names)]
    )
