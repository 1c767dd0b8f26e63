"""Single cases: the gallery and what to read again. Case numbers, never ids."""

from __future__ import annotations

from typing import Literal

from shortcut_audit.audit.result.record import Finite, Record


class Shift(Record):
    """How one model scored the same film with and without the attribute."""

    model: str
    score_with: Finite
    score_without: Finite
    threshold: Finite | None
    flips: bool


class Layer(Record):
    """One picture layer of an example, as a data URI (PNG or WebP, already small).

    ``image`` is the case as it is; ``image_with`` and ``image_without`` are the same image with the
    attribute switched on or off, of which the one that ``image`` already is may be left out. The others
    lie over the image: heat map in colour on black, outlines and mask in colour on nothing (RGBA).
    """

    kind: Literal["image", "image_with", "image_without", "heatmap", "finding", "footprint", "predicted"]
    label: str
    uri: str


class Example(Record):
    """One case of the gallery: a case number, never an id."""

    case: str
    finding: str
    attribute: str
    label: Literal[0, 1]
    value: str
    chosen_because: str
    shifts: tuple[Shift, ...]
    layers: tuple[Layer, ...]


class Reread(Record):
    """Cases to read again: the fewest labels of negatives that, if they were wrong, would undo a FAIL.

    Case numbers, never ids; ``cases.csv`` has the ids, the highest score first.
    """

    model: str
    finding: str
    attribute: str
    cases: tuple[str, ...]
