"""The table beside the pixels: view, sex, age, site, attributes, covariates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from shortcut_audit.audit.lint.material import Material
from shortcut_audit.audit.lint.probes import PROBES, TOGETHER, Clue, clue
from shortcut_audit.data.manifest import PLAIN
from shortcut_audit.shapes import Floats

MOST_VALUES = 20
"""Further values of a column of words count as one."""


@PROBES.register("metadata")
def metadata(material: Material) -> list[Clue]:
    """Do view, site, sex, age, attributes or covariates tell the label?

    A model can read most of them off the pixels. Age and sex may go with a disease for good reasons.
    """
    frame = material.manifest.frame
    names = [name for name in frame.columns if name in PLAIN or name.startswith(("attribute.", "covariate."))]
    return [one for name in names for one in _of_column(frame[name])] + _together([frame[name] for name in names])


def _of_column(column: pl.Series) -> list[Clue]:
    """Return what a column says where it says something, and, if it has blanks, whether it does."""
    known = column.is_not_null().to_numpy()
    told = clue(column.name, encoded(column), rows=known)
    return [told] if known.all() else [told, clue(f"{column.name} is known", known)]


def _together(columns: Sequence[pl.Series]) -> list[Clue]:
    return [clue(TOGETHER, np.concatenate([encoded(one) for one in columns], axis=1))] if len(columns) > 1 else []


def encoded(column: pl.Series) -> Floats:
    """Return a column as features (N, D): a number with its blanks marked, or one feature a value; blank is one."""
    blank = column.is_null().to_numpy().astype(np.float64)
    numbers = column.cast(pl.Float64, strict=False)
    if numbers.null_count() == column.null_count():
        return np.column_stack([numbers.fill_null(_middle(numbers)).to_numpy(), blank])
    common = column.drop_nulls().value_counts(sort=True, name="films").head(MOST_VALUES)[column.name]
    values = [(column == value).fill_null(value=False).to_numpy() for value in common]
    return np.column_stack([*values, blank]).astype(np.float64)


def _middle(numbers: pl.Series) -> float:
    middle = numbers.median()
    return middle if isinstance(middle, float) else 0.0  # a column that is blank throughout
