"""The audit result: what was asked, what was found, with every number beside its n and interval.

This package is the contract of ``audit.json`` (schema 1). It knows neither torch nor images, so that
a result can be read, checked and rendered anywhere. ``tests/golden/audit.schema.json`` is the JSON
schema of :class:`AuditResult`; a test keeps the two equal.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from shortcut_audit.audit.result.examples import Example, Reread
from shortcut_audit.audit.result.judgement import SEVERITY, Agreement, Answer, Limit, PlanRecord, Status, Verdict
from shortcut_audit.audit.result.numbers import Comparison, Curve, Metric, SeedMean
from shortcut_audit.audit.result.record import Record
from shortcut_audit.audit.result.setting import Counts, OperatingPoint, Population
from shortcut_audit.errors import OutputError
from shortcut_audit.provenance import Provenance, write_atomic

SCHEMA = 1


class AuditResult(Record):
    """All that the report, the exit code and the JSON need."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    status: Status
    title: str
    dataset: dict[str, Any]
    banners: tuple[str, ...] = ()
    provenance: Provenance
    counts: Counts
    plan: PlanRecord | None = None
    limits: tuple[Limit, ...]
    verdicts: tuple[Verdict, ...]
    answers: tuple[Answer, ...]
    metrics: tuple[Metric, ...]
    comparisons: tuple[Comparison, ...] = ()
    seeds: tuple[SeedMean, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    curves: tuple[Curve, ...] = ()
    operating_points: tuple[OperatingPoint, ...] = ()
    populations: tuple[Population, ...] = ()
    examples: tuple[Example, ...] = ()
    rereads: tuple[Reread, ...] = ()
    notes: tuple[str, ...] = ()

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    def find(self, name: str, **where: str) -> list[Metric]:
        """Return the metrics called ``name`` whose fields equal ``where``."""
        return [
            metric for metric in self.metrics
            if metric.name == name and all(getattr(metric, key) == value for key, value in where.items())
        ]  # fmt: skip


def worst(statuses: list[Status]) -> Status:
    """Return the most severe status; of an empty list, ``insufficient``: nothing was shown."""
    return max(statuses, key=SEVERITY.index) if statuses else "insufficient"


def write_result(result: AuditResult, path: Path) -> None:
    """Write ``audit.json`` atomically."""
    write_atomic(path, result.model_dump_json(by_alias=True, indent=1) + "\n")


def read_result(path: Path) -> AuditResult:
    """Read ``audit.json``.

    Raises:
        OutputError: the file is not there, not JSON or not of schema 1.
    """
    try:
        return AuditResult.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise OutputError(f"{path} is not there; run 'audit evaluate' first") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise OutputError(
            f"{path} is not an audit result of schema {SCHEMA}: {place}: {first['msg']}; run 'audit evaluate' again"
        ) from error
