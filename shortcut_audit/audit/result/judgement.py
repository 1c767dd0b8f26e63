"""What was judged and by which rule: limits, answers, verdicts, and how they depart from a plan."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from shortcut_audit.audit.result.record import Finite, Record

Status = Literal["pass", "insufficient", "concern", "fail"]
SEVERITY: tuple[Status, ...] = ("pass", "insufficient", "concern", "fail")
"""From best to worst; the status of a run is the worst of its verdicts."""
GapAnswer = Literal["beyond", "within", "open"]
RelianceAnswer = Literal["shown", "excluded", "open"]
Evidence = Literal["yes", "no", "cannot tell"]
Kind = Literal["performance", "spatial", "causal", "representation"]


class Limit(Record):
    """A number that a verdict hangs on, and where it comes from."""

    name: str
    value: Finite
    origin: Literal["default", "config", "command line", "argument", "plan"]
    meaning: str


class Answer(Record):
    """What one check found. A check finds evidence; it does not judge.

    ``number`` names the metric it rests on; ``null`` is the value under "nothing to see";
    ``n_needed`` estimates how many patients in ``cell_needed`` would decide an open answer;
    ``labels_needed`` how many images of unknown attribute to label to halve the interval.
    """

    check: str
    kind: Kind
    question: str
    model: str
    finding: str
    attribute: str
    evidence: Evidence
    number: str | None
    value: Finite | None
    low: Finite | None
    high: Finite | None
    null: Finite | None
    limit: Finite | None
    limit_origin: str | None
    reason: str
    n_needed: int | None = None
    cell_needed: str | None = None
    labels_needed: int | None = None
    decides: bool = False


class Verdict(Record):
    """The judgement on one model, finding and attribute, by the table in ``docs/concepts.md``.

    Or on a limit of the plan: ``rule`` is then ``limit:<metric>``, ``group`` the group of that metric, ``limit``
    says in words which limit it is, and ``gap`` and ``reliance`` are None, for the table was not asked.
    """

    model: str
    finding: str
    attribute: str
    status: Status
    gap: GapAnswer | None
    reliance: RelianceAnswer | None
    rule: str
    sentences: tuple[str, ...]
    answers: tuple[str, ...]
    limit: str | None = None
    group: str | None = None


class Agreement(Record):
    """How the verdicts on several seeds of one model agree; ``status`` is None where they do not."""

    model: str
    finding: str
    attribute: str
    status: Status | None
    counts: dict[Status, int]
    sentence: str


class Deviation(Record):
    """What an audit asked otherwise than its plan. Images are counted here, never named."""

    what: str
    planned: str
    asked: str


class PlanRecord(Record):
    """The plan an audit was made by: which file, when it was frozen, and where the audit departs from it.

    ``reason`` is what was given with ``--allow-deviation``; there are no deviations without one.
    ``holds_values`` says whether the plan holds labels and attributes, so that a change of them is seen.
    """

    file: str
    sha256: str
    frozen: str
    intended_use: str
    deviations: tuple[Deviation, ...] = ()
    reason: str | None = None
    holds_values: bool = False

    @model_validator(mode="after")
    def _a_reason_for_every_deviation(self) -> PlanRecord:
        if self.deviations and not self.reason:
            raise ValueError("an audit that deviates from its plan needs a reason")
        return self
