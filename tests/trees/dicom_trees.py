"""Makes folders that look like chest X-ray sets whose films are published as DICOM, 40 small films each.

Imports nothing from the package: what is written here is what the formats say, not what the readers expect. Film
``n`` is ill where ``n`` is odd and has a tube where ``n % 3`` is 0.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from zlib import crc32

from trees.dicom_films import save_dicom
from trees.pictures import film, save, save_film, square, write_lines

FILMS = 40
VINDR_KINDS = (
    {"bits": 12, "inverted": True, "window": (2048, 3001)},
    {"bits": 12, "window": (3000, 6001), "rescale": (2, -1000)},
    {"bits": 16, "inverted": True},
    {"bits": 10},
)
"""Some of the ways in which the hospitals of VinDr-CXR stored their films."""


def _seen(path: Path, n: int):
    """The picture of film ``n``, that no other path has."""
    return film(crc32("/".join(path.parts[-3:]).encode()), ill=n % 2 == 1, tube=n % 3 == 0, size=40) / 255


def write_siim(root: Path, *, png: bool = False) -> list[str]:
    """``train-rle.csv`` with the blanks of stage 1; every fourth film has two rows.

    DICOM in folders of study and series, two more films than rows; or, as others made them, PNGs in ``train_png``.
    """
    ids = [f"1.2.276.0.7230010.3.1.4.8323329.{n}.1517875201.{n:06d}" for n in range(FILMS + 2)]
    lines = ["ImageId, EncodedPixels"]
    for n, uid in enumerate(ids):
        if png:
            save_film(root / "train_png" / f"{uid}.png", ill=n % 2 == 1, tube=n % 3 == 0)
        else:
            path = root / "dicom-images-train" / f"1.2.276.1.{n}" / f"1.2.276.2.{n}" / f"{uid}.dcm"
            save_dicom(path, _seen(path, n), jpeg=True, ViewPosition="PA" if n % 3 else "AP")
        if n % 2 == 0:
            lines.append(f"{uid}, -1")
        else:
            lines += [f"{uid}, 1024 10 1014 10"] + ([f"{uid}, 524288 5"] if n % 4 == 1 else [])
    lines = [line for line in lines if not line.startswith(tuple(ids[FILMS:]))]
    write_lines(root / "train-rle.csv", lines)
    (root / "cxr_tube_dict.pkl").write_bytes(pickle.dumps({uid: n % 3 == 0 for n, uid in enumerate(ids) if n < 30}))
    return ids[:FILMS]


def write_siim_png(root: Path) -> list[str]:
    """The PNG variant: ``png_images``, ``png_masks`` and a table for train and for test."""
    base, ids = root / "siim-acr-pneumothorax", []
    for split, numbers in (("train", range(30)), ("test", range(30, FILMS))):
        lines = [",new_filename,ImageId,has_pneumo"]
        for n in numbers:
            name, uid = f"{n}_{split}_{n % 2}_.png", f"1.2.276.{n}"
            ids.append(uid)
            save_film(base / "png_images" / name, ill=n % 2 == 1, tube=n % 3 == 0)
            save(base / "png_masks" / name, square() * (n % 2))
            lines.append(f"{n},{name},{uid},{n % 2}")
        write_lines(base / f"stage_1_{split}_images.csv", lines)
    return ids


def write_siim_folders(root: Path) -> list[str]:
    """``train_png`` and ``mask`` without a table; no mask of a well film, but an empty one of every eighth."""
    ids = [f"1.2.276.0.7230010.3.1.4.8323329.{n}.1517875201.{n:06d}" for n in range(FILMS)]
    for n, uid in enumerate(ids):
        save_film(root / "train_png" / f"{uid}.png", ill=n % 2 == 1, tube=n % 3 == 0)
        if n % 2 or n % 8 == 0:
            save(root / "mask" / f"{uid}.png", square() * (n % 2))
    (root / "cxr_tube_dict.pkl").write_bytes(pickle.dumps({uid: n % 3 == 0 for n, uid in enumerate(ids)}))
    return ids


def write_candid(root: Path, place: str = "dataset/{}") -> list[str]:
    """DICOM by UID, reports with masks, tubes and rib fractures; film 0 stands under two patients.

    ``place`` is where a film lies: ``dataset/{}``, as published, has no extension; a ``.jpg`` is a picture.
    """
    ids = [f"1.2.826.0.1.{n}" for n in range(FILMS)]
    lines = ["SOPInstanceUID,StudyInstanceUID,EncodedPixels,Report,filename"]
    tubes, ribs = ["anon_SOPUID,annotation,mask_rle"], ["anon_SOPUID,annotation,mask_rle"]
    for n, uid in enumerate(ids):
        path = root / place.format(uid)
        if path.suffix == ".jpg":
            save_film(path, ill=n % 2 == 1, tube=n % 3 == 0)
        else:
            save_dicom(path, _seen(path, n))
        mask = "1024 10 1014 10" if n % 2 else "-1"
        lines.append(f'{uid},2.25.{n},{mask},"No, or a small, pneumothorax.",P{n // 2:04d}_{n}')
        if n == 5:
            lines.append(f"{uid},2.25.{n},524288 5,,P{n // 2:04d}_{n}")
        if n % 3 == 0:
            tubes.append(f"{uid},a1,2048 20")
        if n % 8 == 1:
            ribs.append(f"{uid},a1,4096 20")
    lines.append(f"{ids[0]},2.25.0,-1,,P0077_0")
    write_lines(root / "Pneumothorax_reports.csv", lines)
    write_lines(root / "chest_tube.csv", [*tubes, f"{ids[1]},a2,-1"])
    write_lines(root / "Rib_fracture_mask_rle.csv", ribs)
    return ids


def write_vindr(root: Path) -> list[str]:
    """Kaggle's ``train.csv``: three readers a film, class 14 without a box; boxes in pixels of the DICOM."""
    ids = [f"{n:032x}" for n in range(FILMS)]
    lines = ["image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max"]
    for n, name in enumerate(ids):
        _vindr_film(root / "train" / f"{name}.dicom", n)
        for reader in (8, 9, 10):
            if n % 2 and reader < 8 + n % 4:
                lines.append(f"{name},Nodule/Mass,8,R{reader},2,3,{10 + reader},12")
            else:
                lines.append(f"{name},No finding,14,R{reader},,,,")
    write_lines(root / "train.csv", lines)
    return ids


def _vindr_film(path: Path, n: int) -> None:
    """Upright (40 x 32) or, every fifth, lying (36 x 40)."""
    seen = _seen(path, n)
    save_dicom(path, seen[:, :32] if n % 5 else seen[4:], **VINDR_KINDS[n // 2 % len(VINDR_KINDS)])


def write_vindr_physionet(root: Path) -> list[str]:
    """``annotations/`` of PhysioNet: three rows a training film, one a test film, other names of one class."""
    folder, ids = root / "annotations", [f"{n:032x}" for n in range(FILMS)]
    train, test = (
        ["image_id,rad_id,Pneumothorax,Other diseases,No finding"],
        ["image_id,Pneumothorax,Other disease,No finding"],
    )
    boxes = "image_id,rad_id,class_name,x_min,y_min,x_max,y_max"
    drawn = {"train": [boxes], "test": [boxes.replace("rad_id,", "")]}
    for n, name in enumerate(ids):
        split = "train" if n < 28 else "test"
        _vindr_film(root / split / f"{name}.dicom", n)
        cells = f"{n % 2},{int(n % 5 == 0)},{1 - n % 2}"
        if split == "train":
            train += [f"{name},R{reader},{cells}" for reader in (1, 2)] + [f"{name},R3,0,0,1"]
        else:
            test.append(f"{name},{cells}")
        reader = "R1," if split == "train" else ""
        drawn[split].append(f"{name},{reader}Pneumothorax,2,3,12,14" if n % 2 else f"{name},{reader}No finding,,,,")
    write_lines(folder / "image_labels_train.csv", train)
    write_lines(folder / "image_labels_test.csv", test)
    for split, lines in drawn.items():
        write_lines(folder / f"annotations_{split}.csv", lines)
    return ids


def write_rsna(root: Path) -> list[str]:
    """One row a box, blanks where Target is 0; the classes; a table of DICOM headers."""
    ids = [f"{n:08d}-14fd-4e49-80ba-63a80b6bddd6" for n in range(FILMS)]
    labels, classes = ["patientId,x,y,width,height,Target"], ["patientId,class"]
    headers = [",BodyPartExamined,PatientAge,PatientID,PatientSex,ViewPosition"]
    for n, name in enumerate(ids):
        path, sex, view = root / "stage_2_train_images" / f"{name}.dcm", "MF"[n % 2], "PA" if n % 3 else "AP"
        save_dicom(path, _seen(path, n), ViewPosition=view, PatientSex=sex, PatientAge=f"{30 + n:03d}Y", PatientID=name)
        rows = [f"{name},264.0,152.0,213.0,379.0,1"] * (1 + (n % 4 == 1)) if n % 2 else [f"{name},,,,,0"]
        labels += rows
        kind = "Lung Opacity" if n % 2 else ("Normal" if n % 4 else "No Lung Opacity / Not Normal")
        classes += [f"{name},{kind}"] * len(rows)
        headers.append(f"{n},CHEST,{30 + n},{name},{sex},{view}")
    write_lines(root / "stage_2_train_labels.csv", labels)
    write_lines(root / "stage_2_detailed_class_info.csv", classes)
    write_lines(root / "kaggle_stage_2_train_images_dicom_headers.csv", headers)
    return ids
