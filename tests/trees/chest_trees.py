"""Makes folders that look like chest X-ray sets as they are downloaded, 40 films or so each.

Imports nothing from the package: what is written here is what the formats say, not what the readers expect. Film
``n`` is ill where ``n`` is odd and has a tube where ``n % 3`` is 0.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from trees.chexpert_tree import FINDINGS, HEADER, write_chexpert
from trees.pictures import film, save, save_film, square, write_lines

FILMS = 40
NIH_FINDINGS = "Infiltration|Pneumothorax"
LABELER = [
    "Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Enlarged Cardiomediastinum", "Fracture", "Lung Lesion",
    "Lung Opacity", "No Finding", "Pleural Effusion", "Pleural Other", "Pneumonia", "Pneumothorax", "Support Devices",
]  # fmt: skip


def _picture(path: Path, n: int, **kwargs) -> None:
    save_film(path, ill=n % 2 == 1, tube=n % 3 == 0, **kwargs)


def write_nih(root: Path) -> list[str]:
    """The table of 2020 (names with commas, no quotes), boxes, official lists, images in two folders, tubes."""
    names = [f"{n // 2 + 1:08d}_{n % 2:03d}.png" for n in range(240)]
    columns = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position"
    lines = [f"{columns},OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"]
    boxes, tubes = (
        ["Image Index,Finding Label,Bbox [x,y,w,h],,,"],
        ["img_name,Pneumothorax,drain_annotated,Drain,split"],
    )
    for n, name in enumerate(names):
        _picture(root / f"images_{n % 2 + 1:03d}" / "images" / name, n)
        found = NIH_FINDINGS if n % 2 else "No Finding"
        lines.append(
            f"{name},{found},{n % 2},{n // 2 + 1},{20 + n % 70},{'MF'[n % 2]},{'PA' if n % 3 else 'AP'},"
            "2682,2749,0.143,0.143"
        )
        if n % 4 == 1:
            boxes.append(f"{name},Infiltrate,225.08,547.01,86.77,79.18")
        tubes.append(f"{name},{n % 2},{'1' if n % 5 else ''},{int(n % 3 == 0)},train")
    write_lines(root / "Data_Entry_2017_v2020.csv", lines)
    write_lines(root / "BBox_List_2017.csv", boxes)
    write_lines(root / "nih_drain_meta.csv", tubes)
    write_lines(root / "train_val_list.txt", names[:180])
    write_lines(root / "test_list.txt", names[180:])
    return names


def write_nih_expert_labels(root: Path) -> list[str]:
    """``write_nih``, and Google's two tables of the four findings; every fifth film is in neither."""
    names = write_nih(root)
    header, *rows = (root / "Data_Entry_2017_v2020.csv").read_text().splitlines()
    parts = {"validation": range(180), "test": range(180, len(names))}
    for part, films in parts.items():
        lines = [f"{header},Fracture,Pneumothorax,Airspace opacity,Nodule or mass"]
        for n in films:
            found = ("YES" if yes else "NO" for yes in (n % 7 == 0, n % 2 == 1, n % 3 == 0, False))
            lines += [",".join([rows[n], *found])] if n % 5 else []
        write_lines(root / "four_findings_expert_labels" / f"{part}_labels.csv", lines)
    return names


def write_mimic(root: Path) -> list[str]:
    """The packed tables of 2.0.0; two films a study, labels of the study."""
    import gzip

    ids = [f"{n:08x}-aaaa" for n in range(FILMS)]
    metadata = ["dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns"]
    splits, labels = ["dicom_id,study_id,subject_id,split"], ["subject_id,study_id," + ",".join(LABELER)]
    for n, name in enumerate(ids):
        patient, study = 10_000_032 + n // 4, 50_414_267 + n // 2
        place = root / "files" / f"p{str(patient)[:2]}" / f"p{patient}" / f"s{study}"
        save_film(place / f"{name}.jpg", ill=n // 2 % 2 == 1, tube=n % 3 == 0)
        words = "CHEST (PORTABLE AP)" if n % 3 == 0 else "CHEST (PA AND LAT)"
        metadata.append(f"{name},{patient},{study},{words},{'AP' if n % 3 == 0 else 'PA'},32,32")
        splits.append(f"{name},{study},{patient},{('train', 'train', 'validate', 'test')[n // 4 % 4]}")
        if n % 2 == 0:
            found = {"Pneumothorax": f"{n // 2 % 2}.0", "Support Devices": "1.0" if n % 3 == 0 else "", "Edema": "-1.0"}
            labels.append(f"{patient},{study}," + ",".join(found.get(name, "") for name in LABELER))
    for what, lines in (("metadata", metadata), ("split", splits), ("chexpert", labels)):
        text = "".join(f"{line}\n" for line in lines)
        (root / f"mimic-cxr-2.0.0-{what}.csv.gz").write_bytes(gzip.compress(text.encode()))
    return ids


def write_mimic_test_labels(root: Path) -> None:
    """The table that 2.1.0 adds: by study alone, and with another name of Lung Opacity. Of 4 test studies it has 3."""
    names = ["Airspace Opacity" if name == "Lung Opacity" else name for name in LABELER]
    lines = ["study_id," + ",".join(names)]
    for study in (0, 6, 14, 15):
        found = {"Pneumothorax": "1.0" if study == 6 else "0.0", "Airspace Opacity": "-1.0", "Support Devices": "0.0"}
        lines.append(f"{50_414_267 + study}," + ",".join(found.get(name, "") for name in names))
    write_lines(root / "mimic-cxr-2.1.0-test-set-labeled.csv", lines)


def write_covid(root: Path) -> None:
    """Both parts, each with a folder of its own name in it; the infection part has infection masks too."""
    for part in ("Lung Segmentation Data", "Infection Segmentation Data"):
        for split, count in (("Train", 8), ("Val", 4), ("Test", 4)):
            for name, ill in (("COVID-19", 1), ("Non-COVID", 0), ("Normal", 0)):
                place = root / part / part / split / name
                for n in range(count):
                    save_film(place / "images" / f"{name}_{split}{n}.png", ill=ill == 1, tube=n % 2 == 0)
                    save(place / "lung masks" / f"{name}_{split}{n}.png", square())
                    if part.startswith("Infection"):
                        save(place / "infection masks" / f"{name}_{split}{n}.png", square() * ill)


def write_tube_table(path: Path, images, tube) -> None:
    """A table of tubes that came apart from its images."""
    write_lines(path, ["path,chest_tube", *(f"{image},{int(tube(n))}" for n, image in enumerate(images))])


def write_jsrt(root: Path) -> list[str]:
    """Pictures repacked as PNG, and ``scratch/fold{1,2}/masks/`` with blanks in the names of folders."""
    names = [f"JPCLN{n:03d}" for n in range(1, 25)] + [f"JPCNN{n:03d}" for n in range(1, 21)]
    for n, name in enumerate(names):
        save_film(root / "All247images" / f"{name}.png", ill=name.startswith("JPCLN"), tube=n % 3 == 0)
        fold = root / "scratch" / f"fold{1 if int(name[-1]) % 2 else 2}" / "masks"
        for part, shift in (
            ("left lung", 0),
            ("right lung", 16),
            ("heart", 8),
            ("left clavicle", 0),
            ("right clavicle", 16),
        ):
            save(fold / part / f"{name}.gif", np.roll(square() * (np.arange(32) < 8), shift, axis=1))
    return names


def write_jsrt_site(root: Path, name: str, *, train: int = 40, test: int = 10) -> list[str]:
    """One of the zips of the society's site, and the ids of its films.

    Films of Segmentation01 are numbered from 1 in train and from 0 in test; cases of segmentation02 through both.
    """
    ids, case = [], 0
    for split, count in (("train", train), ("test", test)):
        for n in range(count):
            case += 1
            if name == "Segmentation01":
                number = n + (split == "train")
                save_film(root / name / split / "org" / f"{number}.png", ill=False, tube=n % 2 == 0)
                save(root / name / split / "label" / f"{number}.png", square())
                ids.append(f"{split}-{number}")
            else:
                inside = root / name / "segmentation"
                save_film(inside / f"org_{split}" / f"case{case:03d}.bmp", ill=False, tube=n % 2 == 0)
                levels = np.repeat([[0, 85], [170, 255]], 16, axis=0).repeat(16, axis=1)
                save(inside / f"label_{split}" / f"case{case:03d}_label.png", levels)
                ids.append(f"case{case:03d}")
    return ids


def write_chexlocalize(root: Path) -> None:
    """CheXpert-small beside the films and masks of CheXlocalize; only films with a finding are in the JSON."""
    write_chexpert(root, films=40, size=32)
    for split, folder, first in (("val", "val", 64541), ("test", "test", 64741)):
        lines, entries = [",".join(["Path", *(FINDINGS if split == "test" else HEADER[1:])])], {}
        for n in range(16):
            inside = f"{folder}/patient{first + n}/study1/view1_frontal.jpg"
            _picture(root / "CheXpert" / inside, n)
            cells = {
                "Support Devices": f"{int(n % 3 == 0)}.0",
                "Lung Opacity": f"{n % 2}.0",
                "Sex": "Male",
                "Age": "60",
            }
            cells |= {"Frontal/Lateral": "Frontal", "AP/PA": "AP"}
            lines.append(
                ",".join([f"CheXpert-v1.0/{inside}", *(cells.get(name, "0.0") for name in lines[0].split(",")[1:])])
            )
            if n % 3 == 0 or n % 2:
                entries[f"patient{first + n}_study1_view1_frontal"] = {
                    "Airspace Opacity": {"size": [4, 4], "counts": "12=" if n % 2 else "`0"},
                    "Support Devices": {"size": [4, 4], "counts": "03=" if n % 3 == 0 else "`0"},
                }
        write_lines(root / "CheXpert" / f"{split}_labels.csv", lines)
        (root / "CheXlocalize").mkdir(exist_ok=True)
        (root / "CheXlocalize" / f"gt_segmentations_{split}.json").write_text(json.dumps(entries))


def write_chexpert_plus(root: Path) -> list[str]:
    """The table without findings, PNGs of two nested folders under the names of JPEGs, labels as JSON lines."""
    columns = "path_to_image,path_to_dcm,frontal_lateral,ap_pa,deid_patient_id,patient_report_date_order,report"
    lines = [f"{columns},section_findings,section_impression,age,sex,race,ethnicity,split"]
    ids, labels = [], {"report": [], "impression": [], "findings": []}
    for n in range(200):
        split = "valid" if n % 5 == 4 else "train"
        patient = f"patient{n // 10 * 10 + (9 if split == 'valid' else n % 10 // 2):05d}"
        inside = f"{split}/{patient}/study{n % 10 + 1}/view1_frontal"
        ids.append(inside.partition("/")[2].replace("/", "_"))
        _picture(root / "PNG" / "PNG" / f"{inside}.png", n)
        who = f"{20 + n % 60},{'Male' if n % 2 else 'Female'},{('White', 'Asian', 'Unknown')[n % 3]},Non-Hispanic"
        text = '"NARRATIVE: ""small"", or\nno",,'
        view = "AP" if n % 3 else "PA"
        lines.append(f"{inside}.jpg,{inside}.dcm,Frontal,{view},{patient},1,{text},{who},{split}")
        for what, doubt in (("report", -1.0), ("impression", None), ("findings", None)):
            found = dict.fromkeys(FINDINGS)
            found |= {"Pneumothorax": float(n % 2), "Support Devices": 1.0 if n % 3 == 0 else None, "Edema": doubt}
            found["No Finding"] = None if n % 2 else 1.0
            labels[what].append(json.dumps({"path_to_image": f"{inside}.jpg", **found}))
    write_lines(root / "df_chexpert_plus_240401.csv", lines)
    for what, rows in labels.items():
        write_lines(root / "chexbert_labels" / f"{what}_fixed.json", rows)
    return ids


def write_padchest(root: Path) -> list[str]:
    """An unnamed index column, words as Python lists, 16-bit PNGs in numbered folders."""
    from PIL import Image

    columns = [
        "", "ImageID", "ImageDir", "StudyDate_DICOM", "StudyID", "PatientID", "PatientBirth", "PatientSex_DICOM",
        "ViewPosition_DICOM", "Projection", "MethodProjection", "Pediatric", "Report", "MethodLabel", "Labels",
        "Localizations",
    ]  # fmt: skip
    lines, ids = [",".join(columns)], []
    for n in range(80):
        name = f"2168408{n:02d}_{n // 2:03d}.png"
        ids.append(name.removesuffix(".png"))
        words = ["pneumothorax" if n % 2 else "hydropneumothorax", *([" chest drain tube"] if n % 3 == 0 else [])]
        cell = f'"{words}"' if n != 78 else ""
        cell = "\"['exclude']\"" if n == 79 else cell
        projection = "AP_horizontal" if n % 3 == 0 else "PA"
        pixels = film(n, ill=n % 2 == 1, tube=n % 3 == 0).astype("uint16") * 256
        place = root / str(n % 3) / name
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place)
        who = f"2014{n % 12 + 1:02d}15,{n},{n // 2},{1930 + n}.0,{'MF'[n % 2]}"
        method = "Physician" if n % 4 else "RNN_model"
        lines.append(
            f'{n},{name},{n % 3},{who},POSTEROANTERIOR,{projection},Manual,No,"sin, cambios",{method},{cell},[]'
        )
    write_lines(root / "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv", lines)
    return ids
