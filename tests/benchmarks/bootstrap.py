"""Time of the patient bootstrap of an AUROC, against a loop over scikit-learn and against fairlearn.

``python -m tests.benchmarks.bootstrap``. Targets: 50 times the loop over ``roc_auc_score`` at 2,000 rows, 15 times at
224,000, and faster than ``MetricFrame`` with as many replicates. The loop is timed on a few replicates and
scaled. fairlearn is compared only where it is installed; it also needs the AUROC within two groups, and so does ours.
"""

from __future__ import annotations

import argparse
import importlib.util
import time

import numpy as np
from sklearn.metrics import roc_auc_score

from shortcut_audit.audit.statistics.bootstrap import auroc_statistic, replicate, resample
from shortcut_audit.audit.statistics.metrics import Sampling

SIZES = {2_000: 50, 224_000: 15}
"""Rows, and how many times faster than the loop the bootstrap is to be."""


def made_up(rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels (a tenth positive), scores and two groups; every row is a patient."""
    rng = np.random.default_rng(0)
    label = rng.random(rows) < 0.1
    return label, rng.normal(size=rows) + label, rng.integers(0, 2, rows)


def ours(label: np.ndarray, score: np.ndarray, groups: list[np.ndarray], replicates: int) -> np.ndarray:
    """AUROC within each of some groups of rows, (replicates, groups)."""
    rows = len(label)
    patients = Sampling(clusters=np.arange(rows), weights=np.ones(rows), n_clusters=rows, unit="patient")
    drawn = resample(patients, label.astype(np.int64), replicates=replicates)
    statistics = [
        auroc_statistic(np.flatnonzero(inside & label), np.flatnonzero(inside & ~label), patients, score, drawn)
        for inside in groups
    ]
    return replicate(drawn, statistics)


def loop(label: np.ndarray, score: np.ndarray, replicates: int) -> list[float]:
    """The same by the book: draw rows, call scikit-learn."""
    rng = np.random.default_rng(0)
    areas = []
    for _ in range(replicates):
        rows = rng.integers(0, len(label), len(label))
        areas.append(roc_auc_score(label[rows], score[rows]))
    return areas


def fairlearn(label: np.ndarray, score: np.ndarray, group: np.ndarray, replicates: int) -> None:
    """AUROC overall and by group, with bootstrap quantiles."""
    from fairlearn.metrics import MetricFrame

    MetricFrame(
        metrics=roc_auc_score, y_true=label, y_pred=score, sensitive_features=group, n_boot=replicates,
        ci_quantiles=[0.025, 0.975], random_state=0,
    )  # fmt: skip


def seconds(call, *arguments, **named) -> float:  # type: ignore[no-untyped-def]
    start = time.perf_counter()
    call(*arguments, **named)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--few", type=int, default=30, help="replicates timed of the slow ones, then scaled")
    asked = parser.parse_args()
    for rows, target in SIZES.items():
        label, score, group = made_up(rows)
        everybody = np.ones(rows, dtype=bool)
        fast = min(seconds(ours, label, score, [everybody], asked.replicates) for _ in range(3))
        slow = seconds(loop, label, score, asked.few) * asked.replicates / asked.few
        print(f"{rows:,} rows, {asked.replicates:,} replicates: {fast:.3f} s, the loop {slow:.1f} s,", end=" ")
        print(f"{slow / fast:.0f} times as fast (target {target})", flush=True)
        if importlib.util.find_spec("fairlearn") is None:
            print("  fairlearn is not installed")
            continue
        grouped = seconds(ours, label, score, [everybody, group == 0, group == 1], asked.replicates)
        frame = seconds(fairlearn, label, score, group, asked.few) * asked.replicates / asked.few
        print(f"  with two groups {grouped:.3f} s, MetricFrame {frame:.1f} s, {frame / grouped:.0f} times as fast")


if __name__ == "__main__":
    main()
