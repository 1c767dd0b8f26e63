"""Time and memory of a checked manifest, on a table as large as CheXpert's and on a million rows.

``python -m tests.benchmarks.manifest``. Targets: 223,414 rows of 14 findings in under 5 s and 1 GiB, a million in under
25 s. Each size runs in a process of its own; the table is written by another one, so that its memory does not count.
What is timed is ``audit data prepare`` without the start of Python: reading the CSV, checking every cell, writing.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from shortcut_audit.config import DatasetConfig, TableConfig
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.stages.prepare import prepare

SIZES = {223_414: 5.0, 1_000_000: 25.0}
"""Rows, and seconds at most."""
FINDINGS = 14


def write_table(path: Path, rows: int) -> None:
    """A table with 3.5 images a patient, whole patients to a split, and labels 1, 0, -1 and blank."""
    rng = np.random.default_rng(0)
    patients = np.sort(rng.integers(0, rows * 2 // 7, rows))
    labels = {
        f"label.finding{k}": rng.choice(["1.0", "0.0", "-1.0", ""], rows, p=[0.1, 0.2, 0.05, 0.65])
        for k in range(FINDINGS)
    }
    numbers = np.arange(rows).astype(str)
    frame = pl.DataFrame(
        {
            "sample_id": numbers,
            "image": [
                f"train/patient{patient:06}/study1/view{n}.jpg" for n, patient in zip(numbers, patients, strict=True)
            ],
            "patient_id": [f"patient{patient:06}" for patient in patients],
            "split": np.array(["train"] * 8 + ["val", "test"])[patients % 10],
            **labels,
            "attribute.tube": rng.choice(["1", "0", ""], rows),
        }
    )
    frame.write_csv(path)


def mebibytes() -> float:
    """The most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed(folder: Path) -> None:
    """Prepare the table of a folder and print seconds, MiB before and MiB at most."""
    before = mebibytes()
    start = time.perf_counter()
    manifest = open_dataset(DatasetConfig(name="table", root=str(folder), table=TableConfig(file="table.csv")))
    prepare(manifest, folder / "out", None)
    print(len(manifest), time.perf_counter() - start, before, mebibytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", type=int, help="rows of a table to write into --folder")
    parser.add_argument("--folder", type=Path, help="used by the processes that this one starts")
    asked = parser.parse_args()
    if asked.write:
        write_table(asked.folder / "table.csv", asked.write)
    elif asked.folder:
        timed(asked.folder)
    else:
        for rows, most in SIZES.items():
            with tempfile.TemporaryDirectory() as folder:
                again = [sys.executable, "-m", "tests.benchmarks.manifest", "--folder", folder]
                subprocess.run([*again, "--write", str(rows)], check=True)
                told = subprocess.run(again, check=True, capture_output=True, text=True).stdout.split()
            seconds, before, peak = (float(number) for number in told[1:])
            print(f"{rows:,} rows, {FINDINGS} findings: {seconds:.1f} s (target {most:.0f}),", end=" ")
            print(f"{peak:.0f} MiB at most, {before:.0f} of them before it began", flush=True)


if __name__ == "__main__":
    main()
