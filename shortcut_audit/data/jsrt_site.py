"""``Segmentation01`` and ``segmentation02`` of JSRT's site: small copies of films with lungs (and hearts) drawn.

Their films are called ``0.png`` or ``case001.bmp`` and nothing says which show a nodule, so the drawn structures are
the findings: each is 1 everywhere. A segmenter can be trained on that; an audit has no negatives to compare with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from shortcut_audit.data.decode import stored_values
from shortcut_audit.data.drawn import cell_of
from shortcut_audit.data.places import find_folders, index_pictures
from shortcut_audit.data.published import Published
from shortcut_audit.errors import InputError, UsageError

PARTS = ("train", "test")
LEVELS = {"lung": 255, "heart": 85}
"""Grey levels of segmentation02."""
OTHERS = frozenset({0, 170})
"""Outside the body, and what of the body is neither lung nor heart."""


@dataclass(frozen=True, kw_only=True)
class Zip:
    """One of the two: where its films and drawings lie, and how many films each part has."""

    name: str
    films: str
    drawings: str
    counts: Mapping[str, int]
    structures: tuple[str, ...]

    def published(self) -> Published:
        """Return what is known of it. Counts: of others who read it, no paper says them."""
        rows = sum(self.counts.values())
        labels = {f"label.{name}": {"1": rows} for name in self.structures}
        return Published(table=self.name, rows=rows, source="JSRT", values={"split": self.counts, **labels})


ZIPS = (
    Zip(
        name="Segmentation01", films="{part}/org", drawings="{part}/label", counts={"train": 50, "test": 10},
        structures=("lung",),
    ),
    Zip(
        name="segmentation02", films="org_{part}", drawings="label_{part}", counts={"train": 199, "test": 48},
        structures=("lung", "heart"),
    ),
)  # fmt: skip


def read_site(root: Path) -> tuple[pl.DataFrame, list[str]] | None:
    """Return the rows of the zip that was unpacked under ``root`` and notes on it; None if there is none.

    Raises:
        UsageError: both zips, or one of which a folder is missing.
        InputError: a drawing of other grey levels, or one of no film.
    """
    found = [zip_ for zip_ in ZIPS if find_folders(root, [zip_.films.format(part="train")], deeper=3)]
    if len(found) > 1:
        names = " and ".join(zip_.name for zip_ in found)
        raise UsageError(f"{root}: {names} of JSRT draw the same films; name one of them with --root")
    return _read(root, found[0]) if found else None


def _read(root: Path, zip_: Zip) -> tuple[pl.DataFrame, list[str]]:
    frame = pl.concat([_part(root, zip_, part) for part in PARTS])
    frame = frame.with_columns(pl.lit(1.0).alias(f"label.{name}") for name in zip_.structures)
    notes = zip_.published().notes(frame)
    findings = " and ".join(zip_.structures)
    count = "count as findings" if len(zip_.structures) > 1 else "counts as a finding"
    notes.append(
        f"{zip_.name} does not say which films show a nodule: {findings} {count} that each film has; a segmenter can "
        "be trained on that, an audit has no negatives"
    )
    if undrawn := frame["mask.lung"].null_count():
        notes.append(f"{undrawn:,} of {frame.height:,} films {'has' if undrawn == 1 else 'have'} no drawing")
    return frame, notes


def _part(root: Path, zip_: Zip, part: str) -> pl.DataFrame:
    films, drawings = (_pictures(root, zip_, where, part) for where in (zip_.films, zip_.drawings))
    drawn = [drawings.get(name, drawings.get(f"{name}_label")) for name in films]
    strange = sorted(set(drawings.values()) - set(drawn))
    if strange and not all(drawn):
        raise InputError(
            f"{root / strange[0]}: no film of {zip_.films.format(part=part)} is called so, and films are without a "
            "drawing; a drawing has the name of its film, or that and _label"
        )
    # Numbers of Segmentation01 begin anew in test; cases of segmentation02 are numbered through.
    ids = [name if name.startswith("case") else f"{part}-{name}" for name in films]
    if len(zip_.structures) > 1:
        _check_levels([root / path for path in drawn if path])
    masks = {f"mask.{name}": [path and _cell(path, zip_, name) for path in drawn] for name in zip_.structures}
    columns = {"sample_id": ids, "image": list(films.values()), "split": [part] * len(films), **masks}
    return pl.DataFrame(columns, schema_overrides=dict.fromkeys(masks, pl.String))


def _pictures(root: Path, zip_: Zip, where: str, part: str) -> dict[str, str]:
    folders = find_folders(root, [where.format(part=part)], deeper=3)
    if len(folders) != 1:
        found = "no folder" if not folders else f"{len(folders)} folders"
        raise UsageError(
            f"{root}: {found} {where.format(part=part)} of {zip_.name} of JSRT; name the one folder that was unpacked "
            "with --root"
        )
    return index_pictures(folders[0], root)


def _check_levels(paths: Sequence[Path]) -> None:
    known = {*LEVELS.values(), *OTHERS}
    for path in paths:
        if other := {int(level) for level in np.unique(stored_values(path))} - known:
            raise InputError(
                f"{path}: has the grey level {min(other)}; segmentation02 of JSRT has 0, 85 (heart), 170 and 255 "
                "(lung), fetch it again"
            )


def _cell(path: str, zip_: Zip, structure: str) -> str:
    return path if len(zip_.structures) == 1 else cell_of(path, key=str(LEVELS[structure]))
