"""Dice and IoU of arms with intervals over patients, differences on the same films, and the way to a given Dice.

Overlap is defined where the drawn mask is not empty: Dice 2 b / (p + d), IoU b / (p + d - b), with b pixels in both, p
predicted and d drawn. Where it is empty nothing can overlap; then the share of films in which anything is painted
counts (``painted_empty``). All are means over films, by patients (``means.py``). With several seeds each film has the
mean over seeds, and the interval is widened by the chance of seeds as in ``measures/seeds.py``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from scipy.special import stdtrit

from shortcut_audit.audit.arms.result import LONG, ArmNumber, NumberName, Pixels, Reach, Training
from shortcut_audit.audit.statistics.means import SAME, all_alike, mean_metric
from shortcut_audit.shapes import Floats

OVERLAPS: tuple[NumberName, ...] = ("dice", "iou", "painted_empty")
DIFFERENCES: dict[NumberName, tuple[NumberName, str]] = {
    "dice_less_scratch": ("dice", "scratch"),
    "iou_less_scratch": ("iou", "scratch"),
    "dice_less_same_compute": ("dice", LONG),
    "iou_less_same_compute": ("iou", LONG),
}
"""Name of a difference to the number and the arm it is a difference from; both saw the same test films."""


def film_values(pixels: Pixels, name: NumberName) -> Floats:
    """Return a number of every test film (N,); NaN, in memory only, where it is not defined."""
    both, predicted = (np.array(counts, dtype=float) for counts in (pixels.both, pixels.predicted))
    drawn = np.array([np.nan if count is None else count for count in pixels.drawn], dtype=float)
    if name == "painted_empty":
        return np.where(drawn == 0, (predicted > 0).astype(float), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = 2 * both / (predicted + drawn) if name == "dice" else both / (predicted + drawn - both)
    return np.where(drawn > 0, found, np.nan)


def arm_numbers(trainings: Sequence[Training], patients: Sequence[str], confidence: float) -> list[ArmNumber]:
    """Return every number of every arm, share of labels and structure.

    Args:
        trainings: those that count, one for each arm, share and seed.
        patients: of each test film.
        confidence: of the intervals.
    """
    groups: dict[tuple[str, float], list[Training]] = {}
    for one in trainings:
        groups.setdefault((one.arm, one.fraction), []).append(one)
    found = []
    for (arm, fraction), members in groups.items():
        for structure in members[0].test:
            head: dict[str, Any] = {"arm": arm, "structure": structure, "fraction": fraction}
            for name in OVERLAPS:
                values = {one.seed: film_values(one.test[structure], name) for one in members}
                found.append(_number(values, patients, confidence, (0.0, 1.0), name=name, **head))
            for name, (part, other) in DIFFERENCES.items():
                values = _differences(members, groups.get((other, fraction), []), structure, part)
                if values and arm not in ("scratch", LONG):
                    found.append(_number(values, patients, confidence, (-1.0, 1.0), name=name, **head))
    return found


def _differences(
    members: Sequence[Training], others: Sequence[Training], structure: str, name: NumberName
) -> dict[int, Floats]:
    """Return, for each seed that both arms have, the difference of every film."""
    theirs = {one.seed: film_values(one.test[structure], name) for one in others}
    return {
        one.seed: film_values(one.test[structure], name) - theirs[one.seed] for one in members if one.seed in theirs
    }


def _number(
    values: dict[int, Floats], patients: Sequence[str], confidence: float, bounds: tuple[float, float], **head: Any
) -> ArmNumber:
    """Return the mean over films and seeds with its interval, cut at ``bounds``."""
    films = np.mean(list(values.values()), axis=0)
    defined = [None if np.isnan(value) else float(value) for value in films]
    metric = mean_metric(
        defined, patients, [0] * len(films), model="", finding="", attribute="", group="all", name=head["name"],
        confidence=confidence,
    )  # fmt: skip
    counts: dict[str, Any] = {
        "n": metric.n, "n_patients": metric.n_patients, "left_out": len(films) - metric.n, "seeds": tuple(values),
        "confidence": confidence,
    }  # fmt: skip
    if metric.value is None or metric.low is None or metric.high is None:
        return ArmNumber(
            **head, **counts, value=None, low=None, high=None, seed_sd=None, method="none", reason=metric.reason
        )
    value, method = metric.value, metric.method
    below, above = value - metric.low, metric.high - value
    if above < SAME:
        below, above = all_alike(value, metric.n_patients, confidence, bounds)
        method = "all films alike: Clopper-Pearson over patients"
    sd = _seed_sd(list(values.values()))
    if sd is not None:
        reach = float(stdtrit(len(values) - 1, (1 + confidence) / 2)) * sd / math.sqrt(len(values))
        below, above = math.hypot(below, reach), math.hypot(above, reach)
        method += ", seeds by t"
    return ArmNumber(
        **head, **counts, value=value, low=max(value - below, bounds[0]), high=min(value + above, bounds[1]),
        seed_sd=sd, method=method, reason=None,
    )  # fmt: skip


def _seed_sd(values: Sequence[Floats]) -> float | None:
    """Return the standard deviation of the mean between seeds; None with one seed."""
    return float(np.std([np.nanmean(one) for one in values], ddof=1)) if len(values) > 1 else None


def reaches(trainings: Iterable[Training], levels: Sequence[float]) -> list[Reach]:
    """Return when each training first reached each validation Dice."""
    return [_reach(one, level) for one in trainings for level in levels]


def _reach(one: Training, level: float) -> Reach:
    head: dict[str, Any] = {"arm": one.arm, "fraction": one.fraction, "seed": one.seed, "level": level}
    first = next((check for check in one.checks if check.dice is not None and check.dice >= level), None)
    if first is not None:
        return Reach(**head, step=first.step, seconds=first.seconds, reason=None)
    best = "undefined" if one.best is None else f"{one.best:.3f} at best"
    return Reach(**head, step=None, seconds=None, reason=f"not reached in {one.steps} steps ({best})")
