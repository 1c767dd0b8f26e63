"""Numbers with intervals: sums of AUROCs or of proportions, on the logit scale or by MOVER.

One AUROC: logit scale with a t quantile (Satterthwaite), and half a patient more of the smaller class, who
scores like one of the other class (as Anscombe 1956 adds one half to counts before their logit): where a few
patients carry the variance, a draw without them looks better and surer at once. Where n A (1 - A) is under 2
(n patients of the smaller class; A of 0 and 1 included), or the variance is 0, the wider of that and
Clopper-Pearson on n patients. A proportion: the same on its own n patients without the half, since its
variance follows from its value. Sums: MOVER (Zou and Donner 2008; more than two parts: Zou, Huang and Zhang
2009) from the limits of the parts and their correlations over patients. No interval has zero width.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from scipy.special import betaincinv, expit, logit, stdtrit

from shortcut_audit.audit.statistics.metrics import Part, Sampling, count_patients, dot
from shortcut_audit.shapes import Bools, Floats

ZERO_VARIANCE = 1e-20
"""Below this a variance is rounding error."""
SMALLEST_P = 1e-12
LEAST_SHARE = 1e-3
Limits = tuple[float, float]
Place = Literal["beyond", "within", "across"]


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Images and patients that a number rests on."""

    n_pos: int
    n_neg: int
    n_patients: int

    @property
    def n(self) -> int:
        """Images."""
        return self.n_pos + self.n_neg


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A finite number with its interval."""

    value: float
    low: float
    high: float
    confidence: float
    tally: Tally
    method: str

    def against(self, margin: float) -> Place:
        """Return where the interval lies to plus or minus ``margin``."""
        if self.low > margin or self.high < -margin:
            return "beyond"
        return "within" if -margin < self.low and self.high < margin else "across"


@dataclass(frozen=True, kw_only=True)
class Undefined:
    """Why a number does not exist, with the same counts."""

    reason: str
    tally: Tally


def fields(found: Estimate | Undefined) -> dict[str, Any]:
    """Return a number as the fields that records of ``audit.json`` share."""
    number: dict[str, Any]
    if isinstance(found, Undefined):
        number = {"value": None, "low": None, "high": None, "method": "none", "reason": found.reason}
    else:
        number = {
            "value": found.value, "low": found.low, "high": found.high, "method": found.method, "reason": None
        }  # fmt: skip
    return {**number, "n": found.tally.n, "n_patients": found.tally.n_patients}


@dataclass(frozen=True, kw_only=True, eq=False)
class Contrast:
    """A sum of coefficients times AUROCs or proportions over one patient index, or the reason why there is none.

    Written as on paper: ``gap = a10 - a01``, ``positive_side = 0.5 * (a10 - a00 + a11 - a01)``.
    What rests on an undefined part is undefined for the same reason. ``rows`` (N,), (N,) are the positives
    and the negatives that it rests on.
    """

    sampling: Sampling
    rows: tuple[Bools, Bools]
    parts: tuple[tuple[float, Part], ...] = ()
    reason: str | None = None

    def __add__(self, other: Contrast) -> Contrast:
        reason = self.reason or other.reason
        parts = () if reason else _merge(self.parts + other.parts)
        rows = self.rows[0] | other.rows[0], self.rows[1] | other.rows[1]
        return Contrast(sampling=self.sampling, parts=parts, reason=reason, rows=rows)

    def __rmul__(self, factor: float) -> Contrast:
        parts = tuple((factor * coefficient, part) for coefficient, part in self.parts)
        return Contrast(sampling=self.sampling, parts=parts, reason=self.reason, rows=self.rows)

    def __sub__(self, other: Contrast) -> Contrast:
        return self + -1.0 * other

    @property
    def tally(self) -> Tally:
        """Images and patients, each counted once."""
        positives, negatives = self.rows
        patients = count_patients(np.flatnonzero(positives | negatives), self.sampling)
        return Tally(n_pos=int(positives.sum()), n_neg=int(negatives.sum()), n_patients=patients)

    @property
    def value(self) -> float:
        """The sum; call it only where ``reason`` is None."""
        return float(sum(coefficient * part.value for coefficient, part in self.parts))

    @cached_property
    def influence(self) -> Floats:
        """(P,), how much each patient moves the sum."""
        total: Floats = np.sum([coefficient * part.influence for coefficient, part in self.parts], axis=0)
        return total

    @cached_property
    def standard_error(self) -> float:
        """Standard error over patients."""
        return float(np.sqrt(dot(self.influence, self.influence)))

    @cached_property
    def _shares(self) -> dict[int, float]:
        """Correlation of each part (by ``id``) with the sum."""
        return {
            id(part): dot(part.influence, self.influence) / (np.sqrt(part.variance) * self.standard_error)
            for _, part in self.parts if part.variance >= ZERO_VARIANCE
        }  # fmt: skip

    @cached_property
    def _correlations(self) -> Floats:
        influences = np.array([part.influence for _, part in self.parts])
        covariance = np.einsum("kp,lp->kl", influences, influences)
        scale = np.sqrt(np.diag(covariance))
        known = scale > np.sqrt(ZERO_VARIANCE)
        scale = np.where(known, scale, 1.0)
        correlations: Floats = covariance / np.outer(scale, scale)
        correlations[~known] = correlations[:, ~known] = 0.0
        np.fill_diagonal(correlations, 1.0)
        return correlations

    def limits(self, confidence: float) -> Limits:
        """Return the two-sided interval, cut at what the sum can be."""
        if len(self.parts) == 1:
            ((coefficient, part),) = self.parts
            low, high = sorted(coefficient * limit for limit in part_limits(part, confidence))
            return low, high
        coefficients = [coefficient for coefficient, _ in self.parts]
        low = self.value - self._distance(-1, confidence)
        high = self.value + self._distance(1, confidence)
        return max(low, sum(min(c, 0.0) for c in coefficients)), min(high, sum(max(c, 0.0) for c in coefficients))

    def _distance(self, direction: int, confidence: float) -> float:
        """Return how far the limit below (-1) or above (+1) lies: the root of sum_kl r_kl d_k d_l.

        d_k is c_k times the reach of part k. In MOVER the reach is the whole distance to the part's own
        limit. That is right for independent parts; for strongly correlated ones (the same film with and
        without the attribute) it is too wide, because the parts move together and neither comes near its
        own limit. Ours: the part is followed as far as the sum takes it, rho_k of the way (rho_k: its
        correlation with the sum), and the distance covered is divided by rho_k. Independent parts come
        close to MOVER, rho_k -> 0 gives the standard error. Scarce parts keep MOVER's own reach.
        """
        if self.standard_error**2 < ZERO_VARIANCE:
            # No patient moved the sum: what 0 of n patients leaves open.
            return clopper_pearson(0, min(part.smaller for _, part in self.parts), confidence)[1]
        signed = np.array([c * self._reach(c, part, direction, confidence) for c, part in self.parts])
        return float(np.sqrt(max(signed @ self._correlations @ signed, 0.0)))

    def _reach(self, coefficient: float, part: Part, direction: int, confidence: float) -> float:
        if _needs_exact(part):
            low, high = part_limits(part, confidence)
            return part.value - low if direction * coefficient < 0 else high - part.value
        rho = self._shares[id(part)]
        share = max(abs(rho), LEAST_SHARE)
        low, high = _logit_limits(part, confidence, share)
        return (part.middle - low if direction * rho < 0 else high - part.middle) / share

    def estimate(self, confidence: float) -> Estimate | Undefined:
        """Return the value with its interval, or the reason why there is none."""
        if self.reason is not None:
            return Undefined(reason=self.reason, tally=self.tally)
        low, high = self.limits(confidence)
        return Estimate(
            value=self.value, low=low, high=high, confidence=confidence, tally=self.tally, method=self._method()
        )

    def _method(self) -> str:
        said = [self.sampling.clustering, "logit, t"]
        if len(self.parts) > 1:
            said.append("MOVER")
        if any(_needs_exact(part) for _, part in self.parts):
            said.append("Clopper-Pearson where wider")
        return ", ".join(said)

    def p_beyond(self, margin: float) -> float:
        """Return the one-sided p of H0: abs(sum) <= margin, by inverting the interval; 1 if within."""
        if self.reason is not None or abs(self.value) <= margin:
            return 1.0
        sign = 1.0 if self.value > 0 else -1.0

        def clear(tail: float) -> bool:
            low, high = self.limits(1 - 2 * tail)
            return (low if sign > 0 else -high) > margin

        small, large = np.log(SMALLEST_P), np.log(0.499)
        if clear(SMALLEST_P):
            return SMALLEST_P
        for _ in range(40):
            middle = (small + large) / 2
            small, large = (small, middle) if clear(float(np.exp(middle))) else (middle, large)
        return float(np.exp(large))


def _merge(parts: tuple[tuple[float, Part], ...]) -> tuple[tuple[float, Part], ...]:
    """Add the coefficients of parts that occur twice; leave out those that cancel."""
    coefficients: dict[int, float] = {}
    for coefficient, part in parts:
        coefficients[id(part)] = coefficients.get(id(part), 0.0) + coefficient
    unique = {id(part): part for _, part in parts}
    return tuple((coefficient, unique[key]) for key, coefficient in coefficients.items() if coefficient)


def part_limits(part: Part, confidence: float) -> Limits:
    """Return the interval of one AUROC or proportion, as in the module's docstring."""
    found: list[Limits] = []
    if _needs_exact(part):
        found.append(clopper_pearson(part.value * part.smaller, part.smaller, confidence))
    if 0 < part.value < 1 and part.df > 0 and part.variance >= ZERO_VARIANCE:
        found.append(_logit_limits(part, confidence, 1.0))
    return min(low for low, _ in found), max(high for _, high in found)


def _logit_limits(part: Part, confidence: float, share: float) -> Limits:
    quantile = share * float(stdtrit(part.df, (1 + confidence) / 2))
    half = quantile * np.sqrt(part.spread) / (part.middle * (1 - part.middle))
    centre = logit(part.middle)
    return float(expit(centre - half)), float(expit(centre + half))


def _needs_exact(part: Part) -> bool:
    scarce = part.smaller * part.value * (1 - part.value) < 2
    return scarce or part.variance < ZERO_VARIANCE or part.df <= 0


def clopper_pearson(successes: float, n: int, confidence: float) -> Limits:
    """Return the exact binomial interval; ``successes`` need not be whole."""
    tail = (1 - confidence) / 2
    low = 0.0 if successes <= 0 else float(betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes >= n else float(betaincinv(successes + 1, n - successes, 1 - tail))
    return low, high
