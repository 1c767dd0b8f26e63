"""The little language of ``classes:`` in a config: how masks and labels make the targets of a segmenter.

``pneumothorax`` is the drawn mask of that name; ``lesion where melanoma = 1`` the drawn mask of the lesion where
the label says melanoma, and an empty mask where it does not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shortcut_audit.data.decode import BadImageError
from shortcut_audit.data.drawn import Part, fitted, read_drawn
from shortcut_audit.data.manifest import Manifest
from shortcut_audit.data.quarantine import refuse_many
from shortcut_audit.errors import UsageError
from shortcut_audit.runtime import say
from shortcut_audit.shapes import Bools

_RULE = re.compile(r"(?P<structure>\S+)(?:\s+where\s+(?P<finding>[^\s=]+)\s*=\s*(?P<value>[01]))?")


@dataclass(frozen=True, kw_only=True)
class ClassRule:
    """One class: the mask of ``structure``, only where the label of ``finding`` equals ``value``."""

    structure: str
    finding: str | None = None
    value: int | None = None


def parse_class(text: str) -> ClassRule:
    """Read one rule.

    Raises:
        UsageError: the text is not a rule.
    """
    match = _RULE.fullmatch(text.strip())
    if match is None:
        raise UsageError(
            f"classes: '{text}' is not a class; write a structure such as 'lesion', "
            "or one with a condition such as 'lesion where melanoma = 1'"
        )
    value = int(match["value"]) if match["value"] else None
    return ClassRule(structure=match["structure"], finding=match["finding"], value=value)


def class_masks(manifest: Manifest, rules: Sequence[ClassRule], size: int) -> tuple[Bools, Bools]:
    """Return masks and which of their pixels are known, each (N, K, S, S).

    A mask is known and empty where the condition is false, or where the structure is itself a finding
    with label 0 and nobody drew it. It is not known where the condition's label is blank or uncertain,
    or where the mask is blank or cannot be read; nor are the pixels known that the drawer marked "ignore". What is
    not known is empty here: do not learn from it.

    Raises:
        UsageError: a structure or finding that the manifest does not have.
        InputError: more than max(3, 1 %) of the masks cannot be read.
    """
    masks = np.zeros((len(manifest), len(rules), size, size), dtype=bool)
    known = np.zeros_like(masks)
    images = manifest.images()
    bad: dict[str, str] = {}
    read = 0
    for k, rule in enumerate(rules):
        wanted, empty = _rows(manifest, rule)
        known[empty, k] = True
        read += len(wanted)
        for row, parts in wanted.items():
            try:
                drawn = fitted(read_drawn(parts, image=images[row]), (size, size))
            except BadImageError as error:
                bad[f"{row} {k}"] = str(error)
            else:
                masks[row, k], known[row, k] = drawn.foreground, drawn.known
    refuse_many(bad, read, what="masks")
    for reason in bad.values():
        say(f"mask left out: {reason}")
    return masks, known


def _rows(manifest: Manifest, rule: ClassRule) -> tuple[dict[int, tuple[Part, ...]], Bools]:
    """Return the rows whose mask must be read, with its cell, and those known to be empty (N,)."""
    cells = manifest.drawn("mask", rule.structure)
    blank = np.array([cell is None for cell in cells], dtype=bool)
    holds = np.ones(len(manifest), dtype=bool)
    empty = np.zeros(len(manifest), dtype=bool)
    if rule.finding is not None:
        label = manifest.labels((rule.finding,))[:, 0]
        holds = label == rule.value
        empty = np.isin(label, (0, 1)) & ~holds
    if rule.structure in manifest.findings:
        empty |= holds & blank & (manifest.labels((rule.structure,))[:, 0] == 0)
    wanted = {int(row): cell for row in np.flatnonzero(holds & ~blank) if (cell := cells[row]) is not None}
    return wanted, empty
