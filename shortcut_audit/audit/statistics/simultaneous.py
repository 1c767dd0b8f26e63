"""Intervals that hold for all groups at once, and the worst group.

The smallest of several estimates is biased low, and an interval for it alone, as if it had been chosen
beforehand, is wrong. With probability 1 - alpha all true values lie in intervals whose critical value is the
quantile of the largest abs(z) over the groups, z normal with the groups' correlation over patients (max-t:
Hothorn, Bretz and Westfall 2008). Then the true minimum lies between the lowest lower and the lowest upper
limit. Works on any :class:`Contrast`: AUROCs, sensitivities, differences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri

from shortcut_audit.audit.statistics.bootstrap import SEED
from shortcut_audit.audit.statistics.estimate import ZERO_VARIANCE, Contrast, Estimate, Tally, Undefined
from shortcut_audit.audit.statistics.metrics import count_patients
from shortcut_audit.shapes import Floats

DRAWS = 50_000
NO_DIMENSION = 1e-12
"""Relative to the largest variance: rounding error of a combination that does not vary."""
Found = Estimate | Undefined


@dataclass(frozen=True, kw_only=True)
class Joint:
    """Estimates of groups by name, whose intervals hold together, and the lowest of them.

    What is undefined stays so, with its reason; ``method`` of ``lowest`` names the group and says how many
    had no value.
    """

    groups: Mapping[str, Found]
    lowest: Found


def joint_estimates(groups: Mapping[str, Contrast], confidence: float) -> Joint:
    """Return estimates with simultaneous intervals, and that of the minimum.

    The critical value is passed on as the confidence that a single interval would need, so that each interval
    keeps its own scale, t quantile and exact limits.

    Args:
        groups: a number of each group, over one patient index; at least one.
        confidence: that all intervals hold.
    """
    defined = [one for one in groups.values() if one.reason is None]
    level = simultaneous_level(defined, confidence)
    together = f", holds for {len(defined)} groups at once (max-t)" if len(defined) > 1 else ""
    found = {name: _relabelled(one.estimate(level), confidence, together) for name, one in groups.items()}
    known = {name: one for name, one in found.items() if isinstance(one, Estimate)}
    tally = joint_tally(defined or list(groups.values()))
    if not known:
        return Joint(groups=found, lowest=Undefined(reason=_no_group(groups), tally=tally))
    worst = min(known, key=lambda name: known[name].value)
    left_out = f", {len(groups) - len(known)} more without a value" if len(known) < len(groups) else ""
    lowest = Estimate(
        value=known[worst].value, low=min(one.low for one in known.values()),
        high=min(one.high for one in known.values()), confidence=confidence, tally=tally,
        method=f"lowest of {len(known)} groups ({worst}){left_out}, {known[worst].method}",
    )  # fmt: skip
    return Joint(groups=found, lowest=lowest)


def simultaneous_level(contrasts: Sequence[Contrast], confidence: float) -> float:
    """Return the confidence of single intervals that makes all of them hold at once.

    One group: ``confidence``; k independent ones: its k-th root; groups that move together need less.
    """
    if len(contrasts) < 2:
        return confidence
    variances, directions = np.linalg.eigh(_correlations(contrasts))
    # Numbers made of fewer others (the points of a curve) have no more dimensions than these.
    moving = variances > NO_DIMENSION * variances.max()
    normal = np.random.default_rng(SEED).standard_normal((DRAWS, int(moving.sum())))
    largest = np.abs(normal @ (directions[:, moving] * np.sqrt(variances[moving])).T).max(axis=1)
    critical = max(float(np.quantile(largest, confidence)), float(ndtri((1 + confidence) / 2)))
    return float(2 * ndtr(critical) - 1)


def _correlations(contrasts: Sequence[Contrast]) -> Floats:
    """Return (K, K) correlations over patients; a group that no patient moves goes with none."""
    influences = np.array([one.influence for one in contrasts])
    covariance = np.einsum("kp,lp->kl", influences, influences)
    variances = np.diag(covariance)
    scale = np.sqrt(np.where(variances > ZERO_VARIANCE, variances, np.inf))
    correlations: Floats = covariance / np.outer(scale, scale)
    np.fill_diagonal(correlations, 1.0)
    return correlations


def _relabelled(found: Found, confidence: float, together: str) -> Found:
    if isinstance(found, Undefined):
        return found
    return replace(found, confidence=confidence, method=found.method + together)


def _no_group(groups: Mapping[str, Contrast]) -> str:
    name, first = next(iter(groups.items()))
    return f"none of {len(groups)} groups has a value ({name}: {first.reason})"


def joint_tally(contrasts: Sequence[Contrast]) -> Tally:
    """Return images and patients that any group rests on, each counted once."""
    positives, negatives = (np.any([one.rows[side] for one in contrasts], axis=0) for side in (0, 1))
    patients = count_patients(np.flatnonzero(positives | negatives), contrasts[0].sampling)
    return Tally(n_pos=int(positives.sum()), n_neg=int(negatives.sum()), n_patients=patients)
