"""Makes a folder that looks like CheXpert v1.0-small, with pictures from which a network can learn.

Imports nothing from the package: what is written here is what the format says, not what the reader expects.
"""

from __future__ import annotations

import csv
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

FINDINGS = [
    "No Finding", "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion", "Edema",
    "Consolidation", "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion", "Pleural Other", "Fracture",
    "Support Devices",
]  # fmt: skip
HEADER = ["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *FINDINGS]
TUBE_GIVEN_PNEUMOTHORAX = {True: 0.735, False: 0.128}


@dataclass(frozen=True, kw_only=True)
class Film:
    """One film of the tree."""

    folder: str
    patient: int
    study: int
    lateral: bool
    pneumothorax: bool
    tube: bool
    cells: dict[str, str]

    @property
    def name(self) -> str:
        return f"view1_{'lateral' if self.lateral else 'frontal'}.jpg"

    @property
    def inside(self) -> str:
        return f"{self.folder}/patient{self.patient:05d}/study{self.study}/{self.name}"

    @property
    def sample_id(self) -> str:
        return f"patient{self.patient:05d}_study{self.study}_{self.name.removesuffix('.jpg')}"


def write_chexpert(root: Path, *, films: int = 300, size: int = 64, seed: int = 0, prefix: str = "CheXpert-v1.0-small"):
    """Write ``root/PREFIX/{train,valid}.csv`` and the JPEGs; return the films. A fifth of them is ``valid``."""
    rng = np.random.default_rng(seed)
    made = [_film(rng, number, "valid" if number % 5 == 4 else "train") for number in range(films)]
    for film in made:
        path = root / prefix / film.inside
        path.parent.mkdir(parents=True, exist_ok=True)
        _picture(rng, film, size).save(path, quality=90)
    for folder in ("train", "valid"):
        rows = [{"Path": f"{prefix}/{film.inside}", **film.cells} for film in made if film.folder == folder]
        write_rows(root / prefix / f"{folder}.csv", HEADER, rows)
    return made


def write_tubes(path: Path, films, *, prefix: str = "CheXpert-v1.0-small") -> None:
    """Write the table of tube labels that comes apart from the images."""
    rows = [{"Path": f"{prefix}/{film.inside}", "chest_tube": int(film.tube)} for film in films]
    write_rows(path, ["Path", "chest_tube"], rows)


def write_rows(path: Path, header, rows) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, header, restval="")
        writer.writeheader()
        writer.writerows(rows)


def _film(rng, number: int, folder: str) -> Film:
    """Two studies a patient; every 19th film is lateral. Labels of ``valid`` are all there, as published.

    *No Finding* is 1 where no other finding is 1 or -1, and blank elsewhere (0 in ``valid``).
    """
    pneumothorax = bool(rng.random() < 0.5)
    tube = bool(rng.random() < TUBE_GIVEN_PNEUMOTHORAX[pneumothorax])
    lateral = number % 19 == 18
    patient = (number // 10) * 10 + (9 if folder == "valid" else number % 10 // 2)
    cells = {finding: _cell(rng, folder) for finding in FINDINGS}
    healthy = not pneumothorax and cells["No Finding"] == "1.0"
    for finding in FINDINGS:
        if healthy and finding != "Support Devices" and cells[finding] in ("1.0", "-1.0"):
            cells[finding] = "0.0"
    cells["No Finding"] = "1.0" if healthy else "0.0" if folder == "valid" else ""
    cells["Pneumothorax"] = "1.0" if pneumothorax else "0.0"
    cells["Support Devices"] = "1.0" if tube else cells["Support Devices"]
    cells |= {
        "Sex": str(rng.choice(["Male", "Female"])),
        "Age": str(rng.integers(18, 91)),
        "Frontal/Lateral": "Lateral" if lateral else "Frontal",
        "AP/PA": "" if lateral else str(rng.choice(["AP", "PA"])),
    }
    return Film(
        folder=folder,
        patient=patient,
        study=number % 10 + 1,
        lateral=lateral,
        pneumothorax=pneumothorax,
        tube=tube,
        cells=cells,
    )


def _cell(rng, folder: str) -> str:
    if folder == "valid":
        return str(rng.choice(["1.0", "0.0"], p=[0.3, 0.7]))
    return str(rng.choice(["1.0", "0.0", "-1.0", ""], p=[0.3, 0.2, 0.1, 0.4]))


def _picture(rng, film: Film, size: int) -> Image.Image:
    """Noise, two lungs, a dark rim where there is a pneumothorax, a bright line where there is a tube."""
    image = Image.new("L", (size, size), 150)
    pen = ImageDraw.Draw(image)
    for left in (0.12, 0.55):
        pen.ellipse([left * size, 0.15 * size, (left + 0.33) * size, 0.85 * size], fill=80)
    if film.pneumothorax:
        pen.ellipse([0.14 * size, 0.16 * size, 0.4 * size, 0.36 * size], fill=40)
    if film.tube:
        pen.line([0.05 * size, 0.75 * size, 0.35 * size, 0.3 * size], fill=230, width=2)
    noisy = np.asarray(image, dtype=np.float64) + rng.normal(0, 14, (size, size))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


if __name__ == "__main__":
    parser = ArgumentParser(description="Write a look-alike of CheXpert with 300 films, and a table of chest tubes.")
    parser.add_argument("root", type=Path)
    parser.add_argument("--tubes", type=Path, required=True)
    asked = parser.parse_args()
    write_tubes(asked.tubes, write_chexpert(asked.root))
