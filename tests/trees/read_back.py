"""What a table says of one finding, read with Python's own csv and json: film -> 1, 0, -1 or None.

Imports nothing from the package, so that readers can be held against it byte for byte.
"""

from __future__ import annotations

import ast
import csv
import gzip
import io
import json
import re
from pathlib import Path

ENDING = re.compile(r"\.(png|jpe?g|bmp|gif|tiff?|dcm|dicom|img)$", re.IGNORECASE)
Told = dict[str, float | None]


def text_of(raw: bytes) -> str:
    """UTF-8 with or without a byte-order mark, else Latin-1."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def rows_of(text: str) -> list[dict[str, str]]:
    """Rows by the letters and digits of a column's name."""
    header, *rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row] or [[]]
    names = ["".join(c for c in name.casefold() if c.isalnum()) for name in header]
    return [dict(zip(names, row, strict=False)) for row in rows]


def number(cell: str | None) -> float | None:
    """A label as it is written; None where it is blank or there is no such column."""
    return float(cell) if cell else None


def chexpert(text: str, root: Path, finding: str = "pneumothorax") -> Told:
    """The id joins the last three parts of the path."""
    told = {}
    for row in rows_of(text):
        name = "_".join(row.get("path", "").replace("\\", "/").split("/")[-3:])
        told[re.sub(r"\.[A-Za-z]+$", "", name)] = number(row.get(finding))
    return told


def chexlocalize(text: str, root: Path) -> Told:
    """The labels of CheXpert."""
    return chexpert(text, root, "lungopacity")


def chexpert_plus(text: str, root: Path) -> Told:
    """One JSON object a line."""
    found = [json.loads(line) for line in text.splitlines() if line.strip()]
    names = ["_".join(row.get("path_to_image", "").split("/")[-3:]) for row in found]
    return {re.sub(r"\.[A-Za-z]+$", "", n): row.get("Pneumothorax") for n, row in zip(names, found, strict=True)}


def mimic_cxr_jpg(text: str, root: Path) -> Told:
    """Labels of a study, for each of its films."""
    of_study = {(row["subjectid"], row["studyid"]): number(row.get("pneumothorax")) for row in rows_of(text)}
    films = rows_of(gzip.decompress((root / "mimic-cxr-2.0.0-metadata.csv.gz").read_bytes()).decode())
    return {row["dicomid"]: of_study.get((row["subjectid"], row["studyid"])) for row in films}


def runs(text: str, root: Path, key: str = "imageid") -> Told:
    """1 where one of a film's rows draws something."""
    told: Told = {}
    for row in rows_of(text):
        name = row.get(key, "").strip()
        told[name] = max(told.get(name) or 0.0, float(row.get("encodedpixels", "").strip() != "-1"))
    return told


def candid_ptx(text: str, root: Path) -> Told:
    """The run lengths of SIIM under another name."""
    return runs(text, root, "sopinstanceuid")


def nih_cxr14(text: str, root: Path) -> Told:
    """Words joined by a bar."""
    rows = rows_of(text)
    return {
        ENDING.sub("", row.get("imageindex", "").strip()): float(
            "Pneumothorax" in row["findinglabels"].strip().split("|")
        )
        for row in rows
    }


def vindr_cxr(text: str, root: Path) -> Told:
    """1 where two of the three readers say so."""
    said: dict[str, set[str]] = {}
    for row in rows_of(text):
        readers = said.setdefault(row["imageid"].strip(), set())
        if re.sub(r"[^0-9a-z]", "_", row["classname"].strip().lower()) == "nodule_mass":
            readers.add(row.get("radid", "all"))
    return {name: float(len(readers) > 1) for name, readers in said.items()}


def rsna_pneumonia(text: str, root: Path) -> Told:
    """A row a box."""
    return {row["patientid"].strip(): number(row["target"].strip()) for row in rows_of(text)}


def padchest(text: str, root: Path) -> Told:
    """A Python list of words; unknown where it is blank or excluded."""
    told: Told = {}
    for row in rows_of(text):
        cell = row["labels"].strip()
        words = {word.strip() for word in ast.literal_eval(cell)} if cell else {"exclude"}
        told[ENDING.sub("", row["imageid"].strip())] = None if "exclude" in words else float("pneumothorax" in words)
    return told


def isic2016(text: str, root: Path) -> Told:
    """Two columns without a header."""
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    return {row[0].strip(): float(row[1].strip() in ("malignant", "1", "1.0")) for row in rows}


def column(key: str, finding: str):
    """One column of ids, one of labels."""

    def told(text: str, root: Path) -> Told:
        return {row[key].strip(): number(row[finding].strip()) for row in rows_of(text)}

    return told


def ham10000(text: str, root: Path) -> Told:
    """One column of codes."""
    return {row["imageid"].strip(): float(row["dx"].strip() == "mel") for row in rows_of(text)}


def isic_traps(text: str, root: Path) -> Told:
    """The training table, but for the images of val, which are in it as well."""
    val = rows_of((root / "trap-sets" / "isic_annotated_val1.csv").read_text())
    away = {ENDING.sub("", row["image"]) for row in val}
    told = {ENDING.sub("", row["image"].strip()): number(row["label"].strip()) for row in rows_of(text)}
    return {name: label for name, label in told.items() if name not in away}


TOLD = {
    "chexpert": (chexpert, "pneumothorax"), "chexlocalize": (chexlocalize, "lung_opacity"),
    "chexpert_plus": (chexpert_plus, "pneumothorax"), "mimic_cxr_jpg": (mimic_cxr_jpg, "pneumothorax"),
    "siim_acr": (runs, "pneumothorax"), "candid_ptx": (candid_ptx, "pneumothorax"),
    "nih_cxr14": (nih_cxr14, "pneumothorax"), "vindr_cxr": (vindr_cxr, "nodule_mass"),
    "rsna_pneumonia": (rsna_pneumonia, "pneumonia"), "padchest": (padchest, "pneumothorax"),
    "isic2016": (isic2016, "malignant"), "isic2017": (column("imageid", "melanoma"), "melanoma"),
    "isic2018": (column("image", "mel"), "melanoma"), "isic2019": (column("image", "mel"), "melanoma"),
    "ham10000": (ham10000, "melanoma"), "isic_traps": (isic_traps, "malignant"),
}  # fmt: skip
"""How each set's table is read, and the finding in it."""
