"""Whether a table is what was published: the whole of it, a part, or one that somebody changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

Counts = Mapping[str, int]
OTHERS = "others counted them"
"""``counted_by`` where somebody else counted a release."""
_OTHERWISE = (
    "so no count tells a changed label; SHA256SUMS.txt or 'audit data check --against' an earlier manifest does"
)


@dataclass(frozen=True, kw_only=True)
class Published:
    """What is known of a table that was published.

    ``rows`` counts images. ``values`` tells of columns of the manifest how often each value occurs:
    ``{"label.pneumothorax": {"1": 19448, "0": 56341, "-1": 3145}}``; what it leaves out is not checked.
    ``source`` says where the numbers come from, ``counted_by`` who counted the values where no author did.
    """

    table: str
    rows: int
    source: str
    values: Mapping[str, Counts] = field(default_factory=dict)
    patients: int | None = None
    counted_by: str = ""

    def notes(self, frame: pl.DataFrame) -> list[str]:
        """Return what to say of a table, before any row is left out: one sentence, then one a difference.

        A part of the release is allowed, and said. A part that has a value more often than the whole, or a
        whole that has one more or less often, was changed by somebody. Labels whose counts we do not know are named: a
        changed one would not be seen.
        """
        different = [note for name, counts in self.values.items() for note in self._differences(frame, name, counts)]
        size = self._size(frame.height, unchanged=not different)
        return [size, *different, *self._patients(frame), *self._uncounted(frame)]

    def _size(self, rows: int, *, unchanged: bool) -> str:
        if rows == self.rows:
            checked = bool(self.values) and unchanged
            also = " and values" if checked and not self.counted_by else ""
            others = f", and values as {self.counted_by}" if checked and self.counted_by else ""
            return f"{self.table} has {rows:,} rows{also} as published ({self.source}){others}"
        away, word = abs(rows - self.rows), "fewer" if rows < self.rows else "more"
        return f"{self.table} has {rows:,} rows, {away:,} {word} than the {self.rows:,} published ({self.source})"

    def _differences(self, frame: pl.DataFrame, name: str, counts: Counts) -> list[str]:
        if name not in frame.columns:
            return [f"{self.table}: {_shown(name)} is not there, but was published"]
        found = dict(_texts(frame[name]).value_counts().iter_rows())
        whole = frame.height >= self.rows
        said = self.counted_by or "published"
        return [
            f"{self.table}: {_shown(name)} = {value} in {found.get(value, 0):,} rows, {said}: {count:,}"
            for value, count in counts.items()
            if found.get(value, 0) > count or (whole and found.get(value, 0) != count)
        ]

    def _patients(self, frame: pl.DataFrame) -> list[str]:
        if self.patients is None or frame.height != self.rows:
            return []
        found = frame["patient_id"].n_unique()
        return [] if found == self.patients else [f"{self.table}: {found:,} patients, published: {self.patients:,}"]

    def _uncounted(self, frame: pl.DataFrame) -> list[str]:
        labels = [name for name in frame.columns if name.startswith("label.")]
        unknown = [_shown(name) for name in labels if name not in self.values]
        if not unknown:
            return []
        which = "each label" if len(unknown) == len(labels) else ", ".join(unknown)
        return [f"{self.table}: how often {which} occurs is not known to us, {_OTHERWISE}"]


def positives(counts: Mapping[str, int]) -> dict[str, Counts]:
    """Return how often each finding is 1 as :attr:`Published.values`."""
    return {f"label.{name}": {"1": count} for name, count in counts.items()}


def _texts(column: pl.Series) -> pl.Series:
    return column.cast(pl.Int64).cast(pl.String) if column.dtype.is_numeric() else column


def _shown(name: str) -> str:
    return name.partition(".")[2] or name
