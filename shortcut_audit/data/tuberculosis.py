"""What the two tuberculosis sets of the NLM share: the name of a film ends in its label, a text file knows age and sex.

``MCUCXR_0001_0.png`` is a film without tuberculosis, ``CHNCXR_0327_1.png`` one with it. ``ClinicalReadings`` has a
text of the same name: ``Patient's Sex: F`` and ``Patient's Age: 027Y``, or ``male 45yrs`` in the first line, not always
spelled so. The reading itself is not carried on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from shortcut_audit.data.places import find_folders, index_images
from shortcut_audit.data.splits import cut_by_patient
from shortcut_audit.data.validate import OLDEST
from shortcut_audit.errors import UsageError

READINGS = "ClinicalReadings"
_SEX = re.compile(r"\A\s*(?:(f)[ea]?m|(m)al)|sex:\s*([fm])\b", re.IGNORECASE)
_AGE = re.compile(r"(?:\A.*?|age:\s*)(\d+)[ \t]*(y|mo|d)", re.IGNORECASE)


def read_films(root: Path, prefix: str, *, dataset: str) -> tuple[pl.DataFrame, list[str]]:
    """Return the films of a set with label, view, sex and age, cut into splits, and a note on what is not known.

    Args:
        root: the folder that the user named; films are in ``CXR_png``, or anywhere in it.
        prefix: what names of films begin with.
        dataset: what the message calls the data set.

    Raises:
        UsageError: there is no film.
        InputError: two films have the same name.
    """
    wanted = frozenset(f"{prefix}_{number:04d}_{label}" for number in range(10_000) for label in (0, 1))
    found = index_images(folders_of(root, "CXR_png") or [root], root, wanted=wanted, skip=["mask"])
    if not found:
        raise UsageError(
            f"{root}: no film such as CXR_png/{prefix}_0001_0.png of {dataset}; name its folder with --root"
        )
    names = sorted(found)
    people = _people(names, root)
    frame = pl.DataFrame(
        {
            "sample_id": names,
            "image": [found[name] for name in names],
            "view": ["PA"] * len(names),
            "sex": [sex for sex, _ in people],
            "age": [age for _, age in people],
            "label.tuberculosis": [float(name.endswith("_1")) for name in names],
        },
        schema_overrides={"sex": pl.String, "age": pl.String},
    )
    unknown = sum(None in person for person in people)
    note = f"age or sex of {unknown:,} of {len(names):,} films could not be read in {READINGS}"
    return frame.with_columns(cut_by_patient(frame["sample_id"])), [note] if unknown else []


def folders_of(root: Path, *names: str) -> list[Path]:
    """Return the folders of these names in ``root``, in the folder of a set there, or in one that holds that folder."""
    return find_folders(root, names, deeper=2)


def with_lungs(frame: pl.DataFrame, cells: Sequence[str | None]) -> tuple[pl.DataFrame, list[str]]:
    """Return the films with ``mask.lung``, and a note on those without; without any mask neither."""
    missing = sum(cell is None for cell in cells)
    if missing == len(cells):
        return frame, []
    note = f"lungs are not drawn in {missing:,} of {len(cells):,} films"
    return frame.with_columns(pl.Series("mask.lung", cells, dtype=pl.String)), [note] if missing else []


def parse_reading(text: str) -> tuple[str | None, str | None]:
    """Return sex (M or F) and age in whole years, as they stand at the head of a reading; None where they do not."""
    sex, age = _SEX.search(text), _AGE.search(text)
    years = {"y": 1, "m": 12, "d": 365}
    told = int(age[1]) // years[age[2][0].lower()] if age else OLDEST + 1
    return (sex[1] or sex[2] or sex[3]).upper() if sex else None, str(told) if told <= OLDEST else None


def _people(names: Sequence[str], root: Path) -> list[tuple[str | None, str | None]]:
    texts = {path.stem: path for folder in folders_of(root, READINGS) for path in sorted(folder.glob("*.txt"))}
    return [
        parse_reading(texts[name].read_bytes().decode("utf-8-sig", errors="replace")) if name in texts else (None, None)
        for name in names
    ]
