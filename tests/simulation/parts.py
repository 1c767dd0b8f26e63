"""Run many cells of a simulation on a few processes; what is done is kept, so that a stopped run goes on."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Work = Callable[[str, int], dict[str, Any]]
"""From the name of a cell and a number of replicates to its counts."""


def options(description: str, *, replicates: int, out: str) -> argparse.Namespace:
    """Read the command line that the simulations share; one thread a process from here on."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--replicates", type=int, default=replicates, help="a cell (default: %(default)s, nightly)")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", default="", help="only cells whose name holds this text")
    parser.add_argument("--out", type=Path, default=Path(out), help="table to write (default: %(default)s)")
    parser.add_argument("--keep", type=Path, help="file of finished cells (default: runs/simulation/NAME.jsonl)")
    chosen = parser.parse_args()
    chosen.keep = chosen.keep or Path("runs/simulation") / f"{chosen.out.stem}.jsonl"
    # Read by the libraries of the processes started below.
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
    return chosen


def simulate(
    names: Sequence[str], work: Work, *, replicates: int, processes: int, keep: Path
) -> Mapping[str, dict[str, Any]]:
    """Return the counts of each cell in the order of ``names``; a line of ``keep`` is one finished cell."""
    done = _finished(keep, replicates)
    todo = [(work, name, replicates) for name in names if name not in done]
    keep.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    # Forking a process that has threads of polars can hang.
    with multiprocessing.get_context("spawn").Pool(processes) as pool, keep.open("a") as file:
        for number, (name, counts) in enumerate(pool.imap_unordered(_one, todo), start=1):
            done[name] = counts
            file.write(json.dumps({"name": name, "replicates": replicates, "counts": counts}) + "\n")
            file.flush()
            print(f"{number} of {len(todo)} ({time.monotonic() - start:.0f} s): {name}", flush=True)
    return {name: done[name] for name in names}


def _one(task: tuple[Work, str, int]) -> tuple[str, dict[str, Any]]:
    work, name, replicates = task
    return name, work(name, replicates)


def _finished(keep: Path, replicates: int) -> dict[str, dict[str, Any]]:
    if not keep.exists():
        return {}
    lines = [json.loads(line) for line in keep.read_text().splitlines()]
    return {line["name"]: line["counts"] for line in lines if line["replicates"] == replicates}
