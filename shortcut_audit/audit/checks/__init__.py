"""The checks: one file a question asked of the scores. A check finds evidence; it does not judge."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from shortcut_audit.audit.result.judgement import Answer
from shortcut_audit.audit.result.numbers import Curve, Metric
from shortcut_audit.audit.table.question import Question
from shortcut_audit.registry import Registry

Remark = Literal["gap is not 0", "both sides"]
"""``both sides``: positives and negatives each contribute more than half the margin."""


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a check returns.

    ``p`` is the one-sided p of the null hypothesis that there is nothing to see, for Holm's correction; where
    ``sources`` could each have shown it, it is as many times that of the one that did.
    """

    answers: tuple[Answer, ...] = ()
    metrics: tuple[Metric, ...] = ()
    curves: tuple[Curve, ...] = ()
    p: float = 1.0
    sources: int = 1
    remarks: frozenset[Remark] = field(default_factory=frozenset)


class Check(Protocol):
    """A function from a question to what it found."""

    def __call__(self, question: Question, /) -> Findings:
        """Look at one question."""


CHECKS: Registry[Check] = Registry("check", "shortcut_audit.audit.checks")
