"""Does a bootstrap of patients confirm the analytic intervals?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.statistics.bootstrap import auroc_statistic, percentile_limits, replicate, resample
from shortcut_audit.audit.statistics.estimate import Contrast, Estimate, Undefined
from shortcut_audit.audit.statistics.metrics import Auroc, Part
from shortcut_audit.audit.table.question import Question
from shortcut_audit.audit.versions.contrasts import aligned_auroc, robust_auroc
from shortcut_audit.shapes import Floats, Ints

REPLICATES = 1000
MOST_ROWS = 20_000
"""Test rows above which it is left out: with many questions it would take minutes."""
NO_WIDTH = 1e-12


@CHECKS.register("cross_check")
def cross_check(question: Question) -> Findings:
    """Does a bootstrap of patients confirm the analytic intervals?

    AUROC, robust AUROC, aligned AUROC and gap once more, each with the percentile interval of a stratified
    patient bootstrap (1,000 replicates, fixed seed; strata: the classes, of the other numbers the cells). It
    shares nothing with the analytic interval but the scores. It decides nothing.
    """
    known = question.test & ~np.isnan(question.values)
    classes = np.where(question.test, question.label, -1)
    cells = np.where(known, 2 * question.label + (question.values == 1), -1)
    of_cells = {
        ("robust_auroc", "robust"): robust_auroc(question),
        ("aligned_auroc", "aligned"): aligned_auroc(question),
        ("auroc_gap", "all"): question.gap(),
    }
    overall = {("auroc", "all"): question.overall}
    return Findings(metrics=(*_metrics(question, classes, overall), *_metrics(question, cells, of_cells)))


def _metrics(question: Question, strata: Ints, numbers: Mapping[tuple[str, str], Contrast]) -> Iterator[Metric]:
    reasons = {key: contrast.reason or _left_out(question, contrast) for key, contrast in numbers.items()}
    parts = {id(part): part for key, contrast in numbers.items() if reasons[key] is None for _, part in contrast.parts}
    areas = _areas(question, strata, parts)
    for (name, group), contrast in numbers.items():
        reason = reasons[name, group]
        found = (
            _estimate(question, contrast, areas)
            if reason is None else Undefined(reason=reason, tally=contrast.tally)
        )  # fmt: skip
        yield question.record(f"{name}_by_bootstrap", found, group)


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


def _areas(question: Question, strata: Ints, parts: Mapping[int, Part]) -> dict[int, Floats]:
    """Return (B,) AUROCs of each part; all of them see the same samples of patients."""
    if not parts:
        return {}
    plan = resample(question.sampling, strata, replicates=REPLICATES)
    statistics = []
    for part in parts.values():
        assert isinstance(part, Auroc)
        statistics.append(auroc_statistic(part.positives, part.negatives, question.sampling, question.score, plan))
    return dict(zip(parts, replicate(plan, statistics).T, strict=True))


def _estimate(question: Question, contrast: Contrast, areas: Mapping[int, Floats]) -> Estimate | Undefined:
    replicates: Floats = np.sum([factor * areas[id(part)] for factor, part in contrast.parts], axis=0)
    if not np.isfinite(replicates).all():
        return Undefined(reason="a sample of the patients lacks one side", tally=contrast.tally)
    if np.ptp(replicates) < NO_WIDTH:
        return Undefined(reason="all samples of the patients give the same number", tally=contrast.tally)
    low, high = percentile_limits(replicates, question.limits.confidence, _fewest(contrast))
    value = contrast.value
    unit = "clustered by patient" if question.sampling.unit == "patient" else "each image its own cluster"
    return Estimate(
        value=value, low=min(low, value), high=max(high, value), confidence=question.limits.confidence,
        tally=contrast.tally,
        method=f"{unit}, stratified bootstrap, {REPLICATES} replicates, expanded percentiles",
    )  # fmt: skip
