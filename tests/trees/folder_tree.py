"""Makes folders of images by class. Imports nothing from the package."""

from __future__ import annotations

from pathlib import Path

from trees.pictures import save_film, write_lines


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
