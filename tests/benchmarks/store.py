"""Speed, size and memory of the mask store, against a folder of PNG files.

``python -m tests.benchmarks.store``. Targets: 5,000 masks written a second a core, or 2,500 with heat maps, journal
and fsync included; at 224 px under 3 KB a mask and 8 KB a heat map (8 bit, 112 px); random reads at least 2.5 times
as fast as PNG files on 20,000 pairs, each read once from a fresh process; memory flat from 1,000 to 20,000 pairs.

The maps are smooth blobs with noise: a few signed Gaussian spots, and Laplace noise as Integrated Gradients has it.
They are cut by the default rule. Making them is not timed. Each part runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from shortcut_audit.config import PseudoMaskConfig
from shortcut_audit.masks.layout import SHARD
from shortcut_audit.masks.pseudo_mask import pseudo_mask
from shortcut_audit.masks.record import Job, MaskRecord, Pairs, StoreHeader
from shortcut_audit.masks.shards import ShardWriter
from shortcut_audit.masks.store import MaskStore

SIDE, HEAT = 224, 112
KINDS = 4 * SHARD
"""Different maps; they are repeated."""


def made_up(count: int) -> list[MaskRecord]:
    """Records of different maps, cut by the default rule."""
    rng = np.random.default_rng(0)
    records = []
    for n in range(count):
        spots = np.zeros((SIDE, SIDE))
        for sign in (1, 1, -1):
            spots[tuple(rng.integers(20, SIDE - 20, 2))] = sign
        signal = ndimage.gaussian_filter(spots, rng.uniform(6, 14))
        noise = rng.laplace(size=(SIDE, SIDE)) * (0.3 + signal / signal.max())
        heatmap = (signal / signal.max() + 0.5 * noise).astype(np.float32)
        mask = pseudo_mask(heatmap, PseudoMaskConfig())
        records.append(
            MaskRecord(
                sample_id=f"film-{n}", finding="finding", heatmap=heatmap, foreground=mask.foreground,
                known=mask.known, delta=0.01, steps=12, threshold=mask.threshold, score=0.5,
            )
        )  # fmt: skip
    return records


def write(folder: Path, pairs: int, *, heat: bool) -> dict[str, float]:
    """Write and seal a store; return wall and processor seconds, bytes and the growth of memory."""
    records = made_up(min(KINDS, pairs))
    header = StoreHeader(
        manifest="m" * 64, model="w" * 64, settings={}, height=SIDE, width=SIDE,
        heatmap_size=(HEAT, HEAT) if heat else None, mean_image=None,
    )  # fmt: skip
    index = Pairs(
        sample_ids=tuple(f"film-{n}" for n in range(pairs)), findings=("finding",),
        sample=np.arange(pairs), finding=np.zeros(pairs, dtype=np.int64),
    )  # fmt: skip
    before, wall, used = mebibytes(), time.perf_counter(), time.process_time()
    writer = ShardWriter(folder, Job(header=header, pairs=index))
    for shard in writer.todo:
        writer.write(shard, [records[row % len(records)] for row in writer.rows(shard)])
    path = writer.seal()
    return {
        "seconds": time.perf_counter() - wall, "processor": time.process_time() - used,
        "bytes": path.stat().st_size / pairs, "memory": mebibytes() - before,
    }  # fmt: skip


def write_png(folder: Path, pairs: int) -> dict[str, float]:
    """Write the same masks as PNG files, 8 bits as others save them."""
    records = made_up(min(KINDS, pairs))
    wall, used = time.perf_counter(), time.process_time()
    for row in range(pairs):
        Image.fromarray(records[row % len(records)].foreground.astype(np.uint8) * 255).save(folder / f"film-{row}.png")
    return {"seconds": time.perf_counter() - wall, "processor": time.process_time() - used}


def read(folder: Path, pairs: int) -> dict[str, float]:
    """Read every mask once in random order, opening and checking the store included."""
    order = np.random.default_rng(1).permutation(pairs)
    wall, used, seen = time.perf_counter(), time.process_time(), 0
    store = MaskStore(folder / "masks.h5")
    for row in order:
        seen += int(store.mask(int(row))[0, 112, 112])
    return {"seconds": time.perf_counter() - wall, "processor": time.process_time() - used, "memory": mebibytes()}


def read_png(folder: Path, pairs: int) -> dict[str, float]:
    """Read every PNG file once in random order."""
    order = np.random.default_rng(1).permutation(pairs)
    wall, used, seen = time.perf_counter(), time.process_time(), 0
    for row in order:
        with Image.open(folder / f"film-{row}.png") as image:
            seen += int((np.asarray(image) > 0)[112, 112])
    return {"seconds": time.perf_counter() - wall, "processor": time.process_time() - used}


def mebibytes() -> float:
    """The most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


PARTS = {
    "write": lambda folder, pairs: write(folder, pairs, heat=False),
    "write_heat": lambda folder, pairs: write(folder, pairs, heat=True),
    "write_png": write_png,
    "read": read,
    "read_png": read_png,
}


def alone(part: str, folder: Path, pairs: int) -> dict[str, float]:
    """Run one part in a fresh process."""
    asked = [sys.executable, "-m", "tests.benchmarks.store", "--part", part, "--folder", str(folder),
             "--pairs", str(pairs)]  # fmt: skip
    found: dict[str, float] = json.loads(subprocess.run(asked, capture_output=True, check=True, text=True).stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=20_000)
    parser.add_argument("--part", choices=list(PARTS))
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    if asked.part:
        print(json.dumps(PARTS[asked.part](asked.folder, asked.pairs)))
        return
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        report(Path(name), asked.pairs)


def report(root: Path, pairs: int) -> None:
    """Run all parts and print them beside their targets."""
    few = 1_000
    folders = {part: root / part for part in ("masks", "heat", "few", "few_heat", "png")}
    for folder in folders.values():
        folder.mkdir()
    for part, small, large, target, size in [
        ("write", "few", "masks", 5_000, 3_000), ("write_heat", "few_heat", "heat", 2_500, 11_000),
    ]:  # fmt: skip
        little = alone(part, folders[small], few)
        found = alone(part, folders[large], pairs)
        print(
            f"{part}: {pairs / found['seconds']:,.0f} a second by the clock, {pairs / found['processor']:,.0f} by "
            f"processor time (target {target:,}), {found['bytes']:,.0f} bytes a pair (target {size:,}); memory "
            f"+{little['memory']:.1f} MiB at {few:,} pairs, +{found['memory']:.1f} MiB at {pairs:,}",
            flush=True,
        )
    alone("write_png", folders["png"], pairs)
    for name, folder in [("masks", folders["masks"]), ("masks of a store with heat maps", folders["heat"])]:
        ours, theirs = alone("read", folder, pairs), alone("read_png", folders["png"], pairs)
        print(
            f"read {name}: {pairs / ours['seconds']:,.0f} a second, PNG {pairs / theirs['seconds']:,.0f}: "
            f"{theirs['seconds'] / ours['seconds']:.1f} times by the clock, "
            f"{theirs['processor'] / ours['processor']:.1f} by processor time (target 2.5)",
            flush=True,
        )


if __name__ == "__main__":
    main()
