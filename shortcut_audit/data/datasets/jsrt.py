"""JSRT (Shiraishi et al. 2000) with the SCR masks (van Ginneken et al. 2006): lung nodules; lungs, heart, clavicles.

Films are the raw ``JPCLN001.IMG`` or pictures of the same names; the folder of a picture does not matter. Masks lie in
``.../masks/{left lung,right lung,heart,left clavicle,right clavicle}/`` (with a blank or ``_``). Odd numbers are SCR's
fold 1, even ones fold 2: fold 1 is train and val, fold 2 is test. Each film is another patient.

``Segmentation01`` and ``segmentation02`` of the society's site are read where no such film is (``data/jsrt_site.py``):
small copies with lungs, and hearts, drawn. Test is as they have it; val is cut from their train.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import DATASETS, refuse_options
from shortcut_audit.data.drawn import UNION
from shortcut_audit.data.jsrt_site import read_site
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.data.places import index_images
from shortcut_audit.data.published import Published
from shortcut_audit.data.splits import hash_fractions, hold_out
from shortcut_audit.errors import UsageError

NAMES = [f"JPCLN{n:03d}" for n in range(1, 155)] + [f"JPCNN{n:03d}" for n in range(1, 94)]
STRUCTURES = {
    "lung": ("left lung", "right lung"),
    "heart": ("heart",),
    "clavicle": ("left clavicle", "right clavicle"),
}
VAL_SHARE = 0.2
PUBLISHED = Published(
    table="the folder of films", rows=247, source="Shiraishi et al. 2000", values={"label.nodule": {"1": 154, "0": 93}}
)
CARD = DataCard(
    name="JSRT",
    source="Japanese Society of Radiological Technology; masks: SCR, Image Sciences Institute, Utrecht",
    licence="research and education; SCR: no redistribution",
    citation="Shiraishi et al. 2000, AJR 174:71; van Ginneken et al. 2006, Med Image Anal 10:19",
)


@DATASETS.register("jsrt")
def jsrt(root: Path, config: DatasetConfig) -> Manifest:
    """JSRT with SCR masks: 154 films with a nodule and 93 without; lungs, heart and clavicles drawn."""
    refuse_options(config)
    words = ("mask", *(name.partition(" ")[0] + sign for name in _sides() for sign in (" ", "_")), "heart")
    found = index_images([root], root, wanted=frozenset(NAMES), skip=words)
    if not found:
        return _site(root)
    names = [name for name in NAMES if name in found]
    frame = pl.DataFrame(
        {
            "sample_id": names,
            "image": [found[name] for name in names],
            "label.nodule": [float(name.startswith("JPCLN")) for name in names],
        }
    )
    frame = frame.with_columns(_folds(frame["sample_id"]), **_masks(names, root))
    note = f"train is SCR's fold 1, but for {VAL_SHARE:.0%} of it (by a hash of the name) that are val; test is fold 2"
    card = replace(CARD, notes=(*PUBLISHED.notes(frame), note))
    return Manifest.from_frame(frame, card=card, root=root, where=str(root))


def _site(root: Path) -> Manifest:
    read = read_site(root)
    if read is None:
        raise UsageError(f"{root}: no film such as JPCLN001.IMG or JPCLN001.png; name the folder that holds them")
    frame, notes = read
    frame, note = hold_out(frame.with_columns(patient_id="sample_id"), "jsrt/val", VAL_SHARE)
    card = replace(
        CARD, source="Japanese Society of Radiological Technology", licence="research and education",
        citation="Shiraishi et al. 2000, AJR 174:71", notes=(*notes, note),
    )  # fmt: skip
    return Manifest.from_frame(frame, card=card, root=root, where=str(root))


def _sides() -> list[str]:
    return [part for parts in STRUCTURES.values() for part in parts]


def _folds(names: pl.Series) -> pl.Series:
    odd = names.str.tail(1).is_in(list("13579"))
    val = odd & (hash_fractions(names, "jsrt/val") < VAL_SHARE)
    return pl.repeat("test", len(names), eager=True).set(odd, "train").set(val, "val").alias("split")


def _masks(names: list[str], root: Path) -> dict[str, pl.Series]:
    """Return ``mask.<structure>``: left and right united; blank where a part of it is missing."""
    drawn = {part: _files(part, root, frozenset(names)) for part in _sides()}
    columns = {}
    for structure, parts in STRUCTURES.items():
        cells = [[drawn[part].get(name) for part in parts] for name in names]
        joined = [UNION.join(cell) if all(cell) else None for cell in cells]  # type: ignore[arg-type]
        if any(joined):
            columns[f"mask.{structure}"] = pl.Series(joined, dtype=pl.String)
    return columns


def _files(part: str, root: Path, wanted: frozenset[str]) -> Mapping[str, str]:
    spelled = re.compile(part.replace(" ", "[ _]"), re.IGNORECASE)
    folders = sorted(path for path in root.rglob("*") if path.is_dir() and spelled.fullmatch(path.name))
    return index_images(folders, root, wanted=wanted)
