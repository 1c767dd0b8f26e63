"""Formats that masks made elsewhere come in: one file each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from shortcut_audit.data.drawn import Drawn
from shortcut_audit.registry import Registry


@dataclass(frozen=True, kw_only=True, eq=False)
class Foreign:
    """One mask made elsewhere.

    Attributes:
        where: how a message names it.
        names: what may be the id of its sample, the likeliest first.
        finding: what its maker calls the finding.
        read: returns the mask at its own size; raises ValueError with the reason.
    """

    where: str
    names: tuple[str, ...]
    finding: str
    read: Callable[[], Drawn]


Import = Callable[[Path], Sequence[Foreign]]
IMPORTS: Registry[Import] = Registry("import format", __name__)
