"""About how many patients would decide an open answer. An order of magnitude, not a study plan."""

from __future__ import annotations

import math

from scipy.special import ndtri

POWER = 0.8
LEAST_DISTANCE = 0.01
"""An estimate nearer to a limit than this is planned for as if it were this far: no number of patients
decides an estimate that lies on its limit."""
LEAST_PATIENTS = 10
"""No plan is made with fewer: the interval of so small a group says little of that of a larger one."""


def patients_by_scaling(patients: int, *, half: float, distance: float, confidence: float, rows: int = 1) -> int:
    """Return how many patients a group of ``patients`` must grow to, all groups growing alike.

    The estimate is taken as the truth. Its interval, ``half`` to each side, shrinks with the root of the
    patients until, with a power of .8, it is shorter than ``distance``, the way from the estimate to the
    limit; with ``rows`` asked at once, at the first step of Holm's correction.
    """
    tail = (1 - confidence) / 2
    quantile, corrected = (float(-ndtri(level)) for level in (tail, tail / rows))
    wanted = max(abs(distance), LEAST_DISTANCE) * quantile / (corrected + float(ndtri(POWER)))
    return max(math.ceil(patients * (half / wanted) ** 2), patients + 1, LEAST_PATIENTS)


def patients_by_margin(auroc: float, margin: float, confidence: float) -> int:
    """Return the patients a cell that would show a true gap of 0 to lie within the margin.

    Variance of an AUROC with n and n: (Q1 + Q2 - 2 A^2) / n (Hanley and McNeil 1982); a gap has two.
    About 800, 400 and 200 at AUROC .80, .90 and .95 with a margin of .05.
    """
    area = min(max(auroc, 1 - auroc), 0.99)
    spread = area / (2 - area) + 2 * area**2 / (1 + area) - 2 * area**2
    # Both limits must hold, so each test gets half of the failures.
    quantile = float(ndtri((1 + confidence) / 2)) + float(ndtri((1 + POWER) / 2))
    return math.ceil(2 * spread * (quantile / margin) ** 2)
