"""Which films have the attribute, the sign of its training association, and the cells label x attribute.

``NAME`` asks a binary attribute, ``NAME=VALUE`` one value of a categorical one against the rest. Attributes
of other kinds, and several at once, are asked by what they suggest: see :mod:`shortcut_audit.audit.table.suggestion`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from scipy.special import ndtri

from shortcut_audit.audit.result.setting import CellCount
from shortcut_audit.audit.statistics.metrics import count_distinct
from shortcut_audit.audit.table.scores import ScoresTable
from shortcut_audit.errors import UsageError, did_you_mean
from shortcut_audit.shapes import Bools, Floats, Ints

Sign = Literal[1, -1]


@dataclass(frozen=True, kw_only=True)
class Association:
    """How the attribute went with the finding in training.

    ``sign`` is 1 where the attribute suggested the finding, -1 where it spoke against it, None where
    the training rows leave it open. ``source`` says in words where that comes from.
    """

    sign: Sign | None
    source: str


def attribute_values(table: ScoresTable, frame: pl.DataFrame, attribute: str) -> Floats:
    """Return (N,) 1 present, 0 absent, NaN unknown, for one binary attribute or ``NAME=VALUE``.

    Args:
        table: the table, for its column names and for all values of a categorical attribute.
        frame: the rows asked about.
        attribute: as the user wrote it.

    Raises:
        UsageError: no such attribute or value.
    """
    if attribute in table.attributes:
        return frame[f"attribute.{attribute}"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    name, _, value = attribute.partition("=")
    column = f"attribute.{require_attribute(table, name)}"
    known = sorted(table.frame[column].drop_nulls().cast(pl.String).unique().to_list())
    wanted = value if table.frame[column].dtype == pl.String else _as_number(value)
    if wanted not in known:
        raise UsageError(
            f"the attribute '{name}' never has the value '{value}'{did_you_mean(value, known)}; "
            f"it has: {', '.join(known[:20])}"
        )
    return (frame[column].cast(pl.String) == wanted).cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _as_number(value: str) -> str:
    try:
        return str(float(value))
    except ValueError:
        return value


def require_attribute(table: ScoresTable, name: str) -> str:
    """Return ``name`` if the table has such an attribute, else raise UsageError."""
    if name not in table.attributes:
        have = ", ".join(table.attributes) or "none"
        raise UsageError(f"there is no attribute '{name}'{did_you_mean(name, table.attributes)}; the table has: {have}")
    return name


def composite_terms(attribute: str, known: Collection[str]) -> list[str]:
    """Return the terms of ``A+B=v``, each an attribute or ``NAME=VALUE``; one term where it is no composite.

    A plus sign within a name that is known stays, and so does one within a value (``er=ER+``): there no known
    attribute follows it.

    Args:
        attribute: as the user wrote it.
        known: attributes that there are.
    """
    if attribute in known:
        return [attribute]
    terms: list[str] = []
    for piece in attribute.split("+"):
        if terms and "=" in terms[-1] and piece.partition("=")[0] not in known:
            terms[-1] += f"+{piece}"
        else:
            terms.append(piece)
    return terms


def training_rates(values: Floats, label: Bools, train: Bools) -> tuple[float, float] | None:
    """Return P(a=1 | y=1) and P(a=1 | y=0) in the training rows, None where one class has none with a known a."""
    sides = [train & ~np.isnan(values) & side for side in (label, ~label)]
    if not all(side.any() for side in sides):
        return None
    return float(values[sides[0]].mean()), float(values[sides[1]].mean())


def find_association(
    values: Floats, label: Bools, patients: Ints, train: Bools, *, asked: Literal["positive", "negative"] | None,
    confidence: float,
) -> Association:  # fmt: skip
    """Return the sign of the training association.

    From the training rows with a known attribute if both classes are there: the interval of
    P(a|y=1) - P(a|y=0), from Wilson limits on patients (Newcombe 1998), covers 0 or not. Else what the
    user said, else positive.
    """
    rates = training_rates(values, label, train)
    if rates is None:
        if asked:
            return Association(sign=1 if asked == "positive" else -1, source=f"{asked}, as given")
        return Association(sign=1, source="taken as positive: there are no training rows and nothing was said")
    known = train & ~np.isnan(values)
    counts = [count_distinct(patients[known & side]) for side in (label, ~label)]
    low, high = _newcombe(rates, counts, confidence)
    found = f"P(a|y=1) {rates[0]:.3f}, P(a|y=0) {rates[1]:.3f} in training"
    if low <= 0 <= high:
        return Association(
            sign=None,
            source=f"the sign of the training association is uncertain: {found}, difference {low:.3f} to {high:.3f}",
        )
    return Association(sign=1 if low > 0 else -1, source=found)


def _newcombe(rates: Sequence[float], counts: Sequence[int], confidence: float) -> tuple[float, float]:
    z2 = float(ndtri((1 + confidence) / 2)) ** 2
    limits = []
    for p, n in zip(rates, counts, strict=True):
        centre, half = (p + z2 / (2 * n)), np.sqrt(z2 * p * (1 - p) / n + z2**2 / (4 * n * n))
        limits.append(((centre - half) / (1 + z2 / n), (centre + half) / (1 + z2 / n)))
    (p1, p0), ((l1, u1), (l0, u0)) = rates, limits
    return p1 - p0 - float(np.hypot(p1 - l1, u0 - p0)), p1 - p0 + float(np.hypot(u1 - p1, p0 - l0))


def count_cells(finding: str, attribute: str, label: Bools, values: Floats, patients: Ints) -> tuple[CellCount, ...]:
    """Count images and patients in the four cells, empty ones too; unknown attributes are in none."""
    return tuple(
        _count(finding, attribute, y, str(value), (label == bool(y)) & (values == value), patients)
        for y in (1, 0)
        for value in (1, 0)
    )


def count_unknown(
    finding: str, attribute: str, label: Bools, values: Floats, patients: Ints
) -> tuple[CellCount, ...]:  # fmt: skip
    """Count images and patients whose attribute is unknown, by label; nothing where there are none."""
    unknown = np.isnan(values)
    if not unknown.any():
        return ()
    return tuple(_count(finding, attribute, y, "unknown", (label == bool(y)) & unknown, patients) for y in (1, 0))


def _count(finding: str, attribute: str, y: int, value: str, inside: Bools, patients: Ints) -> CellCount:
    return CellCount(
        finding=finding, attribute=attribute, label=1 if y else 0, value=value, images=int(inside.sum()),
        patients=count_distinct(patients[inside]),
    )  # fmt: skip
