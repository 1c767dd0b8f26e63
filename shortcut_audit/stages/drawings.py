"""Drawn masks and the labels beside them: how much is drawn, and where one says yes and the other no."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from shortcut_audit.data.drawn import read_drawn
from shortcut_audit.data.images import visit_images
from shortcut_audit.data.manifest import Manifest
from shortcut_audit.shapes import Floats, Ints


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """What is drawn of a finding (or an attribute) on the images that were opened.

    Attributes:
        kind: ``mask`` or ``footprint``.
        name: of the finding or attribute.
        area: (N,) share of the image, 0 where nothing is drawn; NaN where nobody drew or the mask was not read.
        unreadable: how many masks could not be read.
    """

    kind: str
    name: str
    area: Floats
    unreadable: int


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """Images whose label and drawing say two things; of ``labelled`` and ``unlabelled`` that have a drawing.

    ``empty`` have label 1 and nothing drawn, ``drawn`` label 0 and something drawn; ``samples`` are their first ids.
    """

    kind: str
    name: str
    labelled: int
    unlabelled: int
    empty: int
    drawn: int
    samples: tuple[str, ...]
    unreadable: int


def drawings(manifest: Manifest, rows: Ints) -> list[Drawing]:
    """Return what is drawn of each finding, and of each attribute that is there or not, on ``rows``."""
    masks = [("mask", name) for name in manifest.findings if name in manifest.structures]
    binary = [name for name in manifest.attributes if manifest.attribute_type(name) == "binary"]
    footprints = [("footprint", name) for name in binary if name in manifest.footprints]
    return [_drawing(manifest, kind, name, rows) for kind, name in (*masks, *footprints)]


def _drawing(manifest: Manifest, kind: str, name: str, rows: Ints) -> Drawing:
    cells, images = manifest.drawn(kind, name), manifest.images()
    area = np.full(len(manifest), np.nan)
    there = [(int(row), cell) for row in rows if (cell := cells[row]) is not None]
    wanted = [(row, cell) for row, cell in there if any(part.file for part in cell)]
    area[[row for row, cell in there if not any(part.file for part in cell)]] = 0

    def measure(place: int, _: object) -> None:
        row, cell = wanted[place]
        area[row] = read_drawn(cell, image=images[row]).foreground.mean()

    lost = visit_images([images[row] for row, _ in wanted], measure, what=f"Measuring {kind}s of {name}")
    return Drawing(kind=kind, name=name, area=area, unreadable=len(lost))


def disagreement(manifest: Manifest, drawing: Drawing) -> Disagreement:
    """Compare a drawing with the labels as they are written: -1 and blanks agree with everything."""
    prefix = "label" if drawing.kind == "mask" else "attribute"
    told = manifest.frame[f"{prefix}.{drawing.name}"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    known = ~np.isnan(drawing.area)
    yes, no = known & (told == 1), known & (told == 0)
    empty, drawn = yes & (drawing.area == 0), no & (drawing.area > 0)
    ids = np.array(manifest.ids)
    return Disagreement(
        kind=drawing.kind, name=drawing.name, labelled=int(yes.sum()), unlabelled=int(no.sum()),
        empty=int(empty.sum()), drawn=int(drawn.sum()), samples=tuple(ids[empty | drawn][:3].tolist()),
        unreadable=drawing.unreadable,
    )  # fmt: skip
