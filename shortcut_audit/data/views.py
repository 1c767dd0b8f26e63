"""Which projections of a chest film are taken. ``view`` is PA, AP, lateral, or frontal where nobody says which."""

from __future__ import annotations

import polars as pl

from shortcut_audit.config import DatasetConfig

LATERAL = ("LATERAL", "LL", "L", "RL")
"""How tables call a lateral film."""


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
