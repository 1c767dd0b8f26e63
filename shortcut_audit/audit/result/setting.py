"""What the numbers are about: the rows that went in, the threshold, the place of use."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from shortcut_audit.audit.result.record import Finite, Record, need_one


class OperatingPoint(Record):
    """The threshold at or above which a model's score counts as a positive call, the same in every group.

    ``rule`` is what was asked (``youden``, ``sensitivity=0.9``, a number); the counts are of the validation
    rows it was chosen on, 0 where it was given as a number.
    """

    model: str
    finding: str
    rule: str
    threshold: Finite | None
    n: int
    n_pos: int
    n_neg: int
    n_patients: int
    reason: str | None = None

    @model_validator(mode="after")
    def _threshold_or_reason(self) -> OperatingPoint:
        what = f"the operating point of '{self.model}' must have either a threshold"
        need_one(what, known=self.threshold is not None, reason=self.reason)
        return self


class Population(Record):
    """The place of use that numbers per 1,000 patients are about.

    ``prevalence`` is the share with the finding; ``given_finding`` and ``given_none`` are the shares with
    the attribute among those with and without it. None where the test set has nobody to count.
    ``named`` lists what the user gave; the rest is as in the test rows that ``model`` scored.
    """

    model: str
    finding: str
    attribute: str
    prevalence: Finite | None
    given_finding: Finite | None
    given_none: Finite | None
    named: tuple[Literal["prevalence", "given_finding", "given_none"], ...] = ()


class CellCount(Record):
    """Images and patients of one cell label x attribute."""

    finding: str
    attribute: str
    label: Literal[0, 1]
    value: str
    images: int
    patients: int


class Counts(Record):
    """What went into the audit and what was left out, by reason.

    ``per`` is what one row stands for, and so what ``images`` here, in the cells and ``n`` of a metric count.
    A cell of value ``unknown`` holds the rows whose attribute nobody knows. ``composites`` are the attributes
    asked by what they suggest; their values 1 and 0 are for and against the finding.
    """

    images: int
    patients: int
    clustered_by: Literal["patient", "image"]
    by_split: dict[str, int]
    excluded: dict[str, int]
    cells: tuple[CellCount, ...]
    per: Literal["image", "study", "patient"] = "image"
    composites: tuple[str, ...] = ()
