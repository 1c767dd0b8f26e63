"""Images that could not be read: why, how many of them, and whether their loss goes with a label or an attribute.

A corrupt file can itself be a shortcut: if one site's films fail more often, what is left is another population.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from shortcut_audit.data.manifest import Manifest
from shortcut_audit.errors import InputError
from shortcut_audit.shapes import Bools


@dataclass(frozen=True, kw_only=True)
class Loss:
    """How one group lost images, against all others of the same column.

    ``difference`` is the share unreadable in the group minus that elsewhere, with its 95 % interval (Newcombe 1998,
    method 10; images count as independent). All three are None where the column has no other group.
    """

    group: str
    unreadable: int
    images: int
    elsewhere_unreadable: int
    elsewhere: int
    difference: float | None
    low: float | None
    high: float | None

    @property
    def shown(self) -> bool:
        """Whether the interval excludes 0: the loss goes with the group."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


@dataclass(frozen=True, kw_only=True)
class Quarantine:
    """Images left out because they could not be read.

    ``reasons`` maps sample ids to messages, ``kept`` (N,) tells which rows remain, ``losses`` says how it went in
    every label, category and binary attribute, blanks included.
    """

    reasons: dict[str, str]
    kept: Bools
    losses: tuple[Loss, ...]

    def __len__(self) -> int:
        return len(self.reasons)

    @property
    def by_group(self) -> dict[str, int]:
        """How many were left out, by group: ``{"label.melanoma=1": 2}``; groups that lost none are not there."""
        return {loss.group: loss.unreadable for loss in self.losses if loss.unreadable}

    def note(self) -> str | None:
        """Return one or two sentences for a report, without ids; None where nothing was left out."""
        if not self.reasons:
            return None
        groups = ", ".join(f"{name}: {count}" for name, count in self.by_group.items())
        said = f"{len(self)} of {len(self.kept)} images could not be read and were left out ({groups or 'no labels'})"
        if linked := [loss.group for loss in self.losses if loss.shown]:
            said += f"; the loss goes with {', '.join(linked)}"
        return said

    def refuse_many(self) -> None:
        """Stop where too many are lost.

        Raises:
            InputError: as :func:`refuse_many`.
        """
        refuse_many(self.reasons, len(self.kept), what="images")


def refuse_many(reasons: Mapping[str, str], total: int, *, what: str) -> None:
    """Let a few unreadable files pass.

    Raises:
        InputError: more than max(3, 1 %) of ``total``; the message gives the first three reasons.
    """
    if len(reasons) > max(3, total // 100):
        first = "; ".join(list(reasons.values())[:3])
        raise InputError(
            f"{len(reasons)} of {total} {what} are missing or cannot be read, more than max(3, 1 %): {first}; "
            "check the root folder and the paths in the table"
        )


def quarantine(manifest: Manifest, reasons: Mapping[int, str]) -> Quarantine:
    """Return what was lost, from reasons by row."""
    ids = manifest.ids
    kept = np.ones(len(ids), dtype=bool)
    kept[list(reasons)] = False
    losses = tuple(_losses(manifest, kept)) if reasons else ()
    return Quarantine(reasons={ids[row]: reason for row, reason in reasons.items()}, kept=kept, losses=losses)


def _losses(manifest: Manifest, kept: Bools) -> Iterator[Loss]:
    lost = int((~kept).sum())
    named = [f"attribute.{name}" for name in manifest.attributes if manifest.attribute_type(name) != "continuous"]
    for column in [*(f"label.{name}" for name in manifest.findings), *named]:
        rows = manifest.frame.select(value=column, lost=pl.Series(~kept))
        groups = rows.group_by("value").agg(pl.len(), pl.col("lost").sum()).sort("value", nulls_last=True)
        for value, images, unreadable in groups.rows():
            shown = "blank" if value is None else f"{value:g}" if isinstance(value, float) else value
            yield _loss(f"{column}={shown}", unreadable, images, lost - unreadable, len(kept) - images)


def _loss(group: str, here: int, images: int, there: int, elsewhere: int) -> Loss:
    difference, low, high = _newcombe(here, images, there, elsewhere) if elsewhere else (None, None, None)
    return Loss(
        group=group, unreadable=here, images=images, elsewhere_unreadable=there, elsewhere=elsewhere,
        difference=difference, low=low, high=high,
    )  # fmt: skip


def _newcombe(a: int, m: int, b: int, n: int) -> tuple[float, float, float]:
    """Return a/m - b/n with its 95 % interval from the two Wilson intervals."""
    from scipy.stats import binomtest

    one, other = a / m, b / n
    (low_one, high_one), (low_other, high_other) = (
        binomtest(count, total).proportion_ci(method="wilson") for count, total in ((a, m), (b, n))
    )
    below = float(np.hypot(one - low_one, high_other - other))
    above = float(np.hypot(high_one - one, other - low_other))
    return one - other, one - other - below, one - other + above
