"""Time and memory of the audit of a table as large as CheXpert's: 224,000 images x 14 findings x 10 attributes.

``python -m tests.benchmarks.statistics`` (not as a file: it has the name of a module that Python's own need)
runs three cases one after the other, each in a process of its own so that each has its own peak of memory:

    numbers       every AUROC-type number with its clustered interval; target 90 s and 2 GiB on two cores
    covariates    the same, with two covariates: strata and case mix
    everything    ``audit_table`` with all checks, pairs and a reference model, two covariates, validation rows

``--only CASE`` runs one; ``--scaling`` times all three on one finding and one attribute up to a million rows.
The table is timed from the checking of its cells on; making it up is not. Seconds of the processor stand beside
seconds of the clock, for on a shared machine only the former tell what the code costs.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import polars as pl

from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.checks.case_mix import case_mix
from shortcut_audit.audit.checks.gap import gap
from shortcut_audit.audit.checks.performance import performance
from shortcut_audit.audit.checks.reliance import reliance
from shortcut_audit.audit.checks.score_shift import score_shift
from shortcut_audit.audit.checks.strata import strata
from shortcut_audit.audit.run import ask_questions, audit_table
from shortcut_audit.audit.table.question import Question, Setting
from shortcut_audit.audit.table.scores import ScoresTable
from shortcut_audit.config import EvaluateConfig
from shortcut_audit.provenance import collect_provenance

CASES = {"numbers": 0, "covariates": 2, "everything": 2}
"""Covariates of each case."""
NUMBERS = (performance, gap, reliance, score_shift, strata, case_mix)
"""Checks whose numbers are AUROCs and their sums."""
SIZES = (62_500, 125_000, 250_000, 500_000, 1_000_000)


def made_up(images: int, findings: int, attributes: int, covariates: int, *, full: bool = False) -> pl.DataFrame:
    """A table in long form with 3.5 images a patient and attributes that go with the findings.

    ``full`` adds what makes every check work: pairs of each attribute, a reference model, validation rows.
    """
    rng = np.random.default_rng(0)
    patients = rng.integers(0, max(images * 2 // 7, 1), images)
    devices = (rng.random((attributes, images)) < 0.3).astype(np.float64)
    shared = {
        "sample_id": pl.Series(np.arange(images)).cast(pl.String),
        "patient_id": pl.Series(patients).cast(pl.String),
        **{f"attribute.device{k}": devices[k] for k in range(attributes)},
        **{f"covariate.number{k}": rng.normal(size=images) for k in range(covariates)},
    }
    if full:
        shared["split"] = pl.Series(np.where(patients % 5 == 0, "val", "test"))
    tables = []
    for k in range(findings):
        device = devices[k % attributes]
        label = rng.random(images) < 0.05 + 0.2 * device
        score = rng.normal(size=images) + 1.5 * label + 0.3 * device
        own = {"finding": pl.repeat(f"finding{k}", images, eager=True), "label": label.astype(np.int8)}
        if full:
            score, states = _states(score, devices)
            own |= states | {"reference_score": score - 0.1 * device, "scale": ["probability"] * images}
        tables.append(pl.DataFrame({**shared, **own, "score": score}))
    return pl.concat(tables)


def _states(score: np.ndarray, devices: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return scores as probabilities, and each with and without every device."""
    moved = {"score_with": score + 0.1 * (1 - devices), "score_without": score - 0.1 * devices}
    states = {f"{name}.device{k}": _logistic(rows[k]) for name, rows in moved.items() for k in range(len(devices))}
    return _logistic(score), states


def _logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


class Clock:
    """Seconds of wall clock and of processors since it was made, and by part."""

    def __init__(self) -> None:
        self.wall, self.processor = time.perf_counter(), time.process_time()
        self.parts: Counter[str] = Counter()
        self.last = self.processor

    def lap(self, name: str) -> None:
        """Count the processor time since the last call for a part."""
        now = time.process_time()
        self.parts[name] += now - self.last
        self.last = now

    def __str__(self) -> str:
        wall, processor = time.perf_counter() - self.wall, time.process_time() - self.processor
        return f"{wall:.1f} s of the clock, {processor:.1f} s of processors, at most {_mebibytes():,.0f} MiB"


def _mebibytes() -> float:
    """The most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def time_case(case: str, images: int, findings: int, attributes: int) -> None:
    """Time one case and print it."""
    frame = made_up(images, findings, attributes, CASES[case], full=case == "everything")
    print(f"{case}: {images:,} x {findings} x {attributes}, {_mebibytes():,.0f} MiB with the table made up", flush=True)
    limits = EvaluateConfig(spurious=[f"device{k}" for k in range(attributes)])
    clock = Clock()
    table = ScoresTable.from_frame(frame, where="a made-up table")
    del frame
    clock.lap("checking the table")
    numbers = _everything(table, limits, clock) if case == "everything" else _numbers(table, limits, clock)
    for name, seconds in clock.parts.most_common(8):
        print(f"  {name:20} {seconds:7.1f} s, {1000 * seconds / (findings * attributes):7.1f} ms a question")
    print(f"  {findings * attributes} questions, {numbers} numbers with intervals: {clock}", flush=True)


def _numbers(table: ScoresTable, limits: EvaluateConfig, clock: Clock) -> int:
    numbers = 0
    for question in ask_questions(table, Setting(limits=limits, pairs="exact", test_design="natural")):
        clock.lap("cutting questions")
        copy = replace(question)  # as the audit does, so that what is cached goes with it
        for check in NUMBERS:
            numbers += sum(metric.value is not None for metric in check(copy).metrics)
            clock.lap(check.__name__)
    return numbers


def _everything(table: ScoresTable, limits: EvaluateConfig, clock: Clock) -> int:
    provenance = collect_provenance(command="benchmark", config={}, seed=None, inputs={})
    get = CHECKS.get

    def timed(name: str) -> Callable[[Question], Findings]:
        def check(question: Question) -> Findings:
            clock.lap("the rest")
            found = get(name)(question)
            clock.lap(name)
            return found

        return check

    with patch.object(CHECKS, "get", timed):
        setting = Setting(limits=limits, pairs="exact", test_design="natural")
        result = audit_table(table, setting, dataset={}, provenance=provenance)
    clock.lap("the rest")
    return sum(metric.value is not None for metric in result.metrics)


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=CASES, help="one case, in this process")
    parser.add_argument("--scaling", action="store_true", help="one finding and attribute, up to a million rows")
    parser.add_argument("--images", type=int, default=224_000)
    parser.add_argument("--findings", type=int, default=14)
    parser.add_argument("--attributes", type=int, default=10)
    asked = parser.parse_args()
    if asked.only and not asked.scaling:
        time_case(asked.only, asked.images, asked.findings, asked.attributes)
        return
    sizes = [(size, 1, 1) for size in SIZES] if asked.scaling else [(asked.images, asked.findings, asked.attributes)]
    for case in [asked.only] if asked.only else CASES:
        for size in sizes:
            given = [
                f"--{name}={value}" for name, value in zip(("images", "findings", "attributes"), size, strict=True)
            ]
            subprocess.run([sys.executable, "-m", "tests.benchmarks.statistics", f"--only={case}", *given], check=True)


if __name__ == "__main__":
    main()
