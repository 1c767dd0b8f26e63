"""Makes folders that look like ISIC 2017 and like Bissoto's trap sets. Imports nothing from the package."""

from __future__ import annotations

from pathlib import Path

from trees.pictures import film, save, square, write_lines

ARTEFACTS = "dark_corner,hair,gel_border,gel_bubble,ruler,ink,patches"
WORDS = {0: "benign", 1: "malignant"}


def _artefacts(n: int) -> str:
    return f"0,1,0,0,{int(n % 3 == 0)},0,0"


def write_isic2017(root: Path) -> list[str]:
    """Images with superpixels beside them, masks, labels with a decimal point, metadata, the table of artefacts."""
    ids = []
    for part, numbers in (("Training", range(24)), ("Validation", range(24, 32)), ("Test_v2", range(32, 48))):
        labels, people = ["image_id,melanoma,seborrheic_keratosis"], ["image_id,age_approximate,sex"]
        for n in numbers:
            name = f"ISIC_{n:07d}"
            ids.append(name)
            data = root / f"ISIC-2017_{part}_Data"
            save(data / f"{name}.jpg", film(n, ill=n % 2 == 1, tube=n % 3 == 0, colours=3))
            save(data / f"{name}_superpixels.png", square())
            save(root / f"ISIC-2017_{part}_Part1_GroundTruth" / f"{name}_segmentation.png", square())
            labels.append(f"{name},{n % 2}.0,{int(n % 4 == 2)}.0")
            people.append(f"{name},{'unknown' if n == 1 else 20 + n},{'female' if n % 2 else 'unknown'}")
        write_lines(root / f"ISIC-2017_{part}_Part3_GroundTruth.csv", labels)
        write_lines(root / f"ISIC-2017_{part}_Data" / f"ISIC-2017_{part}_Data_metadata.csv", people)
    rows = [
        f"{n};{name}.png;{_artefacts(n).replace(',', ';')};{n % 2};{WORDS[n % 2]}" for n, name in enumerate(ids[:40])
    ]
    write_lines(root / "isic_bias.csv", [f";image;{ARTEFACTS.replace(',', ';')};label;label_string", *rows])
    return ids


def write_traps(root: Path) -> list[str]:
    """Trap set 1: images of val stand in train as well; a column ``vasc``; images called PNG that are JPEGs."""
    ids = [f"ISIC_{n:07d}" for n in range(60)]
    for n, name in enumerate(ids):
        save(
            root / "ISIC2018_Task1-2_Training_Input" / f"{name}.jpg",
            film(n, ill=n % 2 == 1, tube=n % 3 == 0, colours=3),
        )
        save(root / "ISIC2018_Task1_Training_GroundTruth" / f"{name}_segmentation.png", square())
    write_lines(root / "ISIC2018_Task1_Training_GroundTruth" / "ATTRIBUTION.txt", ["CC-BY-NC"])
    for split, numbers in (("train", range(40)), ("val", range(30, 40)), ("test", range(40, 60))):
        rows = [f"{n},{ids[n]}.png,{_artefacts(n)},0,{n % 2},{WORDS[n % 2]}" for n in numbers]
        header = f",image,{ARTEFACTS},vasc,label,label_string"
        write_lines(root / "trap-sets" / f"isic_annotated_{split}1.csv", [header, *rows])
    return ids
