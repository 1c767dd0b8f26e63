"""Numbers of a question once more, with the interval of a stratified bootstrap of patients.

Anything made of AUROCs and of shares. It shares no formula with the analytic interval of the same number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from shortcut_audit.audit.measures.rates import Proportion
from shortcut_audit.audit.statistics.bootstrap import (
    Resampling,
    Statistic,
    auroc_statistic,
    joint_level,
    percentile_limits,
    replicate,
    resample,
    share_statistic,
)
from shortcut_audit.audit.statistics.estimate import Contrast, Estimate, Undefined
from shortcut_audit.audit.statistics.metrics import Auroc, Part
from shortcut_audit.audit.statistics.simultaneous import joint_tally
from shortcut_audit.audit.table.question import Question
from shortcut_audit.shapes import Floats, Ints

REPLICATES = 1000
MOST_ROWS = 20_000
"""Test rows above which it is left out: with many questions it would take minutes."""
MOST_LACKING = 0.01
"""Share of samples that may lack one side of a small group; they are left out of the joint intervals."""
NO_WIDTH = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class Resampled:
    """Samples of the patients of a question, and the parts of numbers in each of them.

    ``parts`` has (B,) the replicates of each part by its ``id``; all of them see the same samples.
    """

    question: Question
    stratified: bool
    parts: Mapping[int, Floats]

    def estimate(self, contrast: Contrast) -> Estimate | Undefined:
        """Return a number with its percentile interval, or why there is none."""
        reason = contrast.reason or _left_out(self.question, contrast)
        if reason:
            return Undefined(reason=reason, tally=contrast.tally)
        drawn = self._replicates(contrast)
        if not np.isfinite(drawn).all():
            return Undefined(reason="a sample of the patients lacks one side", tally=contrast.tally)
        if np.ptp(drawn) < NO_WIDTH:
            return Undefined(reason="all samples of the patients give the same number", tally=contrast.tally)
        confidence, value = self.question.limits.confidence, contrast.value
        low, high = percentile_limits(drawn, confidence, _fewest(contrast))
        return Estimate(
            value=value, low=min(low, value), high=max(high, value), confidence=confidence, tally=contrast.tally,
            method=f"{self._method}, {REPLICATES} replicates, expanded percentiles",
        )  # fmt: skip

    def lowest(self, groups: Mapping[str, Contrast]) -> Estimate | Undefined:
        """Return the lowest of several groups, between the lowest limits of intervals that hold together."""
        used = {name: one for name, one in groups.items() if not (one.reason or _left_out(self.question, one))}
        tally = joint_tally(list(used.values()) or list(groups.values()))
        if not used:
            name, first = next(iter(groups.items()))
            why = first.reason or _left_out(self.question, first)
            return Undefined(reason=f"none of {len(groups)} groups has a value ({name}: {why})", tally=tally)
        drawn = np.stack([self._replicates(one) for one in used.values()], axis=1)
        whole = np.isfinite(drawn).all(axis=1)
        if (~whole).mean() > MOST_LACKING:
            return Undefined(reason="too many samples of the patients lack one side of a group", tally=tally)
        confidence = self.question.limits.confidence
        level = joint_level(drawn[whole], confidence) if len(used) > 1 else confidence
        columns = zip(drawn[whole].T, used.values(), strict=True)
        lows, highs = zip(*(percentile_limits(one, level, _fewest(group)) for one, group in columns), strict=True)
        name, value = min(((name, one.value) for name, one in used.items()), key=lambda found: found[1])
        low, high = min(*lows, value), max(min(highs), value)
        if high - low < NO_WIDTH:
            return Undefined(reason="all samples of the patients give the same number", tally=tally)
        return Estimate(
            value=value, low=low, high=high, confidence=confidence, tally=tally,
            method=f"lowest of {len(used)} groups ({name}), {self._method}, {int(whole.sum())} replicates, expanded "
            "percentiles that hold for all groups at once",
        )  # fmt: skip

    def _replicates(self, contrast: Contrast) -> Floats:
        drawn: Floats = np.sum([factor * self.parts[id(part)] for factor, part in contrast.parts], axis=0)
        return drawn

    @property
    def _method(self) -> str:
        return f"{self.question.sampling.clustering}, {'stratified ' if self.stratified else ''}bootstrap"


def resampled(question: Question, codes: Ints, contrasts: Iterable[Contrast]) -> Resampled:
    """Draw patients, as many in each stratum as there are, and compute the parts of some numbers in each sample.

    Args:
        question: whose patients and scores are used.
        codes: (N,) class or cell of each row, -1 where a row is in none; patients of the same ones are a stratum.
        contrasts: the numbers; those that are undefined or left out need no replicates.
    """
    wanted = [one for one in contrasts if not (one.reason or _left_out(question, one))]
    parts = {id(part): part for one in wanted for _, part in one.parts}
    stratified = len(np.unique(codes[codes >= 0])) > 1
    if not parts:
        return Resampled(question=question, stratified=stratified, parts={})
    plan = resample(question.sampling, codes, replicates=REPLICATES)
    drawn = replicate(plan, [_statistic(question, part, plan) for part in parts.values()])
    return Resampled(question=question, stratified=stratified, parts=dict(zip(parts, drawn.T, strict=True)))


def _statistic(question: Question, part: Part, plan: Resampling) -> Statistic:
    if isinstance(part, Proportion):
        return share_statistic(part.rows, part.hits, question.sampling, plan)
    assert isinstance(part, Auroc)
    return auroc_statistic(part.positives, part.negatives, question.sampling, question.score, plan)


def _left_out(question: Question, contrast: Contrast) -> str | None:
    """Return why a number that is defined is not bootstrapped, None if it is."""
    rows, least = int(question.test.sum()), question.limits.min_cell_patients
    if rows > MOST_ROWS:
        return f"{rows} test images, more than the {MOST_ROWS} up to which it is bootstrapped"
    patients = _fewest(contrast)
    # Expanded percentiles need two patients even where fewer were allowed.
    if patients < max(least, 2):
        return f"{patients} patients on one side, too few for a bootstrap (under {max(least, 2)})"
    return None


def _fewest(contrast: Contrast) -> int:
    return min(part.smaller for _, part in contrast.parts)
