"""Several seeds of one model: their mean, and how far another seed and other patients would move it.

For seeds k = 1..K with values v_k on the same films:

    mean    m = sum v_k / K
    data    the interval of m over patients, from the mean of the seeds' influences
    seeds   S^2 = sum (v_k - m)^2 / (K - 1), and t(K - 1) S / sqrt(K) as the reach of the mean

The interval of m lies the root of the sum of squares of both reaches away: MOVER for a sum of two independent
parts (Zou and Donner 2008), each with its own quantile, so that t with K - 1 degrees of freedom rules where
the seeds dominate. S holds in a little of the chance of films, for no two seeds err on the same ones: the
interval is rather too wide than too narrow.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from scipy.special import stdtrit

from shortcut_audit.audit.result.judgement import Agreement, Verdict
from shortcut_audit.audit.result.numbers import SeedMean
from shortcut_audit.audit.statistics.estimate import Contrast, Estimate, Undefined, fields
from shortcut_audit.audit.table.common_films import on_common_films
from shortcut_audit.audit.table.question import Question
from shortcut_audit.audit.table.rows import Role
from shortcut_audit.audit.versions.contrasts import AUROC, GAP, INTERVENTIONAL, ROBUST, Number, unlike_cells

NUMBERS = (AUROC, ROBUST, GAP, INTERVENTIONAL)
Term = tuple[float, Sequence[Contrast]]
"""A coefficient, and the same number of every seed of one model."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A model with all its seeds; most have one."""

    name: str
    questions: tuple[Question, ...]

    @property
    def role(self) -> Role:
        """Whether it is a control."""
        return self.questions[0].role


def arms(questions: Sequence[Question], families: Mapping[str, str]) -> list[Arm]:
    """Return the models of some questions, all seeds of one together, in order.

    Args:
        questions: of one finding and one attribute.
        families: from the name of a seed to that of its model; what is not named stands for itself.
    """
    grouped: dict[str, list[Question]] = {}
    for place, question in enumerate(questions):
        family = families.get(question.model)
        grouped.setdefault(f"family {family}" if family else f"single {place}", []).append(question)
    return [
        Arm(name=families.get(members[0].model, members[0].model), questions=tuple(members))
        for members in grouped.values()
    ]


def combine(terms: Sequence[Term], confidence: float) -> Estimate | Undefined:
    """Estimate a sum of coefficients times means over seeds; with one seed each it is the plain contrast.

    Args:
        terms: contrasts over one patient index (see :func:`on_common_films`).
        confidence: of the interval.
    """
    total = _sum(terms)
    found = total.estimate(confidence)
    if isinstance(found, Undefined):
        return found
    reach = math.hypot(*(_reach(coefficient, seeds, confidence) for coefficient, seeds in terms))
    if not reach:
        return found
    least, most = (sum(limit(c, 0.0) for c, _ in total.parts) for limit in (min, max))
    return replace(
        found,
        low=max(found.value - math.hypot(found.value - found.low, reach), least),
        high=min(found.value + math.hypot(found.high - found.value, reach), most),
        method=f"{found.method}, seeds by t",
    )


def _sum(terms: Sequence[Term]) -> Contrast:
    parts = (coefficient / len(seeds) * contrast for coefficient, seeds in terms for contrast in seeds)
    return reduce(lambda one, other: one + other, parts)


def _reach(coefficient: float, seeds: Sequence[Contrast], confidence: float) -> float:
    """Return how far the chance of the seeds reaches; 0 with one seed, of which nobody can tell."""
    if len(seeds) < 2:
        return 0.0
    quantile = float(stdtrit(len(seeds) - 1, (1 + confidence) / 2))
    return abs(coefficient) * quantile * _spread(seeds) / math.sqrt(len(seeds))


def _spread(seeds: Sequence[Contrast]) -> float:
    return float(np.std([contrast.value for contrast in seeds], ddof=1))


def seed_means(questions: Sequence[Question], families: Mapping[str, str]) -> list[SeedMean]:
    """Return the means over seeds of every model that has several, on the films that all of them scored.

    Arguments as in :func:`arms`.
    """
    return [
        _mean(arm, on_common_films(arm.questions), number)
        for arm in arms(questions, families) if len(arm.questions) > 1
        for number in NUMBERS
    ]  # fmt: skip


def _mean(arm: Arm, questions: Sequence[Question], number: Number) -> SeedMean:
    first = questions[0]
    reason = unlike_cells(number, questions)
    seeds = [first.undefined(reason)] if reason else [number.of(question) for question in questions]
    found = combine([(1.0, seeds)], first.limits.confidence)
    known = isinstance(found, Estimate)
    return SeedMean(
        model=arm.name, finding=first.finding, attribute=first.attribute, group=number.group, name=number.name,
        role=arm.role, seeds=tuple(question.model for question in questions),
        values=tuple(contrast.value for contrast in seeds) if known else (),
        seed_sd=_spread(seeds) if known else None, data_se=_sum([(1.0, seeds)]).standard_error if known else None,
        confidence=first.limits.confidence, n_pos=found.tally.n_pos, n_neg=found.tally.n_neg, **fields(found),
    )  # fmt: skip


def agreements(verdicts: Sequence[Verdict], families: Mapping[str, str]) -> list[Agreement]:
    """Return for every model of several seeds how their verdicts agree; limits of a plan are left out."""
    grouped: dict[tuple[str, str, str], list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.model in families and verdict.limit is None:
            key = (families[verdict.model], verdict.finding, verdict.attribute)
            grouped.setdefault(key, []).append(verdict)
    return [_agreement(*key, members) for key, members in grouped.items()]


def _agreement(model: str, finding: str, attribute: str, verdicts: Sequence[Verdict]) -> Agreement:
    counts = Counter(verdict.status for verdict in verdicts)
    status = next(iter(counts)) if len(counts) == 1 else None
    told = ", ".join(f"{count} {name.upper()}" for name, count in counts.most_common())
    if status:
        sentence = f"All {len(verdicts)} seeds agree: {status.upper()}."
    else:
        sentence = f"The seeds do not agree: {told}. This holds for single trainings, not for the way of training."
    return Agreement(
        model=model, finding=finding, attribute=attribute, status=status, counts=dict(counts), sentence=sentence
    )
