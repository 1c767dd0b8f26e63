"""What is drawn: how many masks can be read and hold anything, and where a mask and its label say two things."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from shortcut_audit.data.drawn import read_drawn
from shortcut_audit.data.images import visit_images
from shortcut_audit.data.manifest import Manifest
from shortcut_audit.shapes import Bools, Floats, Ints

NAMED = 3
"""Samples that are named of those that contradict their label."""


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """What is drawn of a structure (``mask``) or an attribute (``footprint``) on the images that were opened.

    Attributes:
        kind: ``mask`` or ``footprint``.
        name: of the structure or attribute.
        opened: (N,) whether the image was opened.
        area: (N,) share of the image; NaN where nobody drew, or the mask was not read.
        reasons: sample -> why its mask could not be read.
    """

    kind: str
    name: str
    opened: Bools
    area: Floats
    reasons: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class LabelledDrawing:
    """A drawing beside the labels of its name as they are written: -1 and blanks agree with everything.

    Of ``positive`` images (label 1, a mask was read) ``empty`` have nothing drawn, of ``negative`` ones ``drawn`` have
    something; ``samples`` are the first of both. Nobody drew on ``positive_without`` and ``negative_without`` more.
    """

    positive: int
    empty: int
    negative: int
    drawn: int
    positive_without: int
    negative_without: int
    samples: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DrawingCheck:
    """How many masks were read, how many of them are empty, and why others were not.

    ``labelled`` None: a structure that is no finding, or an attribute of more than two values.
    """

    kind: str
    name: str
    read: int
    empty: int
    unreadable: Mapping[str, str]
    labelled: LabelledDrawing | None


def drawings(manifest: Manifest, rows: Ints) -> list[Drawing]:
    """Return what is drawn on ``rows``, of every structure and every attribute with footprints."""
    masks, footprints = (("mask", manifest.structures), ("footprint", manifest.footprints))
    return [_drawing(manifest, kind, name, rows) for kind, names in (masks, footprints) for name in names]


def _drawing(manifest: Manifest, kind: str, name: str, rows: Ints) -> Drawing:
    opened = np.isin(np.arange(len(manifest)), rows)
    few = manifest.select(opened)
    cells, images, area = few.drawn(kind, name), few.images(), np.full(len(few), np.nan)
    there = [(row, cell) for row, cell in enumerate(cells) if cell is not None]
    drawn = [(row, cell) for row, cell in there if any(part.file for part in cell)]
    area[[row for row, cell in there if not any(part.file for part in cell)]] = 0

    def measure(place: int, _: object) -> None:
        row, cell = drawn[place]
        area[row] = read_drawn(cell, image=images[row]).foreground.mean()

    what = f"Measuring {kind}s of {name}" if drawn else None
    lost = visit_images([images[row] for row, _ in drawn], measure, what=what)
    whole = np.full(len(manifest), np.nan)
    whole[opened] = area
    reasons = {few.ids[drawn[place][0]]: reason for place, reason in lost.items()}
    return Drawing(kind=kind, name=name, opened=opened, area=whole, reasons=reasons)


def check_drawing(manifest: Manifest, drawing: Drawing) -> DrawingCheck:
    """Count a drawing, beside the labels where there are any of its name."""
    known = ~np.isnan(drawing.area)
    return DrawingCheck(
        kind=drawing.kind, name=drawing.name, read=int(known.sum()), empty=int((drawing.area == 0).sum()),
        unreadable=drawing.reasons, labelled=_labelled(manifest, drawing, known),
    )  # fmt: skip


def _labelled(manifest: Manifest, drawing: Drawing, known: Bools) -> LabelledDrawing | None:
    column = f"{'label' if drawing.kind == 'mask' else 'attribute'}.{drawing.name}"
    if column not in manifest.frame.columns:
        return None
    if drawing.kind == "footprint" and manifest.attribute_type(drawing.name) != "binary":
        return None
    told = manifest.frame[column].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    yes, no = drawing.opened & (told == 1), drawing.opened & (told == 0)
    failed = np.isin(manifest.ids, list(drawing.reasons))
    empty, drawn = yes & (drawing.area == 0), no & (drawing.area > 0)
    return LabelledDrawing(
        positive=int((yes & known).sum()), empty=int(empty.sum()),
        negative=int((no & known).sum()), drawn=int(drawn.sum()),
        positive_without=int((yes & ~known & ~failed).sum()), negative_without=int((no & ~known & ~failed).sum()),
        samples=tuple(np.array(manifest.ids)[empty | drawn][:NAMED].tolist()),
    )  # fmt: skip
