"""What nothing looks like: labels exchanged among patients.

Where every patient has one label, patients exchange it. Else patients with equally many films exchange the labels
of all their films, in order, and who has nobody to exchange with keeps its own: what the films of a patient have
in common stays. Drawing ends early once :data:`ENOUGH` were as large: p is then that number by the draws it took
(Besag and Clifford 1991). Without that p = (hits + 1) / (drawn + 1) (Phipson and Smyth 2010).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from shortcut_audit.shapes import Bools, Floats, Ints

ENOUGH = 20
AT_ONCE = 250
SAME = 1e-10


@dataclass(frozen=True, kw_only=True)
class Null:
    """One-sided p of an AUROC, and the permutations it comes from: how many, their mean and 95th percentile."""

    p: float
    permutations: int
    mean: float
    high: float


def exchanged(label: Bools, patients: Ints, rng: np.random.Generator, count: int) -> Bools:
    """Return labels (count, N) under exchange among patients; see the module's docstring."""
    codes = np.unique(patients, return_inverse=True)[1]
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    sizes = np.diff(starts, append=len(order))
    if one_label_each(label, patients):
        of_patient = label[order][starts]
        return rng.permuted(np.tile(of_patient, (count, 1)), axis=1)[:, codes]
    drawn = np.tile(label, (count, 1))
    for size in np.unique(sizes):
        films = order[starts[sizes == size][:, None] + np.arange(size)]
        who = rng.permuted(np.tile(np.arange(len(films)), (count, 1)), axis=1)
        drawn[:, films] = label[films][who]
    return drawn


def one_label_each(label: Bools, patients: Ints) -> bool:
    """Return whether all films of a patient have the same label, for every patient."""
    pairs = np.unique(np.stack([patients, label.astype(np.int64)], axis=1), axis=0)
    return len(pairs) == len(np.unique(patients))


def against_null(observed: float, draw: Callable[[int], Floats], most: int) -> Null:
    """Return the p of an AUROC: the share of permutations that reach it.

    Args:
        observed: the AUROC as it is.
        draw: returns so many AUROCs of permuted labels; NaN where there were no pairs counts as not reached.
        most: permutations at most.
    """
    drawn: list[Floats] = []
    hits = count = 0
    while count < most and hits < ENOUGH:
        batch = draw(min(AT_ONCE, most - count))
        drawn.append(batch)
        hits += int((batch >= observed - SAME).sum())
        count += len(batch)
    values = np.concatenate(drawn)
    if hits >= ENOUGH:
        p = ENOUGH / (int(np.flatnonzero(values >= observed - SAME)[ENOUGH - 1]) + 1)
    else:
        p = (hits + 1) / (count + 1)
    return Null(p=p, permutations=count, mean=float(np.nanmean(values)), high=float(np.nanquantile(values, 0.95)))
