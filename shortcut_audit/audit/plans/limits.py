"""Limits of a plan or a policy: verdicts of their own on any number of the audit.

FAIL where the whole interval misses the limit, PASS where it holds it, else INSUFFICIENT. A limit says
nothing about the cause, and does not touch the table of gap and reliance.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from shortcut_audit.audit.plans.planning import patients_by_scaling
from shortcut_audit.audit.result.judgement import Answer, Evidence, Limit, Status, Verdict
from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.result.record import Finite
from shortcut_audit.audit.wording import number
from shortcut_audit.errors import UsageError, did_you_mean

Source = Literal["plan", "policy"]
OF_CHANCE = ("gap_permuted", "gap_permuted_p")
"""Numbers whose ends are no confidence interval."""
Subject = tuple[str, str, str]
"""Model, finding, attribute."""
STATUS: dict[Evidence, Status] = {"yes": "pass", "no": "fail", "cannot tell": "insufficient"}
FIRST: dict[Status, str] = {
    "pass": "A limit of the {source} is held.",
    "fail": "A limit of the {source} is missed.",
    "insufficient": "We cannot tell whether a limit of the {source} is held.",
}


class MetricLimit(BaseModel):
    """What one number is to be: at least, or at most, so much; of every model asked about unless one is named."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str
    group: str | None = None
    at_least: Finite | None = None
    at_most: Finite | None = None
    model: str | None = None
    finding: str | None = None
    attribute: str | None = None

    @model_validator(mode="after")
    def _one_side(self) -> MetricLimit:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError(f"the limit on '{self.metric}' needs one of at_least and at_most (a range is two limits)")
        return self

    @property
    def value(self) -> float:
        """The limit itself."""
        return self.at_most if self.at_least is None else self.at_least  # type: ignore[return-value]

    @property
    def side(self) -> str:
        """``at least`` or ``at most``."""
        return "at most" if self.at_least is None else "at least"

    @property
    def number(self) -> str:
        """The number it is about, in words."""
        return f"{self.metric} ({self.group})" if self.group else self.metric

    def covers(self, subject: Subject) -> bool:
        """Return whether the limit is about this model, finding and attribute."""
        named = (self.model, self.finding, self.attribute)
        return all(name in {None, found} for name, found in zip(named, subject, strict=True))

    def recorded(self, origin: Literal["plan"]) -> Limit:
        """Return the limit as the list of all limits shows it."""
        missed = "above" if self.at_least is None else "below"
        only = [name for name in (self.model, self.finding, self.attribute) if name]
        about = f" ({', '.join(only)} only)" if only else ""
        meaning = f"{self.side} so much{about}: FAIL where the whole interval lies {missed} it"
        return Limit(name=f"limit:{self.number}", value=self.value, origin=origin, meaning=meaning)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A limit's verdict with the answer it rests on."""

    verdict: Verdict
    answer: Answer


def refuse_unknown(limits: Iterable[MetricLimit], known: Collection[str], *, where: str) -> None:
    """Raise UsageError if a limit is set on a number that no audit gives, or on one that says what chance does."""
    for limit in limits:
        if limit.metric in OF_CHANCE:
            raise UsageError(
                f"{where}: a limit is set on '{limit.metric}', which says what chance does and has no confidence "
                "interval to judge; set it on 'auroc_gap'"
            )
        if limit.metric not in known:
            raise UsageError(
                f"{where}: a limit is set on '{limit.metric}', and no number is called so"
                f"{did_you_mean(limit.metric, known)}; docs/concepts.md lists all of them"
            )


def judge_limits(
    limits: Sequence[MetricLimit], metrics: Iterable[Metric], subjects: Sequence[Subject], *, source: Source
) -> list[Judged]:
    """Judge every limit for every model, finding and attribute that it is about.

    Args:
        limits: of the plan or of the policy.
        metrics: all numbers of the audit; one of no attribute counts for all.
        subjects: what was asked about; controls are left out.
        source: where the limits stand, for words.

    Raises:
        UsageError: a model, finding, attribute or group that the audit does not have; a number of several
            groups without one.
    """
    by_name: dict[tuple[str, str, str, str], list[Metric]] = {}
    for metric in metrics:
        by_name.setdefault((metric.model, metric.finding, metric.attribute, metric.name), []).append(metric)
    judged = []
    for limit in limits:
        about = [subject for subject in subjects if limit.covers(subject)]
        if not about:
            raise _nobody(limit, subjects, source)
        found = {
            subject: by_name.get((*subject, limit.metric)) or by_name.get((*subject[:2], "", limit.metric), [])
            for subject in about
        }
        _check_groups(limit, [metric for metrics in found.values() for metric in metrics], source)
        judged += [one for subject in about for one in _judge(limit, subject, found[subject], source)]
    return judged


def _nobody(limit: MetricLimit, subjects: Sequence[Subject], source: Source) -> UsageError:
    have = [dict.fromkeys(column) for column in zip(*subjects, strict=True)] or [{}, {}, {}]
    for kind, name, known in zip(("model", "finding", "attribute"), (limit.model, limit.finding, limit.attribute),
                                 have, strict=True):  # fmt: skip
        if name is not None and name not in known:
            return UsageError(
                f"the limit of the {source} on '{limit.metric}' names the {kind} '{name}', which is not asked about"
                f"{did_you_mean(name, known)}; there are: {', '.join(known) or 'none'}"
            )
    return UsageError(f"the limit of the {source} on '{limit.metric}' names a model, a finding and an attribute "
                      "that are never asked about together")  # fmt: skip


def _check_groups(limit: MetricLimit, found: Sequence[Metric], source: Source) -> None:
    groups = list(dict.fromkeys(metric.group for metric in found))
    if limit.group is None and len(groups) > 1:
        raise UsageError(
            f"the limit of the {source} on '{limit.metric}' must say which group; there are: {', '.join(groups)}"
        )
    if limit.group is not None and groups and limit.group not in groups:
        raise UsageError(
            f"the limit of the {source} on '{limit.metric}' names the group '{limit.group}'"
            f"{did_you_mean(limit.group, groups)}; there are: {', '.join(groups)}"
        )


def _judge(limit: MetricLimit, subject: Subject, metrics: Sequence[Metric], source: Source) -> list[Judged]:
    """Return one verdict, or one for each reading of a number that has several (``q``)."""
    chosen: list[Metric | None] = [metric for metric in metrics if limit.group in {None, metric.group}]
    return [_verdict(limit, subject, metric, source) for metric in chosen or [None]]


def _verdict(limit: MetricLimit, subject: Subject, metric: Metric | None, source: Source) -> Judged:
    evidence, reason = _evidence(limit, metric)
    needed = _needed(limit, metric) if evidence == "cannot tell" else None
    status = STATUS[evidence]
    name = f"{limit.number}, q = {metric.q}" if metric and metric.q else limit.number
    words = f"{name} {limit.side} {limit.value:g}"
    model, finding, attribute = subject
    answer = Answer(
        check="limit", kind="performance", question=f"Is {name} {limit.side} {limit.value:g}?", model=model,
        finding=finding, attribute=attribute, evidence=evidence, number=limit.metric,
        value=metric.value if metric else None, low=metric.low if metric else None,
        high=metric.high if metric else None, null=None, limit=limit.value, limit_origin=source, reason=reason,
        n_needed=needed, decides=True,
    )  # fmt: skip
    verdict = Verdict(
        model=model, finding=finding, attribute=attribute, status=status, gap=None, reliance=None,
        rule=f"limit:{limit.metric}", limit=words, group=metric.group if metric else limit.group, answers=("limit",),
        sentences=(FIRST[status].format(source=source), _second(name, limit, metric, reason), _third(status, needed)),
    )  # fmt: skip
    return Judged(verdict=verdict, answer=answer)


def _evidence(limit: MetricLimit, metric: Metric | None) -> tuple[Evidence, str]:
    if metric is None or metric.value is None:
        return "cannot tell", (metric.reason if metric else None) or "this audit has no such number"
    if metric.low is None or metric.high is None:
        return "cannot tell", "the number has no interval"
    low, high = metric.low - limit.value, metric.high - limit.value
    worse, better = (low, high) if limit.at_least is not None else (-high, -low)
    if worse >= 0:
        return "yes", "the whole interval holds the limit"
    if better < 0:
        return "no", "the whole interval misses the limit"
    return "cannot tell", "the interval covers the limit"


def _needed(limit: MetricLimit, metric: Metric | None) -> int | None:
    if metric is None or metric.value is None or metric.low is None or metric.high is None:
        return None
    return patients_by_scaling(
        metric.n_patients, half=(metric.high - metric.low) / 2, distance=metric.value - limit.value,
        confidence=metric.confidence,
    )  # fmt: skip


def _second(name: str, limit: MetricLimit, metric: Metric | None, reason: str) -> str:
    wanted = f"{name} is to be {limit.side} {limit.value:g}; it is"
    if metric is None or metric.value is None:
        return f"{wanted} not computed ({reason})."
    if metric.low is None or metric.high is None:
        return f"{wanted} {number(metric.value)}, without an interval."
    ends = f"{100 * metric.confidence:g} % CI {number(metric.low)} to {number(metric.high)}"
    return f"{wanted} {number(metric.value)} ({ends}; {metric.n_patients} patients): {reason}."


def _third(status: Status, needed: int | None) -> str:
    if status == "insufficient":
        return f"About {needed} patients would decide. This is not a pass." if needed else "This is not a pass."
    return "A limit says nothing about the cause."
