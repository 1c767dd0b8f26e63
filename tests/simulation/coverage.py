"""How often 95 % intervals cover the truth: AUROC, gap and paired difference, cell by cell.

Nightly: ``python -m tests.simulation.coverage``. Not collected by pytest; ``test_coverage.py`` runs a small cut.

Scores are binormal. With 3 images a patient, all of one label, half of the variance is the patient's (ICC .5).
With 5 levels the score is cut at four points, and the mean is moved until the AUROC of the levels is the one asked
for. The truth is exact: of the normal distributions, or of the probabilities of the levels.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from shortcut_audit.audit.statistics.estimate import Contrast, Estimate
from shortcut_audit.audit.statistics.metrics import Sampling, auroc

from .parts import options, simulate

NUMBERS = ("AUROC", "gap", "paired difference")
EFFECT = 0.25
"""What the attribute adds to the score in the gap, in SD: half of the images have it."""
WORSE = 0.3
"""How much less the second model of a pair sees of the finding, in SD."""
SHARED = 0.7
"""Correlation of the two models' scores within a class."""
CUTS = 0.6 * np.array([-1.5, -0.5, 0.5, 1.5])
"""Of 5 levels, from the middle between the classes, in SD."""
LOW, HIGH = 0.93, 0.97
FEW_PATIENTS = 20
STANDS_IN = 0.05
"""Clopper-Pearson counts as standing in where it did in this share of the replicates."""
CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One setting of the simulation."""

    auroc: float
    positives: int
    negatives: int
    images: int
    levels: bool

    @property
    def name(self) -> str:
        kind = "5 levels" if self.levels else "continuous"
        return f"{self.auroc:g} | {self.positives} | {self.negatives} | {self.images} | {kind}"

    @property
    def mean(self) -> float:
        """Mean of the positives in SD; that of the negatives is 0."""
        if not self.levels:
            return float(np.sqrt(2) * ndtri(self.auroc))
        return float(brentq(lambda mean: _area(mean, 0, mean / 2 + CUTS) - self.auroc, -0.1, 6))

    @property
    def cuts(self) -> Any:
        return self.mean / 2 + CUTS if self.levels else None

    @property
    def truths(self) -> dict[str, float]:
        mean, cuts = self.mean, self.cuts
        best = _area(mean, 0, cuts)
        gap = _area(mean + EFFECT, 0, cuts) - _area(mean, EFFECT, cuts)
        return dict(zip(NUMBERS, (best, gap, best - _area(mean - WORSE, 0, cuts)), strict=True))


CELLS = {
    cell.name: cell
    for area, images, levels, positives, negatives in product(
        (0.5, 0.7, 0.9, 0.97), (1, 3), (False, True), (30, 60, 150), (30, 300, 1500)
    )
    for cell in [Cell(auroc=area, positives=positives, negatives=negatives, images=images, levels=levels)]
}


def _area(high, low, cuts):
    """AUROC of two normal distributions of variance 1, or of their levels; ties one half."""
    if cuts is None:
        return float(ndtr((high - low) / np.sqrt(2)))
    up, down = (np.diff(np.concatenate([[0], ndtr(cuts - mean), [1]])) for mean in (high, low))
    return float(up @ (np.cumsum(down) - down / 2))


class Drawn:
    """Tables of one cell: who is positive, who has the attribute, which patient an image is of."""

    def __init__(self, cell, rng):
        n = cell.positives + cell.negatives
        self.cell, self.rng, self.mean, self.cuts = cell, rng, cell.mean, cell.cuts
        self.label = np.arange(n) < cell.positives
        self.attribute = np.arange(n) % 2 == 1
        clusters = np.arange(n) // cell.images
        self.sampling = Sampling(
            clusters=clusters, weights=np.ones(n), n_clusters=int(clusters[-1]) + 1, unit="patient"
        )

    def noise(self):
        images = self.rng.normal(size=len(self.label))
        if self.cell.images == 1:
            return images
        patients = self.rng.normal(size=self.sampling.n_clusters)[self.sampling.clusters]
        return np.sqrt(0.5) * (images + patients)

    def between(self, scores, positives, negatives):
        if self.cuts is not None:
            scores = np.searchsorted(self.cuts, scores).astype(float)
        part = auroc(np.flatnonzero(positives), np.flatnonzero(negatives), self.sampling, scores)
        return Contrast(sampling=self.sampling, parts=((1.0, part),), rows=(positives, negatives))

    def numbers(self):
        """Draw a table; return its AUROC, gap and paired difference."""
        label, has = self.label, self.attribute
        shared, own, others = self.noise(), self.noise(), self.noise()
        first = self.mean * label + np.sqrt(SHARED) * shared + np.sqrt(1 - SHARED) * own
        second = (self.mean - WORSE) * label + np.sqrt(SHARED) * shared + np.sqrt(1 - SHARED) * others
        reads = first + EFFECT * has
        whole = self.between(first, label, ~label)
        gap = self.between(reads, label & has, ~label & ~has) - self.between(reads, label & ~has, ~label & has)
        return dict(zip(NUMBERS, (whole, gap, whole - self.between(second, label, ~label)), strict=True))


def cover(name: str, replicates: int) -> dict[str, Any]:
    """Count, for each number of one cell, intervals below and above the truth, and Clopper-Pearson standing in."""
    cell = CELLS[name]
    drawn = Drawn(cell, np.random.default_rng(zlib.crc32(name.encode())))
    truths = cell.truths
    counts = {number: {"below": 0, "above": 0, "exact": 0, "patients": 0} for number in NUMBERS}
    for _ in range(replicates):
        for number, contrast in drawn.numbers().items():
            found, count = contrast.estimate(CONFIDENCE), counts[number]
            assert isinstance(found, Estimate)
            count["below"] += found.high < truths[number]
            count["above"] += found.low > truths[number]
            count["exact"] += "Clopper-Pearson" in found.method
            count["patients"] = min(part.smaller for _, part in contrast.parts)
    return {number: {key: int(value) for key, value in count.items()} for number, count in counts.items()}


def covered(count: dict[str, int], replicates: int) -> float:
    return (replicates - count["below"] - count["above"]) / replicates


def upper(count: dict[str, int], replicates: int) -> float:
    """The most that may be covered: 97 %, or all where Clopper-Pearson stands in or patients are few."""
    lenient = count["exact"] >= STANDS_IN * replicates or count["patients"] < FEW_PATIENTS
    return 1.0 if lenient else HIGH


def misses(found: dict[str, dict[str, dict[str, int]]], replicates: int) -> list[tuple[str, str, float]]:
    """Return cell, number and share of all that is covered too rarely or too often."""
    return [
        (name, number, covered(count, replicates))
        for name, counts in found.items() for number, count in counts.items()
        if not LOW <= covered(count, replicates) <= upper(count, replicates)
    ]  # fmt: skip


def _miss(name: str, number: str, count: dict[str, int], replicates: int) -> str:
    too_high, too_low = (f"{100 * count[side] / replicates:.1f}" for side in ("above", "below"))
    share = f"{100 * covered(count, replicates):.1f}"
    return f"missed: {number} at {name.replace(' | ', ', ')}: {share}; {too_high} lie above the truth, {too_low} below"


def page(found: dict[str, dict[str, dict[str, int]]], replicates: int, command: str) -> str:
    """Return the table as Markdown."""
    missed = {(name, number) for name, number, _ in misses(found, replicates)}
    error = 100 * np.sqrt(0.95 * 0.05 / replicates)
    worst = sorted(misses(found, replicates), key=lambda miss: miss[2])
    rows = []
    for name, counts in found.items():
        cells = [name]
        for number in NUMBERS:
            share = f"{100 * covered(counts[number], replicates):.1f}"
            share += "" if upper(counts[number], replicates) < 1 else " *"
            cells.append(f"**{share}**" if (name, number) in missed else share)
        rows.append(f"| {' | '.join(cells)} |")
    total = len(found) * len(NUMBERS)
    missing = "".join(f"\n* {_miss(name, number, found[name][number], replicates)}" for name, number, _ in worst)
    missing += "\n" if missing else ""
    return f"""# Coverage of the intervals

Written by `{command}`; do not edit. {replicates:,} simulated tables a row: a share of 95 % has a Monte-Carlo standard \
error of {error:.1f}.

Share (%) of 95 % intervals that hold the true value. Required: 93 to 97; at least 93 where marked *: Clopper-Pearson \
stands in (in {STANDS_IN:.0%} of the tables or more) or a class has under {FEW_PATIENTS} patients. **Bold**: missed.

* AUROC: binormal scores; with 5 levels, cut at four points. With 3 images a patient the label is the patient's and \
the intraclass correlation .5; positives and negatives are counted in images.
* Gap: every second image has an attribute that adds {EFFECT:g} SD, so that a cell has half of the positives or \
negatives. With 3 images a patient, patients are in both cells of their class.
* Paired difference: a second model on the same images that sees {WORSE:g} SD less; its scores are correlated at \
{SHARED:g} within a class.

Held in {total - len(missed)} of {total}.
{missing}
Where the AUROC is high and one class small, the variance hangs on the few of its images that score low: a draw with \
fewer of them looks better and surer at once. Therefore the interval of an AUROC reckons with half a patient more \
([decision 0014](decisions/0014-half-a-patient.md)).

| AUROC | positives | negatives | images a patient | scores | {" | ".join(NUMBERS)} |
|{"---|" * (5 + len(NUMBERS))}
""" + "\n".join([*rows, ""])


def main() -> int:
    chosen = options(__doc__.splitlines()[0], replicates=5000, out="docs/coverage.md")
    names = [name for name in CELLS if chosen.only in name]
    found = simulate(names, cover, replicates=chosen.replicates, processes=chosen.processes, keep=chosen.keep)
    command = f"python -m tests.simulation.coverage --replicates {chosen.replicates}"
    Path(chosen.out).write_text(page(found, chosen.replicates, command))
    missed = misses(found, chosen.replicates)
    for name, number, share in missed:
        print(f"not held: {number} at {name}: {100 * share:.1f} %")
    print(f"held in {len(found) * len(NUMBERS) - len(missed)} of {len(found) * len(NUMBERS)}")
    return bool(missed)


if __name__ == "__main__":
    raise SystemExit(main())
