"""Which projections of a chest film are taken. ``view`` is PA, AP, lateral, or frontal where nobody says which."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.decode import view_position
from shortcut_audit.data.images import visit_images
from shortcut_audit.provenance import PathGuard

LATERAL = ("LATERAL", "LL", "L", "RL")
"""How tables call a lateral film."""
HEADERS_OPTION = {"headers": ("ignore", "read")}
"""Option of sets of DICOM films that tell nothing of the projection elsewhere."""


def projections(column: pl.Series) -> pl.Series:
    """Return the view of every film from what its table says of the projection; blank stays blank."""
    upper = column.str.to_uppercase()
    return column.set(upper.is_in(LATERAL), "lateral")


def wanted_views(frame: pl.DataFrame, config: DatasetConfig) -> tuple[pl.DataFrame, list[str]]:
    """Return the rows that ``dataset.views`` asks for, and a note on the others."""
    if config.views == "all":
        return frame, []
    frontal = frame.filter((pl.col("view") != "lateral").fill_null(True))
    lateral = frame.height - frontal.height
    return frontal, [f"{lateral} lateral views are left out (dataset.views: frontal)"] if lateral else []


def stated_views(frame: pl.DataFrame, root: Path, choice: str) -> tuple[pl.DataFrame, list[str]]:
    """Return the table with ``view`` and ``attribute.projection`` of the films' headers if ``choice`` is ``read``.

    Nothing else is taken from a header: who the patient is stands there too.
    """
    if choice != "read":
        return frame, []
    guard, found = PathGuard(root), dict[int, str | None]()

    def look(row: int, path: Path) -> None:
        found[row] = view_position(path)

    paths = [guard(image, where=f"image {row + 1}") for row, image in enumerate(frame["image"])]
    visit_images(paths, look, what="Reading headers")
    stated = [found.get(row) for row in range(len(paths))]  # an image that is no DICOM states nothing
    views = projections(pl.Series("view", stated, dtype=pl.String))
    note = (
        f"projection: View Position of {len(views) - views.null_count():,} of {len(views):,} films, from their headers"
    )
    if views.is_null().all():
        return frame, [note]
    return frame.with_columns(views, views.alias("attribute.projection")), [note]
