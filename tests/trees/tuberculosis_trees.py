"""Makes folders like Montgomery County, Shenzhen and the mixture of both. Imports nothing from the package."""

from __future__ import annotations

from pathlib import Path

from trees.pictures import save, save_film, square, write_lines

FILMS = 40


def _films(base: Path, prefix: str) -> list[str]:
    names = []
    for n in range(FILMS):
        name = f"{prefix}_{n + 1:04d}_{n % 2}"
        names.append(name)
        save_film(base / "CXR_png" / f"{name}.png", ill=n % 2 == 1, tube=n % 3 == 0)
    return names


def _tubes(root: Path, names: list[str]) -> None:
    write_lines(root / "tubes.csv", ["image,tube", *(f"{name}.png,{int(n % 3 == 0)}" for n, name in enumerate(names))])


def write_montgomery(root: Path) -> list[str]:
    """``MontgomerySet``: films, a mask a side, readings with upper-case units. A table of tubes beside it."""
    base = root / "MontgomerySet"
    names = _films(base, "MCUCXR")
    for n, name in enumerate(names):
        right = square()
        save(base / "ManualMask" / "rightMask" / f"{name}.png", right)
        save(base / "ManualMask" / "leftMask" / f"{name}.png", right[:, ::-1])
        reading = ["normal", "large right upper lobe cavity, 20 years old"][n % 2]
        lines = [f"Patient's Sex: {'FM'[n % 2]} ", f"Patient's Age: {20 + n:03d}Y", reading]
        write_lines(base / "ClinicalReadings" / f"{name}.txt", lines)
    _tubes(root, names)
    return names


def write_shenzhen(root: Path) -> list[str]:
    """``ChinaSet_AllFiles``: films, masks of most, readings with odd units and a slip of the pen."""
    base = root / "ChinaSet_AllFiles"
    names = _films(base, "CHNCXR")
    heads = ["male 45yrs", "femal 24yrs", "male 16month", "Female, 28days", "", "male  40yr"]
    for n, name in enumerate(names):
        if n % 7:
            save(root / "mask" / f"{name}_mask.png", square())
        write_lines(
            base / "ClinicalReadings" / f"{name}.txt", [heads[n % 6], ["normal", "female 12 yrs, fibrosis"][n % 2]]
        )
    _tubes(root, names)
    return names


def write_mixture(root: Path) -> tuple[list[str], list[str]]:
    """``Lung Segmentation``: both sets; masks with and without an ending; unmasked films once more in ``test``."""
    base = root / "Lung Segmentation"
    american, chinese = _films(base, "MCUCXR"), _films(base, "CHNCXR")
    for name in american:
        save(base / "masks" / f"{name}.png", square())
    for n, name in enumerate(chinese):
        if n < 30:
            save(base / "masks" / f"{name}_mask.png", square())
        else:
            save_film(base / "test" / f"{name}.png", ill=False)
    return american, chinese
