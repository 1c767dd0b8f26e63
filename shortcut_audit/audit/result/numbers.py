"""The numbers of an audit: metrics, differences, means over seeds, curves."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from shortcut_audit.audit.result.record import Finite, Record, need_one


class Metric(Record):
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
        need_one(f"metric '{self.name}' must have either a value", known=self.value is not None, reason=self.reason)
        if self.value is None and (self.low is not None or self.high is not None):
            raise ValueError(f"metric '{self.name}' is undefined but has an interval")
        return self


class Comparison(Record):
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


class SeedMean(Record):
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


class CurvePoint(Record):
    """One point of a curve with its interval."""

    x: Finite
    value: Finite
    low: Finite
    high: Finite


class Curve(Record):
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
        need_one(f"curve '{self.name}' must have either points", known=bool(self.points), reason=self.reason)
        return self
