"""Serial images of one patient: with the attribute and without it, and with the same label.

Such a patient is compared with itself, so that nothing that stays with a patient can differ: build, age,
habits of the ward. What changes with time can: a device often comes with treatment, and goes with a
smaller finding. It describes; it neither shows nor excludes reliance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shortcut_audit.audit.statistics.estimate import (
    ZERO_VARIANCE,
    Contrast,
    Estimate,
    Tally,
    Undefined,
    clopper_pearson,
)
from shortcut_audit.audit.statistics.linearised import linearised
from shortcut_audit.audit.statistics.metrics import Part, dot, mid_ranks
from shortcut_audit.audit.table.question import Question
from shortcut_audit.shapes import Bools, Floats, Ints


@dataclass(frozen=True, kw_only=True, eq=False)
class Serial:
    """Patients who have images of one label both with and without the attribute.

    Attributes:
        rows: (N,), (N,) their images with the attribute, and those without it.
        patients: (K,) their numbers.
        weights: (K,) mean weight of a patient's images.
        wins: (K,) share of the pairs of one patient in which the image with the attribute scores higher,
            ties one half.
        moves: (K,) mean fractional rank of the images with it less that of those without it. Ranks run from
            0 to 1 among all test images of the label, ties in the middle.
    """

    rows: tuple[Bools, Bools]
    patients: Ints
    weights: Floats
    wins: Floats
    moves: Floats


def serial_images(question: Question, label: int) -> Serial | None:
    """Return the patients with images of one label in both states, None if there is none."""
    same = question.test & (question.label == bool(label))
    on, off = same & (question.values == 1), same & (question.values == 0)
    clusters, count = question.sampling.clusters, question.sampling.n_clusters
    both = (np.bincount(clusters[on], minlength=count) > 0) & (np.bincount(clusters[off], minlength=count) > 0)
    if not both.any():
        return None
    on, off = on & both[clusters], off & both[clusters]
    ranks = np.zeros(len(same))
    ranks[same] = (mid_ranks(question.ranks[same]) - 0.5) / same.sum()
    patients = np.flatnonzero(both)
    return Serial(
        rows=(on, off),
        patients=patients,
        weights=_means(question.sampling.weights, on | off, clusters, patients),
        wins=_wins(question.score, on, off, clusters, patients),
        moves=_means(ranks, on, clusters, patients) - _means(ranks, off, clusters, patients),
    )


def _means(values: Floats, where: Bools, clusters: Ints, patients: Ints) -> Floats:
    """Return (K,) each patient's mean over some rows, of which it has at least one."""
    totals = np.bincount(clusters[where], values[where])[patients]
    means: Floats = totals / np.bincount(clusters[where])[patients]
    return means


def _wins(scores: Floats, on: Bools, off: Bools, clusters: Ints, patients: Ints) -> Floats:
    """Return (K,) the AUROC within each patient, from the ranks among the patient's own images (Mann-Whitney)."""
    rows = np.flatnonzero(on | off)
    rows = rows[np.lexsort((scores[rows], clusters[rows]))]
    starts = np.flatnonzero(np.diff(clusters[rows], prepend=-1))
    place = np.arange(len(rows)) - np.repeat(starts, np.diff(starts, append=len(rows)))
    new = (np.diff(clusters[rows], prepend=-1) != 0) | (np.diff(scores[rows], prepend=np.nan) != 0)
    run = np.cumsum(new) - 1
    rank = (np.bincount(run, place) / np.bincount(run))[run] + 1
    sums = np.bincount(clusters[rows], rank * on[rows])[patients]
    with_, without = (np.bincount(clusters[side])[patients] for side in (on, off))
    wins: Floats = (sums - with_ * (with_ + 1) / 2) / (with_ * without)
    return wins


def serial_auroc(question: Question, serial: Serial) -> Contrast:
    """Return the mean over patients of the AUROC within the patient; 0.5 where the attribute moves nothing."""
    value = _average(serial, serial.wins)
    influence = _influence(serial, serial.wins - value, question.sampling.n_clusters)
    count = len(serial.patients)
    part = Part(value=value, influence=influence, df=count - 1, smaller=count)
    return Contrast(sampling=question.sampling, parts=((1.0, part),), rows=serial.rows)


def serial_move(question: Question, serial: Serial) -> Estimate | Undefined:
    """Return the mean over patients of how far the score's rank moves with the attribute, from -1 to 1."""
    value = _average(serial, serial.moves)
    influence = _influence(serial, serial.moves - value, question.sampling.n_clusters)
    count, confidence = len(serial.patients), question.limits.confidence
    tally = _tally(serial)
    if count > 1 and dot(influence, influence) < ZERO_VARIANCE:
        # All moves are equal: what 0 of n patients leaves open.
        half = 2 * clopper_pearson(0, count, confidence)[1]
        return Estimate(value=value, low=max(value - half, -1.0), high=min(value + half, 1.0), confidence=confidence,
                        tally=tally, method="Clopper-Pearson on 0 of n patients")  # fmt: skip
    return linearised(value, influence, df=count - 1, tally=tally, sampling=question.sampling, confidence=confidence)


def _average(serial: Serial, values: Floats) -> float:
    # A quotient of sums: where all patients have 1 it is exactly 1.
    return float((serial.weights * values).sum() / serial.weights.sum())


def _influence(serial: Serial, deviations: Floats, count: int) -> Floats:
    patients = len(serial.patients)
    influence = np.zeros(count)
    shares = serial.weights / serial.weights.sum()
    influence[serial.patients] = shares * deviations * np.sqrt(patients / max(patients - 1, 1))
    return influence


def _tally(serial: Serial) -> Tally:
    on, off = serial.rows
    return Tally(n_pos=int(on.sum()), n_neg=int(off.sum()), n_patients=len(serial.patients))
