"""Probes: one file a kind of clue. Each turns films into features that do not show the finding.

The first line of a probe's docstring is its question; the next lines say what an answer would mean, and what not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from shortcut_audit.audit.lint.material import Material
from shortcut_audit.registry import Registry
from shortcut_audit.shapes import Bools, Floats

TOGETHER = "all together"


@dataclass(frozen=True, kw_only=True, eq=False)
class Clue:
    """Features (N, D) that a label may be told from.

    Attributes:
        name: how the report names it ("view").
        features: (N, D), finite.
        rows: (N,) films that have these features; the others are not looked at.
        own: the finding whose own mask it is made of; it is not asked about that one.
    """

    name: str
    features: Floats
    rows: Bools
    own: str | None = None


Probe = Callable[[Material], list[Clue]]
PROBES: Registry[Probe] = Registry("probe", "shortcut_audit.audit.lint.probes")


def clue(name: str, features: Floats, *, rows: Bools | None = None, own: str | None = None) -> Clue:
    """Return a clue; a flat array is one feature, and without ``rows`` every film has it."""
    table = features.reshape(len(features), -1).astype(np.float64)
    return Clue(name=name, features=table, rows=np.ones(len(table), dtype=bool) if rows is None else rows, own=own)


def with_all(clues: Sequence[Clue]) -> list[Clue]:
    """Return the clues, and one of all that are of no finding's own mask if there are several such."""
    free = [one for one in clues if one.own is None]
    if len(free) < 2:
        return list(clues)
    return [*clues, clue(TOGETHER, np.concatenate([one.features for one in free], axis=1))]
