"""What the explain stage costs beside its bare forward and backward passes, and how its memory grows.

``python -m tests.benchmarks.explain_stage``: from image files to the sealed store, against the same passes (recorded
once: same shapes, order and number, same network) without anything else, by turns in one process. Target: at most 10 %
more. ``--memory``: the most memory of a fresh process, from a pixel cache, which is memory-mapped. Target: flat from
1,000 to 20,000 pairs with a small network and from 200 to 2,000 with a real one.

Weights are random: they change neither passes nor bytes much. Films are smooth noise, so masks are of many parts.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import polars as pl
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from torch.nn.modules.module import register_module_forward_hook

from shortcut_audit.config import Config
from shortcut_audit.data.manifest import DataCard, Manifest, read_manifest
from shortcut_audit.models.card import ClassifierCard
from shortcut_audit.models.checkpoint import load_model, save_model
from shortcut_audit.models.classifier import Classifier, build_classifier
from shortcut_audit.runs import open_run
from shortcut_audit.stages.explain import explain_training_films
from shortcut_audit.stages.prepare import prepare
from shortcut_audit.stages.study import Study

KINDS = 64
"""Different films; where more are asked for they are repeated."""
NOISE = 4
A_FILM = 4
"""Pairs, where memory is measured."""
Passes = list[tuple[tuple[int, ...], int]]
"""Shape of a batch, and how many backward passes it had."""


def made_up(root: Path, films: int, *, size: int, findings: int, positives: float) -> Manifest:
    """Grey PNG files of twice the working size, with so many positive findings a film in the mean."""
    rng, names = np.random.default_rng(0), [f"{number}" for number in range(films)]
    for number in range(min(films, KINDS)):
        smooth = gaussian_filter(rng.normal(size=(2 * size, 2 * size)), size / 16)
        grey = 128 + 50 * smooth / smooth.std() + rng.normal(0, NOISE, smooth.shape)
        Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(root / f"{number}.png")
    labels = np.zeros((films, findings))
    first = rng.random((films, findings)).argsort(axis=1)
    labels[first < np.round(positives + rng.uniform(-0.5, 0.5, (films, 1)))] = 1
    frame = pl.DataFrame({
        "sample_id": names, "image": [f"{number % KINDS}.png" for number in range(films)], "split": "train",
        **{f"label.f{k}": labels[:, k] for k in range(findings)},
    })  # fmt: skip
    return Manifest.from_frame(frame, card=DataCard(name="made up"), root=root, where="made up")


def network(root: Path, name: str, *, size: int, findings: int) -> Path:
    """A classifier of random weights as a file."""
    torch.manual_seed(0)
    card = ClassifierCard(
        architecture=name, findings=tuple(f"f{k}" for k in range(findings)), channels=1, size=size, mean=(0.5,),
        std=(0.2,), seed=0,
    )  # fmt: skip
    save_model(build_classifier(card).eval(), root / "classifier.safetensors")
    return root / "classifier.safetensors"


def stage(manifest: Manifest, config: Config, weights: Path) -> int:
    """Run the stage into a new folder and return how many pairs it explained."""
    with tempfile.TemporaryDirectory(dir=weights.parent) as folder:
        with open_run("explain", config, out=Path(folder) / "run", new=True) as run:
            explain_training_films(Study(run, config, manifest), [weights])
        return int(manifest.frame.select(pl.sum_horizontal(pl.col("^label.*$")).sum()).item())


def record(manifest: Manifest, config: Config, weights: Path) -> Passes:
    """Run the stage once and return the batches of its network, and how often a gradient was taken of each."""
    passes: Passes = []

    def see(module: torch.nn.Module, given: tuple[torch.Tensor, ...], logits: torch.Tensor) -> None:
        if not isinstance(module, Classifier):
            return
        place = len(passes)
        passes.append((tuple(given[0].shape), 0))
        if logits.requires_grad:
            logits.register_hook(lambda _: passes.__setitem__(place, (passes[place][0], passes[place][1] + 1)))  # type: ignore[no-untyped-call]

    handle = register_module_forward_hook(see)
    stage(manifest, config, weights)
    handle.remove()
    return passes


def bare(model: torch.nn.Module, passes: Passes) -> None:
    """Do the passes and nothing else."""
    for shape, gradients in passes:
        points = torch.rand(shape).contiguous(memory_format=torch.channels_last).requires_grad_(gradients > 0)
        with torch.set_grad_enabled(gradients > 0):
            logits = model(points)
            for turn in range(gradients):
                torch.autograd.grad(logits[:, 0].sum(), points, retain_graph=turn + 1 < gradients)


def overhead(asked: argparse.Namespace, root: Path) -> None:
    """Print what the stage took beside its passes."""
    positives = 2.3 if asked.findings > 1 else 1
    manifest = made_up(root, asked.films, size=asked.size, findings=asked.findings, positives=positives)
    weights = network(root, asked.network, size=asked.size, findings=asked.findings)
    config = Config.model_validate({"image": {"size": asked.size}, "explain": {"steps": asked.steps}})
    passes = record(manifest, config, weights)
    model = load_model(weights).to(memory_format=torch.channels_last).requires_grad_(False)
    spent = {"stage": np.zeros(2), "bare": np.zeros(2)}
    pairs = 0
    for turn in range(asked.times):
        for name in ("stage", "bare") if turn % 2 else ("bare", "stage"):
            start = np.array([time.process_time(), time.perf_counter()])
            if name == "stage":
                pairs = stage(manifest, config, weights)
            else:
                bare(model, passes)
            spent[name] += np.array([time.process_time(), time.perf_counter()]) - start
        ratio = spent["stage"] / spent["bare"] - 1
        print(
            f"{asked.network}, {asked.size} px, {asked.films} films, {pairs} pairs, {len(passes)} forward and "
            f"{sum(n for _, n in passes)} backward passes, {turn + 1} times: stage {spent['stage'][0]:.1f} s, "
            f"bare {spent['bare'][0]:.1f} s of processor time: {ratio[0]:+.1%}; by the clock {ratio[1]:+.1%} "
            "(target +10 %)",
            flush=True,
        )


class Watch(threading.Thread):
    """Looks at the memory of this process that no file backs, until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most, self.over = 0.0, threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.02):
            self.most = max(self.most, mebibytes("RssAnon"))


def mebibytes(what: str) -> float:
    """A line of what the system says of this process. (``getrusage`` begins with the memory of the parent.)"""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{what}:"))


def config_of(size: int) -> Config:
    """Few steps: how many there are does not change the memory."""
    return Config.model_validate({"image": {"size": size}, "explain": {"steps": 2, "baseline": ["mean"]}})


def held(root: Path) -> dict[str, float]:
    """Run the stage once on what was prepared; return the most memory of all, and the most that no file backs."""
    manifest, weights = read_manifest(root / "prepared"), root / "classifier.safetensors"
    watch = Watch()
    watch.start()
    stage(manifest, config_of(load_model(weights).card.size), weights)
    watch.over.set()
    watch.join()
    return {"all": mebibytes("VmHWM"), "anonymous": watch.most}


def memory(name: str, size: int, counts: tuple[int, int]) -> None:
    """Print the memory at two numbers of pairs, four a film, each from a process of its own."""
    found = []
    for pairs in counts:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            manifest = made_up(root, pairs // A_FILM, size=size, findings=A_FILM, positives=A_FILM)
            prepare(manifest, root / "prepared", image=config_of(size).image)
            network(root, name, size=size, findings=A_FILM)
            command = [sys.executable, "-m", "tests.benchmarks.explain_stage", "--held", folder]
            done = subprocess.run(command, capture_output=True, check=True, text=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
        print(
            f"{name}, {size} px, {pairs:,} pairs: {found[-1]['all']:.0f} MiB, of these {found[-1]['anonymous']:.0f} "
            f"backed by no file; the pixel cache has {pairs // A_FILM * size * size / 2**20:.0f}",
            flush=True,
        )
    grown = {kind: found[1][kind] - found[0][kind] for kind in found[0]}
    print(f"{name}: {grown['all']:+.0f} MiB, backed by no file {grown['anonymous']:+.0f} (target: flat)", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", default="resnet18")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--films", type=int, default=28)
    parser.add_argument("--findings", type=int, default=14)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--memory", action="store_true", help="measure memory, not time")
    parser.add_argument("--held", type=Path, help="one measurement of memory, as JSON")
    asked = parser.parse_args()
    if asked.held:
        print(json.dumps(held(asked.held)))
    elif asked.memory:
        memory("test_resnet", 64, (1_000, 20_000))
        memory("resnet18", 96, (200, 2_000))
    else:
        with tempfile.TemporaryDirectory() as name:
            overhead(asked, Path(name))


if __name__ == "__main__":
    main()
