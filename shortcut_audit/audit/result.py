"""The audit result: what was asked, what was found, with every number beside its n and interval.

This module is the contract of ``audit.json`` (schema 1). It knows neither torch nor images, so that
a result can be read, checked and rendered anywhere. ``tests/golden/audit.schema.json`` is the JSON
schema of :class:`AuditResult`; a test keeps the two equal.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from shortcut_audit.errors import OutputError
from shortcut_audit.provenance import Provenance, write_atomic

SCHEMA = 1

Status = Literal["pass", "insufficient", "concern", "fail"]
SEVERITY: tuple[Status, ...] = ("pass", "insufficient", "concern", "fail")
"""From best to worst; the status of a run is the worst of its verdicts."""
GapAnswer = Literal["beyond", "within", "open"]
RelianceAnswer = Literal["shown", "excluded", "open"]
Evidence = Literal["yes", "no", "cannot tell"]
Kind = Literal["performance", "spatial", "causal", "representation"]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Metric(_Record):
    """One number with its interval and counts, or None with the reason why it is not defined.

    ``group`` is one of ``all``, ``robust``, ``aligned``, ``within:<value>``, ``label:<0|1>``,
    ``cell:<label>:<value>``, ``pair:<value of positives>:<value of negatives>``,
    ``labels:<sensitivity>:<specificity>`` of the attribute's labels,
    ``footprint:<name>``, ``strata:<name>``, ``covariate:<label>:<name>``, ``groups:<name>``,
    ``subgroup:<name>=<value>,...``. Names are listed in ``docs/concepts.md``.
    ``role`` is ``control`` where ``model`` is something printed to put the others into proportion
    (lesion area alone, a model trained on permuted labels): it gets no verdict.
    """

    model: str
    finding: str
    attribute: str
    group: str
    name: str
    value: Finite | None
    low: Finite | None
    high: Finite | None
    confidence: Finite = 0.95
    n: int
    n_pos: int
    n_neg: int
    n_patients: int
    method: str
    reason: str | None = None
    q: Literal["p(a|y=0)", "p(a|y=1)"] | None = None
    role: Literal["model", "control"] = "model"

    @model_validator(mode="after")
    def _value_or_reason(self) -> Metric:
        if (self.value is None) == (self.reason is None):
            raise ValueError(f"metric '{self.name}' must have either a value or a reason")
        if self.value is None and (self.low is not None or self.high is not None):
            raise ValueError(f"metric '{self.name}' is undefined but has an interval")
        return self


class Comparison(_Record):
    """A paired difference ``model - other`` of one metric on the same films."""

    model: str
    other: str
    finding: str
    attribute: str
    name: str
    value: Finite | None
    low: Finite | None
    high: Finite | None
    confidence: Finite = 0.95
    n: int
    n_patients: int
    method: str
    reason: str | None = None


class SeedMean(_Record):
    """A number's mean over several seeds of one model, on the films that all of them scored.

    ``seeds`` are the models it is a mean of, ``values`` their numbers. ``seed_sd`` is the standard deviation
    between them (what another initialisation changes), ``data_se`` the standard error of the mean over
    patients (what other patients change); the interval accounts for both.
    """

    model: str
    finding: str
    attribute: str
    group: str
    name: str
    seeds: tuple[str, ...]
    values: tuple[Finite, ...]
    value: Finite | None
    low: Finite | None
    high: Finite | None
    confidence: Finite = 0.95
    seed_sd: Finite | None
    data_se: Finite | None
    n: int
    n_pos: int
    n_neg: int
    n_patients: int
    method: str
    reason: str | None = None
    role: Literal["model", "control"] = "model"


class Agreement(_Record):
    """How the verdicts on several seeds of one model agree; ``status`` is None where they do not."""

    model: str
    finding: str
    attribute: str
    status: Status | None
    counts: dict[Status, int]
    sentence: str


class CurvePoint(_Record):
    """One point of a curve with its interval."""

    x: Finite
    value: Finite
    low: Finite
    high: Finite


class Curve(_Record):
    """A number as a function of another one, with a band; no points and the reason where it is not defined.

    ``x_name`` says in words what runs along the horizontal axis. At most 101 points.
    """

    model: str
    finding: str
    attribute: str
    name: str
    x_name: str
    points: tuple[CurvePoint, ...]
    confidence: Finite = 0.95
    n: int
    n_patients: int
    method: str
    reason: str | None = None

    @model_validator(mode="after")
    def _points_or_reason(self) -> Curve:
        if bool(self.points) == (self.reason is not None):
            raise ValueError(f"curve '{self.name}' must have either points or a reason")
        return self


class OperatingPoint(_Record):
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
        if (self.threshold is None) == (self.reason is None):
            raise ValueError(f"the operating point of '{self.model}' must have either a threshold or a reason")
        return self


class Population(_Record):
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


class Limit(_Record):
    """A number that a verdict hangs on, and where it comes from."""

    name: str
    value: Finite
    origin: Literal["default", "config", "command line", "plan"]
    meaning: str


class Answer(_Record):
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


class Verdict(_Record):
    """The judgement on one model, finding and attribute, by the table in ``docs/concepts.md``.

    Or on a limit of the plan: ``rule`` is then ``limit:<metric>``, ``limit`` says in words which limit it is,
    and ``gap`` and ``reliance`` are None, for the table was not asked.
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


class Deviation(_Record):
    """What an audit asked otherwise than its plan. Test ids are counted here, never named."""

    what: str
    planned: str
    asked: str


class PlanRecord(_Record):
    """The plan an audit was made by: which file, when it was frozen, and where the audit departs from it.

    ``reason`` is what was given with ``--allow-deviation``; there are no deviations without one.
    """

    file: str
    sha256: str
    frozen: str
    intended_use: str
    deviations: tuple[Deviation, ...] = ()
    reason: str | None = None

    @model_validator(mode="after")
    def _a_reason_for_every_deviation(self) -> PlanRecord:
        if self.deviations and not self.reason:
            raise ValueError("an audit that deviates from its plan needs a reason")
        return self


class CellCount(_Record):
    """Images and patients of one cell label x attribute."""

    finding: str
    attribute: str
    label: Literal[0, 1]
    value: str
    images: int
    patients: int


class Shift(_Record):
    """How one model scored the same film with and without the attribute."""

    model: str
    score_with: Finite
    score_without: Finite
    threshold: Finite | None
    flips: bool


class Layer(_Record):
    """One picture layer of an example, as a data URI (PNG or WebP, already small).

    ``image`` is the case as it is; ``image_with`` and ``image_without`` are the same image with the
    attribute switched on or off, of which the one that ``image`` already is may be left out. The others
    lie over the image: heat map in colour on black, outlines and mask in colour on nothing (RGBA).
    """

    kind: Literal["image", "image_with", "image_without", "heatmap", "finding", "footprint", "predicted"]
    label: str
    uri: str


class Example(_Record):
    """One case of the gallery: a case number, never an id."""

    case: str
    finding: str
    attribute: str
    label: Literal[0, 1]
    value: str
    chosen_because: str
    shifts: tuple[Shift, ...]
    layers: tuple[Layer, ...]


class Reread(_Record):
    """Cases to read again: the fewest labels of negatives that, if they were wrong, would undo a FAIL.

    Case numbers, never ids; ``cases.csv`` has the ids, the highest score first.
    """

    model: str
    finding: str
    attribute: str
    cases: tuple[str, ...]


class Counts(_Record):
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


class AuditResult(_Record):
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
