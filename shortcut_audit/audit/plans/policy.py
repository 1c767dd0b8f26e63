"""A policy: which verdicts let a build go on. It decides an exit code and never changes an audit.

policy: 1
fail_on: concern            # refuse this status and worse: fail, concern or insufficient
limits:                     # judged beside the verdicts, as in a plan
  - {metric: auroc, at_least: 0.85}
allow:                      # what is let through all the same, with its reason
  - {attribute: scanner=alpha, status: concern, reason: "known, ticket 12", until: 2027-01-31}
  - {metric: auroc_pair, group: "pair:0:0", status: insufficient, reason: "the set grows in March"}

``fail_on`` has no default: what a gate lets pass is to be read in its file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shortcut_audit.audit.plans.limits import MetricLimit, judge_limits
from shortcut_audit.audit.result.judgement import SEVERITY, Verdict
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.config import read_checked
from shortcut_audit.provenance import sha256_file

Ruled = Literal["accepted", "allowed", "refused"]
REFUSED = {
    "fail": "FAIL is refused", "concern": "CONCERN and FAIL are refused", "insufficient": "all but PASS are refused",
}  # fmt: skip
"""What each ``fail_on`` says."""


class Allowance(BaseModel):
    """A verdict that is let through: of a named model, finding, attribute, or of the limits on a metric.

    ``status`` is the worst that is let through, ``until`` the last day. One without ``metric`` is about
    gap and reliance and lets no limit through; ``group`` narrows a metric down to one of its groups.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: str = Field(min_length=1)
    status: Literal["insufficient", "concern", "fail"] = "concern"
    until: date | None = None
    model: str | None = None
    finding: str | None = None
    attribute: str | None = None
    metric: str | None = None
    group: str | None = None

    @model_validator(mode="after")
    def _names_something(self) -> Allowance:
        if not any((self.model, self.finding, self.attribute, self.metric)):
            raise ValueError("an allowance names at least one of model, finding, attribute and metric")
        if self.group and not self.metric:
            raise ValueError(f"the group '{self.group}' is of a metric; name that too")
        return self

    def matches(self, verdict: Verdict) -> bool:
        """Return whether the allowance is about this verdict and goes as far as its status."""
        named = (
            (self.model, verdict.model), (self.finding, verdict.finding), (self.attribute, verdict.attribute),
            (self.group, verdict.group),
        )  # fmt: skip
        limit = f"limit:{self.metric}" if self.metric else None
        right_kind = verdict.rule == limit if verdict.limit is not None else limit is None
        far_enough = SEVERITY.index(verdict.status) <= SEVERITY.index(self.status)
        return right_kind and far_enough and all(name in {None, found} for name, found in named)

    def ended(self, today: date) -> bool:
        """Return whether its last day is over."""
        return self.until is not None and today > self.until

    def __str__(self) -> str:
        number = f"{self.metric} ({self.group})" if self.group else self.metric
        about = [name for name in (self.model, self.finding, self.attribute, number) if name]
        return f"{', '.join(about)}: {self.status.upper()}"


class Policy(BaseModel):
    """A policy file, checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: Literal[1]
    fail_on: Literal["fail", "concern", "insufficient"]
    limits: tuple[MetricLimit, ...] = ()
    allow: tuple[Allowance, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What the policy makes of one verdict, and why."""

    verdict: Verdict
    ruled: Ruled
    why: str

    @property
    def inconclusive(self) -> bool:
        """Whether the gate lets something pass of which nobody can tell."""
        return self.ruled != "refused" and self.verdict.status == "insufficient"


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What a policy makes of an audit: a ruling for each verdict, the exit code, and notes about the policy itself."""

    file: str
    sha256: str
    rulings: tuple[Ruling, ...]
    notes: tuple[str, ...]

    @property
    def code(self) -> int:
        """1 where a FAIL or CONCERN is refused, 3 where only INSUFFICIENT is, else 0."""
        refused = {ruling.verdict.status for ruling in self.rulings if ruling.ruled == "refused"}
        return 1 if refused & {"fail", "concern"} else 3 if refused else 0


def read_policy(path: Path) -> Policy:
    """Read a policy.

    Raises:
        UsageError: a file that cannot be read, an unknown key, a value of the wrong kind.
    """
    return read_checked(path, Policy, option="--policy")


def apply_policy(policy: Policy, result: AuditResult, *, path: Path, today: date) -> Gate:
    """Rule on every verdict of an audit and on the policy's own limits.

    Args:
        policy: as read from ``path``.
        result: the audit; it is not changed.
        path: the file, for its name and hash.
        today: allowances whose last day is before it no longer hold.

    Raises:
        UsageError: a limit on a model, attribute or group that the audit does not have.
    """
    subjects = list(dict.fromkeys((one.model, one.finding, one.attribute) for one in result.verdicts))
    own = judge_limits(policy.limits, result.metrics, subjects, source="policy")
    verdicts = (*result.verdicts, *(judged.verdict for judged in own))
    return Gate(
        file=path.name,
        sha256=sha256_file(path),
        rulings=tuple(_rule(verdict, policy, today) for verdict in verdicts),
        notes=tuple(_notes(policy.allow, verdicts, today)),
    )


def _rule(verdict: Verdict, policy: Policy, today: date) -> Ruling:
    if SEVERITY.index(verdict.status) < SEVERITY.index(policy.fail_on):
        return Ruling(verdict=verdict, ruled="accepted", why=REFUSED[policy.fail_on])
    for allowance in policy.allow:
        if allowance.matches(verdict) and not allowance.ended(today):
            until = f"until {allowance.until}" if allowance.until else "without an end"
            return Ruling(verdict=verdict, ruled="allowed", why=f"{until}, {allowance.reason}")
    return Ruling(verdict=verdict, ruled="refused", why=REFUSED[policy.fail_on])


def _notes(allowances: Sequence[Allowance], verdicts: Sequence[Verdict], today: date) -> list[str]:
    """Return what a reader of the policy should mend: allowances that ended, or that no verdict needs."""
    notes = []
    for allowance in allowances:
        if allowance.ended(today):
            notes.append(f"the allowance of {allowance} ended on {allowance.until}")
        elif not any(allowance.matches(verdict) and verdict.status != "pass" for verdict in verdicts):
            notes.append(f"the allowance of {allowance} was not needed; take it out, or mend its names")
    return notes
