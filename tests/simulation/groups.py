"""Which interval covers, for the worst of several groups and for a share at the threshold: analytic or bootstrap?

``python -m tests.simulation.groups``; figures in ``docs/decisions/0012-worst-group-intervals.md``. Not collected by
pytest. Scores are normal; with 3 images a patient half of the variance is the patient's. The first group is the rare
one: it has patients and a truth of its own.
"""

from __future__ import annotations

import argparse
import zlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtri

from shortcut_audit.audit.measures.rates import proportion
from shortcut_audit.audit.statistics.bootstrap import (
    auroc_statistic,
    joint_level,
    percentile_limits,
    replicate,
    resample,
    share_statistic,
)
from shortcut_audit.audit.statistics.estimate import Contrast, Estimate
from shortcut_audit.audit.statistics.metrics import Sampling, auroc
from shortcut_audit.audit.statistics.simultaneous import joint_estimates

CONFIDENCE, REPLICATES = 0.95, 1000
WAYS = ("max-t", "joint percentiles", "percentiles of the minimum")


@dataclass(frozen=True, kw_only=True)
class World:
    """Groups with as many positives as negatives; ``patients`` is that of a class in a group."""

    number: Literal["AUROC", "sensitivity"]
    truth: float
    rare_truth: float
    groups: int
    patients: int
    rare: int
    images: int

    @property
    def name(self) -> str:
        return (
            f"{self.number} | {self.groups} | {self.truth:g} x {self.patients} | {self.rare_truth:g} x {self.rare} | "
            f"{self.images}"
        )


def worlds() -> list[World]:
    found = [
        World(number="sensitivity", truth=p, rare_truth=p, groups=1, patients=n, rare=n, images=k)
        for p in (0.8, 0.9, 0.97) for n in (15, 30, 60, 150) for k in (1, 3)
    ]  # fmt: skip
    for number in ("sensitivity", "AUROC"):
        for truth, rare_truth, patients, rare in (
            (0.85, 0.85, 15, 15), (0.85, 0.85, 40, 40), (0.97, 0.97, 40, 40), (0.85, 0.75, 40, 40),
            (0.97, 0.80, 150, 12),
        ):  # fmt: skip
            found += [
                World(number=number, truth=truth, rare_truth=rare_truth, groups=groups, patients=patients, rare=rare,
                      images=k)
                for groups, k in ((4, 1), (12, 1), (4, 3))
            ]  # fmt: skip
    return found


class Drawn:
    """Tables of one world."""

    def __init__(self, world: World):
        self.world, self.rng = world, np.random.default_rng(zlib.crc32(world.name.encode()))
        sizes = [world.rare] + [world.patients] * (world.groups - 1)
        of_patient = np.tile(np.repeat(np.arange(world.groups), sizes), 2)
        self.group = np.repeat(of_patient, world.images)
        self.label = np.arange(len(self.group)) < len(self.group) // 2
        self.sampling = Sampling(
            clusters=np.repeat(np.arange(len(of_patient)), world.images), weights=np.ones(len(self.group)),
            n_clusters=len(of_patient), unit="patient",
        )  # fmt: skip
        self.truths = np.array([world.rare_truth] + [world.truth] * (world.groups - 1))

    def intervals(self) -> dict[str, tuple[tuple[float, float], list[tuple[float, float]]]]:
        """Return, by way, the interval of the lowest and those of the groups."""
        world, sampling = self.world, self.sampling
        patients, images = self.rng.normal(size=sampling.n_clusters), self.rng.normal(size=len(self.group))
        noise = images if world.images == 1 else np.sqrt(0.5) * (images + patients[sampling.clusters])
        plan = resample(sampling, self.label.astype(int), replicates=REPLICATES, seed=int(self.rng.integers(2**31)))
        contrasts, statistics = {}, []
        for number in range(world.groups):
            sides = self.label & (self.group == number), ~self.label & (self.group == number)
            if world.number == "AUROC":
                score = noise + np.sqrt(2) * ndtri(self.truths[self.group]) * self.label
                part = auroc(*map(np.flatnonzero, sides), sampling, score)
                statistics.append(auroc_statistic(part.positives, part.negatives, sampling, score, plan))
            else:
                part = proportion(np.flatnonzero(sides[0]), noise < ndtri(self.truths[self.group]), sampling)
                statistics.append(share_statistic(part.rows, part.hits, sampling, plan))
            contrasts[f"g{number}"] = Contrast(sampling=sampling, parts=((1.0, part),), rows=sides)
        joint = joint_estimates(contrasts, CONFIDENCE)
        found = [one for one in (joint.lowest, *joint.groups.values()) if isinstance(one, Estimate)]
        drawn = replicate(plan, statistics)
        drawn = drawn[np.isfinite(drawn).all(axis=1)]
        smaller = [contrast.parts[0][1].smaller for contrast in contrasts.values()]
        level = joint_level(drawn, CONFIDENCE) if world.groups > 1 else CONFIDENCE
        each = [percentile_limits(one, level, few) for one, few in zip(drawn.T, smaller, strict=True)]
        lowest = percentile_limits(drawn.min(axis=1), CONFIDENCE, min(smaller))
        return {
            WAYS[0]: ((found[0].low, found[0].high), [(one.low, one.high) for one in found[1:]]),
            WAYS[1]: ((min(low for low, _ in each), min(high for _, high in each)), each),
            WAYS[2]: (lowest, []),
        }


def cover(world: World, replicates: int) -> str:
    """Return a row: coverage (%) of the lowest with mean width, and of all groups at once, by each way."""
    drawn = Drawn(world)
    lowest, every, width = (dict.fromkeys(WAYS, 0.0) for _ in range(3))
    for _ in range(replicates):
        for way, ((low, high), groups) in drawn.intervals().items():
            lowest[way] += low <= drawn.truths.min() <= high
            every[way] += all(a <= truth <= b for (a, b), truth in zip(groups, drawn.truths, strict=False))
            width[way] += high - low
    cells = [f"{100 * lowest[way] / replicates:.1f} ({width[way] / replicates:.3f})" for way in WAYS]
    together = [f"{100 * every[way] / replicates:.1f}" for way in WAYS[:2]]
    return f"| {world.name} | {' | '.join(cells)} | {' | '.join(together)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=400)
    parser.add_argument("--only", default="", help="only worlds whose name holds this text")
    chosen = parser.parse_args()
    head = ("number", "groups", "truth x patients", "rare group", "images", *WAYS, *(f"all: {way}" for way in WAYS[:2]))
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for world in worlds():
        if chosen.only in world.name:
            print(cover(world, chosen.replicates), flush=True)


if __name__ == "__main__":
    main()
