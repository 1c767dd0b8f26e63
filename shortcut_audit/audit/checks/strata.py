"""Does the ranking survive among films that are alike in a covariate, such as the target's area?"""

from __future__ import annotations

import numpy as np

from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.statistics.estimate import Contrast
from shortcut_audit.audit.statistics.metrics import auroc, pool
from shortcut_audit.audit.table.question import Question
from shortcut_audit.shapes import Floats, Ints

STRATA = 6


@CHECKS.register("strata")
def strata(question: Question) -> Findings:
    """AUROC within sextiles of each covariate, and AUROC of the target's area alone.

    ``auroc_within_strata`` weighs the sextiles by their pairs (positives x negatives), so that every pair
    compares two films of like covariate. A covariate whose name ends in ``area`` is taken as the target's
    area: ``target_area_auroc`` is what it ranks without any image.
    """
    metrics = []
    for name, covariate in question.covariates.items():
        metrics.append(question.metric("auroc_within_strata", _within(question, covariate, name), f"strata:{name}"))
        if name.endswith("area"):
            known = question.test & ~np.isnan(covariate)
            alone = question.between(
                known & question.label, known & ~question.label, f"one class has no known {name}", scores=covariate
            )
            metrics.append(question.metric("target_area_auroc", alone, f"strata:{name}"))
    return Findings(metrics=tuple(metrics))


def _within(question: Question, covariate: Floats, name: str) -> Contrast:
    known = question.test & ~np.isnan(covariate)
    if not known.any():
        return question.undefined(f"no test film has a known {name}")
    stratum = _stratum(covariate, covariate[known])
    parts, pairs = [], []
    used = np.zeros_like(known)
    for number in range(STRATA):
        inside = known & (stratum == number)
        positives, negatives = np.flatnonzero(inside & question.label), np.flatnonzero(inside & ~question.label)
        if len(positives) and len(negatives):
            parts.append(auroc(positives, negatives, question.sampling, question.ranks))
            pairs.append(len(positives) * len(negatives))
            used |= inside
    if not parts:
        return question.undefined(f"no sextile of {name} has both classes")
    pooled = pool(parts, [count / sum(pairs) for count in pairs], question.sampling)
    rows = used & question.label, used & ~question.label
    return Contrast(sampling=question.sampling, parts=((1.0, pooled),), rows=rows)


def _stratum(covariate: Floats, known: Floats) -> Ints:
    """Return (N,) the sextile of each row, cut at quantiles of the known values."""
    cuts = np.quantile(known, np.arange(1, STRATA) / STRATA)
    return np.searchsorted(cuts, covariate, side="right").astype(np.int64)
