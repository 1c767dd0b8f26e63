"""Which films have the attribute, what it suggested in training, and the cells label x attribute.

``NAME`` asks a binary attribute, ``NAME=VALUE`` one value of a categorical one against the rest,
``A+B+C`` the composite: what the attributes together say about the finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from scipy.special import ndtri

from shortcut_audit.audit.result import CellCount
from shortcut_audit.audit.scores import ScoresTable
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


def is_composite(attribute: str, table: ScoresTable) -> bool:
    """Return whether ``attribute`` joins several attributes by ``+``."""
    return "+" in attribute and attribute not in table.attributes


def attribute_values(table: ScoresTable, frame: pl.DataFrame, attribute: str) -> Floats:
    """Return (N,) 1 present, 0 absent, NaN unknown, for one binary attribute or ``NAME=VALUE``.

    Args:
        table: the table, for its column names and for all values of a categorical attribute.
        frame: the rows asked about.
        attribute: as the user wrote it.

    Raises:
        UsageError: no such attribute or value, or one that is neither 0/1 nor named by value.
    """
    if attribute in table.attributes:
        return _binary(table, frame, attribute)
    name, _, value = attribute.partition("=")
    column = f"attribute.{_require(table, name)}"
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


def _binary(table: ScoresTable, frame: pl.DataFrame, name: str) -> Floats:
    column = f"attribute.{name}"
    known = table.frame[column].drop_nulls().unique()
    if known.dtype == pl.String or not set(known.to_list()) <= {0.0, 1.0}:
        values = ", ".join(str(value) for value in known.sort().to_list()[:8])
        raise UsageError(
            f"the attribute '{name}' is not 0 and 1 (it has: {values}); ask for one value against the rest, "
            f"as in '{name}={known.sort().to_list()[0]}'"
        )
    return frame[column].cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _require(table: ScoresTable, name: str) -> str:
    if name not in table.attributes:
        have = ", ".join(table.attributes) or "none"
        raise UsageError(f"there is no attribute '{name}'{did_you_mean(name, table.attributes)}; the table has: {have}")
    return name


def composite_values(table: ScoresTable, frame: pl.DataFrame, attribute: str) -> Floats:
    """Return (N,) 1 where the attributes together suggest the finding, 0 where they speak against it.

    e(a) = P(y = 1 | attributes) by naive Bayes, counted on the rows with split ``train`` (half a count
    added to each value), is compared with the base rate of those rows: a positive with e(a) under it,
    or a negative with e(a) above it, is in conflict with what was learnt. NaN where an attribute is
    unknown or e(a) equals the base rate.

    Raises:
        UsageError: there are no training rows of both classes to learn it from.
    """
    train = (frame["split"] == "train").to_numpy()
    label = frame["label"].to_numpy() == 1
    if not (label[train].any() and (~label[train]).any()):
        raise UsageError(
            f"'{attribute}' asks what several attributes together suggest, which is learnt from rows with "
            "split = train; there are none of both classes: add them, or ask for one attribute"
        )
    log_odds = np.zeros(frame.height)
    for term in attribute.split("+"):
        log_odds += _log_likelihood_ratio(_codes(table, frame, term), label, train)
    values = (log_odds > 0).astype(np.float64)
    # Rounding makes "says nothing" a number next to 0.
    values[np.isnan(log_odds) | (np.abs(log_odds) < 1e-12)] = np.nan
    return values


def _codes(table: ScoresTable, frame: pl.DataFrame, term: str) -> Ints:
    """Return (N,) the value of one attribute as 0, 1, ...; -1 where unknown."""
    if "=" in term and term not in table.attributes:
        values = attribute_values(table, frame, term)
        return np.where(np.isnan(values), -1, values).astype(np.int64)
    codes = frame[f"attribute.{_require(table, term)}"].rank("dense")
    return codes.cast(pl.Int64).fill_null(0).to_numpy() - 1


def _log_likelihood_ratio(codes: Ints, label: Bools, train: Bools) -> Floats:
    """Return (N,) log P(value | y=1) / P(value | y=0) counted on the training rows, NaN where unknown."""
    seen = train & (codes >= 0)
    size = codes.max() + 1
    logs = [
        np.log(np.bincount(codes[seen & side], minlength=size) + 0.5) - np.log((seen & side).sum() + size / 2)
        for side in (label, ~label)
    ]
    ratio: Floats = np.where(codes >= 0, (logs[0] - logs[1])[codes], np.nan)
    return ratio


def find_association(
    values: Floats, label: Bools, patients: Ints, train: Bools, *, asked: Literal["positive", "negative"] | None,
    confidence: float,
) -> Association:  # fmt: skip
    """Return the sign of the training association.

    From the training rows with a known attribute if both classes are there: the interval of
    P(a|y=1) - P(a|y=0), from Wilson limits on patients (Newcombe 1998), covers 0 or not. Else what the
    user said, else positive.
    """
    known = train & ~np.isnan(values)
    sides = [known & label, known & ~label]
    if not all(side.any() for side in sides):
        if asked:
            return Association(sign=1 if asked == "positive" else -1, source=f"{asked}, as given")
        return Association(sign=1, source="taken as positive: there are no training rows and nothing was said")
    rates = [float(values[side].mean()) for side in sides]
    counts = [len(np.unique(patients[side])) for side in sides]
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
    cells = []
    for y in (1, 0):
        for value in (1, 0):
            inside = (label == bool(y)) & (values == value)
            cells.append(
                CellCount(
                    finding=finding, attribute=attribute, label=y, value=str(value),
                    images=int(inside.sum()), patients=len(np.unique(patients[inside])),
                )
            )  # fmt: skip
    return tuple(cells)
