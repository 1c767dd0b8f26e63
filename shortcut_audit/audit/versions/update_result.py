"""The comparison of two versions of a model: the contract of ``compare.json`` (schema 1).

A is the version there was, B the one that is to take its place; every difference is B - A on the same films.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from shortcut_audit.audit.result.judgement import GapAnswer, RelianceAnswer, Status
from shortcut_audit.audit.result.numbers import Comparison
from shortcut_audit.audit.result.record import Finite, need_one
from shortcut_audit.errors import OutputError
from shortcut_audit.provenance import Provenance, write_atomic

SCHEMA = 1


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Version(_Record):
    """One side: what was named on the command line, and the audit it has, if it has one."""

    name: str
    title: str | None
    status: Status | None


class Films(_Record):
    """The test films of two models: how many both scored, and how many only one of them did."""

    model: str
    other: str
    finding: str
    images: int
    patients: int
    only_a: int
    only_b: int


class Reading(_Record):
    """A number of one version on the common films."""

    value: Finite | None
    low: Finite | None
    high: Finite | None
    reason: str | None = None


class Difference(Comparison):
    """B - A of one number: ``model`` is that of B, ``other`` that of A."""

    group: str
    n_pos: int
    n_neg: int
    a: Reading
    b: Reading

    @model_validator(mode="after")
    def _value_or_reason(self) -> Difference:
        need_one(f"difference '{self.name}' must have either a value", known=self.value is not None, reason=self.reason)
        return self


class NotWorse(_Record):
    """Whether B is worse than A in one number by more than the margin.

    ``value``, the loss, is by how much B is worse (negative: better). FAIL where the whole interval lies above the
    margin, PASS where it lies below it.
    """

    model: str
    other: str
    finding: str
    attribute: str
    group: str
    name: str
    margin: Finite
    status: Literal["pass", "insufficient", "fail"]
    value: Finite | None
    low: Finite | None
    high: Finite | None
    confidence: Finite = 0.95
    reason: str | None = None
    sentence: str


class Judgement(_Record):
    """A verdict of an audit, as far as it can be compared."""

    status: Status
    gap: GapAnswer | None
    reliance: RelianceAnswer | None
    rule: str


class VerdictChange(_Record):
    """The verdicts that the audits of A and of B came to, each on all films of its own."""

    model: str
    other: str
    finding: str
    attribute: str
    a: Judgement
    b: Judgement


class UpdateResult(_Record):
    """All that the page, the exit code and ``compare.json`` need; ``status`` is None where nothing was to be judged."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    status: Status | None
    title: str
    a: Version
    b: Version
    provenance: Provenance
    films: tuple[Films, ...]
    not_worse: tuple[NotWorse, ...] = ()
    verdicts: tuple[VerdictChange, ...] = ()
    differences: tuple[Difference, ...]
    notes: tuple[str, ...] = ()

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def write_update(result: UpdateResult, path: Path) -> None:
    """Write ``compare.json`` atomically."""
    write_atomic(path, result.model_dump_json(by_alias=True, indent=1) + "\n")


def read_update(path: Path) -> UpdateResult:
    """Read ``compare.json``.

    Raises:
        OutputError: not JSON, or not of schema 1.
    """
    try:
        return UpdateResult.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise OutputError(
            f"{path} is not a comparison of schema {SCHEMA}; remove it, or choose another folder"
        ) from error
