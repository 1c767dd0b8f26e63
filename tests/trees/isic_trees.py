"""Makes folders that look like those of ISIC and like Bissoto's trap sets. Imports nothing from the package."""

from __future__ import annotations

from pathlib import Path

from trees.pictures import save, save_film, square, write_lines

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
            save_film(data / f"{name}.jpg", ill=n % 2 == 1, tube=n % 3 == 0, colours=3)
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
        image = root / "ISIC2018_Task1-2_Training_Input" / f"{name}.jpg"
        save_film(image, ill=n % 2 == 1, tube=n % 3 == 0, colours=3)
        save(root / "ISIC2018_Task1_Training_GroundTruth" / f"{name}_segmentation.png", square())
    write_lines(root / "ISIC2018_Task1_Training_GroundTruth" / "ATTRIBUTION.txt", ["CC-BY-NC"])
    for split, numbers in (("train", range(40)), ("val", range(30, 40)), ("test", range(40, 60))):
        rows = [f"{n},{ids[n]}.png,{_artefacts(n)},0,{n % 2},{WORDS[n % 2]}" for n in numbers]
        header = f",image,{ARTEFACTS},vasc,label,label_string"
        write_lines(root / "trap-sets" / f"isic_annotated_{split}1.csv", [header, *rows])
    return ids


CODES = ["MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC"]
STRUCTURES = ["globules", "milia_like_cyst", "negative_network", "pigment_network", "streaks"]
PARTS = {"Training": range(40), "Validation": range(40, 56), "Test": range(56, 80)}


def code_of(n: int, codes: list[str]) -> str:
    """Melanoma where ``n`` is odd, else the others in turn."""
    return "MEL" if n % 2 else [code for code in codes if code != "MEL"][n // 2 % (len(codes) - 1)]


def one_hot(name: str, n: int, codes: list[str], beside: str = "") -> str:
    """A row of a table of diagnoses."""
    return ",".join([name, *("1.0" if code == code_of(n, codes) else "0.0" for code in codes)]) + beside


def skin(path: Path, n: int) -> None:
    """An image of which ``n`` says all."""
    save_film(path, ill=n % 2 == 1, tube=n % 3 == 0, colours=3)


def write_inferred(root: Path, ids: list[str]) -> None:
    """Probabilities of artefacts: a ruler above .6 where ``n % 3`` is 0, and exactly .6 where it is 1."""
    rulers = ["0.9786948561668396", "0.6", "0.00019214408530388027"]
    rows = [
        f"{n},{name},0.02,0.98,0.05,0.7,{rulers[n % 3]},0.01,1e-05,0.03,{n % 2},malignant" for n, name in enumerate(ids)
    ]
    write_lines(root / "isic_inferred_wocarcinoma.csv", [f",image,{ARTEFACTS},vasc,label,label_string", *rows])


def write_bias_traps(root: Path) -> list[str]:
    """Trap set 2 at bias 0.5, of probabilities: some images have a longer name, every row is called malignant."""
    ids = [f"ISIC_{n:07d}" for n in range(60)]
    rulers = ["0.9786948561668396", "0.6", "0.00019214408530388027"]
    for n, name in enumerate(ids):
        skin(root / "ISIC_2019_Training_Input" / f"{name}{'_downsampled' * (n % 8 == 5)}.jpg", n)
    for split, numbers in (("train", range(30)), ("val", range(30, 40)), ("test", range(40, 60))):
        rows = [f"{n},{ids[n]},0.02,0.98,0.05,0.7,{rulers[n % 3]},0.01,1e-05,0.03,{n % 2},malignant" for n in numbers]
        header = f",image,{ARTEFACTS},vasc,label,label_string"
        write_lines(root / "trap_sets" / f"{split}_bias_0.5_2.csv", [header, *rows])
    write_inferred(root, ids)
    return ids


def write_isic2018(root: Path) -> list[str]:
    """Task 3, two images a lesion in training; probabilities of artefacts; tasks 1 and 2 beside it."""
    ids = []
    for part, numbers in PARTS.items():
        labels = ["image," + ",".join(CODES) + ",score_weight,validation_weight"]
        groups = ["image,lesion_id,diagnosis_confirm_type"]
        for n in numbers:
            name = f"ISIC_{24306 + n:07d}"
            ids.append(name)
            skin(root / f"ISIC2018_Task3_{part}_Input" / f"{name}.jpg", n)
            labels.append(one_hot(name, n, CODES, ",0.5,1.0"))
            groups.append(f"{name},HAM_{n // 4 * 2 + n % 2:07d},histopathology")
        write_lines(root / f"ISIC2018_Task3_{part}_Input" / "LICENSE.txt", ["CC-BY-NC"])
        folder = root / f"ISIC2018_Task3_{part}_GroundTruth"
        write_lines(folder / f"ISIC2018_Task3_{part}_GroundTruth.csv", labels)
        if part == "Training":
            write_lines(root / "ISIC2018_Task3_Training_LesionGroupings.csv", groups)
    write_inferred(root, ids)
    write_isic2018_lesions(root)
    return ids


def write_isic2018_lesions(root: Path) -> list[str]:
    """Tasks 1 and 2: outlines, five structures an image of which all but one are empty, superpixels beside them."""
    ids = []
    for part, numbers in PARTS.items():
        version = "_v3" if part == "Training" else ""
        for n in numbers:
            name = f"ISIC_{n:07d}"
            ids.append(name)
            skin(root / f"ISIC2018_Task1-2_{part}_Input" / f"{name}.jpg", n)
            save(root / f"ISIC2018_Task1_{part}_GroundTruth" / f"{name}_segmentation.png", square())
            save(root / f"ISIC2018_Task1_{part}_GroundTruth" / f"{name}_superpixels.png", square())
            for place, structure in enumerate(STRUCTURES):
                folder = root / f"ISIC2018_Task2_{part}_GroundTruth{version}"
                save(folder / f"{name}_attribute_{structure}.png", square() * (n % 5 == place))
        write_lines(root / f"ISIC2018_Task1_{part}_GroundTruth" / "ATTRIBUTION.txt", ["CC-0"])
    rows = [f"{n};{ids[n]}.png;{_artefacts(n).replace(',', ';')};{n % 2};{WORDS[n % 2]}" for n in PARTS["Training"]]
    write_lines(
        root / "artefacts-annotation" / "isic_bias.csv",
        [f";image;{ARTEFACTS.replace(',', ';')};label;label_string", *rows],
    )
    return ids


def write_isic2016(root: Path) -> list[str]:
    """Tables without a header, of words and of numbers; masks with a capital S; the table of artefacts."""
    ids = []
    for part, numbers in (("Training", range(48)), ("Test", range(48, 72))):
        lines = []
        for n in numbers:
            name = f"ISIC_{n:07d}"
            ids.append(name)
            skin(root / f"ISBI2016_ISIC_Part3_{part}_Data" / f"{name}.jpg", n)
            save(root / f"ISBI2016_ISIC_Part1_{part}_GroundTruth" / f"{name}_Segmentation.png", square())
            lines.append(f"{name},{WORDS[n % 2] if part == 'Training' else f'{n % 2}.0'}")
        write_lines(root / f"ISBI2016_ISIC_Part3_{part}_GroundTruth.csv", lines)
    rows = [f"{n};{name}.png;{_artefacts(n).replace(',', ';')};{n % 2};{WORDS[n % 2]}" for n, name in enumerate(ids)]
    write_lines(root / "isic_bias.csv", [f";image;{ARTEFACTS.replace(',', ';')};label;label_string", *rows])
    return ids


CODES_2019 = ["MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC"]


def write_isic2019(root: Path) -> list[str]:
    """Eight diagnoses and UNK, smaller images with a longer name, blanks in the metadata, two images a lesion."""
    ids = []
    for part, numbers in (("Training", range(80)), ("Test", range(80, 112))):
        labels = ["image," + ",".join(CODES_2019) + ",UNK"]
        training = part == "Training"
        people = ["image,age_approx,anatom_site_general," + ("lesion_id,sex" if training else "sex")]
        for n in numbers:
            name = f"ISIC_{n:07d}" + ("_downsampled" if n % 8 == 5 else "")
            ids.append(name)
            skin(root / f"ISIC_2019_{part}_Input" / f"{name}.jpg", n)
            none = n == 110
            row = name + ",0.0" * len(CODES_2019) if none else one_hot(name, n, CODES_2019)
            labels.append(f"{row},{float(none)}")
            lesion = "" if n == 7 else f"BCN_{n // 4 * 2 + n % 2:07d}"
            site = "" if n % 10 == 9 else ("head/neck", "anterior torso")[n % 3 == 0]
            people.append(",".join([name, f"{20 + n % 60}.0", site, *([lesion] if training else []), "female"]))
        write_lines(root / f"ISIC_2019_{part}_GroundTruth.csv", labels)
        write_lines(root / f"ISIC_2019_{part}_Metadata.csv", people)
    write_inferred(root, [name.removesuffix("_downsampled") for name in ids])
    return ids


def write_ham10000(root: Path, ending: str = ".csv", separator: str = ",") -> list[str]:
    """Two folders of images, outlines, two images a lesion, ``unknown`` ages and sites, the clinic."""
    ids = []
    lines = ["lesion_id,image_id,dx,dx_type,age,sex,localization,dataset"]
    for n in range(100):
        name = f"ISIC_{24306 + n:07d}"
        ids.append(name)
        skin(root / f"HAM10000_images_part_{n // 50 + 1}" / f"{name}.jpg", n)
        save(root / "HAM10000_segmentations_lesion_tschandl" / f"{name}_segmentation.png", square())
        place = "unknown" if n == 4 else ("back", "scalp")[n % 3 == 0]
        clinic = ("vidir_modern", "rosendahl")[n % 2]
        lesion = f"HAM_{n // 4 * 2 + n % 2:07d}"
        age = "" if n == 5 else f"{20 + n % 60}.0"
        sex = "unknown" if n == 1 else "male"
        lines.append(f"{lesion},{name},{code_of(n, CODES).lower()},histo,{age},{sex},{place},{clinic}")
    write_lines(root / f"HAM10000_metadata{ending}", [line.replace(",", separator) for line in lines])
    return ids
