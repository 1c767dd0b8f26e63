"""Time and memory of every AUROC-type number with its clustered interval, on a table as large as CheXpert's.

``python -m tests.benchmarks.statistics`` (not as a file: it has the name of a module that Python's own need).
Target: 224,000 images x 14 findings x 10 attributes under 90 s and 2 GiB on two cores. The table is timed from
the checking of its cells on; making it up is not. The checks are those whose numbers are AUROCs and their sums.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections import Counter
from dataclasses import replace

import numpy as np
import polars as pl

from shortcut_audit.audit.checks.gap import gap
from shortcut_audit.audit.checks.performance import performance
from shortcut_audit.audit.checks.reliance import reliance
from shortcut_audit.audit.checks.score_shift import score_shift
from shortcut_audit.audit.checks.strata import strata
from shortcut_audit.audit.run import ask_questions
from shortcut_audit.audit.table.question import Setting
from shortcut_audit.audit.table.scores import ScoresTable
from shortcut_audit.config import EvaluateConfig

NUMBERS = (performance, gap, reliance, score_shift, strata)


def made_up(images: int, findings: int, attributes: int, covariates: int) -> pl.DataFrame:
    """A table in long form with 3.5 images a patient and attributes that go with the findings."""
    rng = np.random.default_rng(0)
    patients = rng.integers(0, max(images * 2 // 7, 1), images)
    devices = (rng.random((attributes, images)) < 0.3).astype(np.float64)
    shared = {
        "sample_id": pl.Series(np.arange(images)).cast(pl.String),
        "patient_id": pl.Series(patients).cast(pl.String),
        **{f"attribute.device{k}": devices[k] for k in range(attributes)},
        **{f"covariate.number{k}": rng.normal(size=images) for k in range(covariates)},
    }
    tables = []
    for k in range(findings):
        label = rng.random(images) < 0.05 + 0.2 * devices[k % attributes]
        score = rng.normal(size=images) + 1.5 * label + 0.3 * devices[k % attributes]
        own = {"finding": pl.repeat(f"finding{k}", images, eager=True), "label": label.astype(np.int8), "score": score}
        tables.append(pl.DataFrame({**shared, **own}))
    return pl.concat(tables)


def mebibytes() -> float:
    """The most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=224_000)
    parser.add_argument("--findings", type=int, default=14)
    parser.add_argument("--attributes", type=int, default=10)
    parser.add_argument("--covariates", type=int, default=0, help="each adds strata and case mix (default: 0)")
    asked = parser.parse_args()
    frame = made_up(asked.images, asked.findings, asked.attributes, asked.covariates)
    names = tuple(name.removeprefix("attribute.") for name in frame.columns if name.startswith("attribute."))
    print(f"{frame.height:,} rows, {mebibytes():.0f} MiB with the table made up", flush=True)

    spent: Counter[str] = Counter()
    numbers = 0
    start = last = time.perf_counter()
    processor = time.process_time()

    def lap(name: str) -> None:
        nonlocal last
        now = time.perf_counter()
        spent[name] += now - last
        last = now

    table = ScoresTable.from_frame(frame, where="a made-up table")
    del frame
    lap("checking the table")
    setting = Setting(limits=EvaluateConfig(spurious=list(names)), pairs="exact", test_design="natural")
    for question in ask_questions(table, setting):
        lap("cutting questions")
        copy = replace(question)  # as the audit does, so that what is cached goes with it
        for check in NUMBERS:
            numbers += sum(metric.value is not None for metric in check(copy).metrics)
            lap(check.__name__)
    total, processor = time.perf_counter() - start, time.process_time() - processor
    questions = asked.findings * asked.attributes
    for name, seconds in spent.most_common():
        print(f"{name:22} {seconds:7.1f} s {1000 * seconds / questions:8.1f} ms a question")
    print(
        f"{questions} questions, {numbers} numbers with intervals: {total:.1f} s ({processor:.1f} s of processors), "
        f"at most {mebibytes():.0f} MiB"
    )


if __name__ == "__main__":
    main()
