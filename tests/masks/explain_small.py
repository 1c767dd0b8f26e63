"""Explains a small classifier into a folder; as a program it kills itself at the given number of fsync."""

import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from shortcut_audit.attribution.baselines import mean_image
from shortcut_audit.config import ExplainConfig, PseudoMaskConfig
from shortcut_audit.masks.make import explain_dataset
from shortcut_audit.masks.store import MaskStore

SAMPLES = 200


def small_net():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.SiLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(),
            nn.Linear(64, 2),
        )  # fmt: skip


def end_this_process():
    if multiprocessing.parent_process() is not None:
        os.kill(os.getpid(), signal.SIGKILL)


class Deadly(nn.Module):
    """A network that ends the process it is sent to, as a system does that has no memory left; larger than a pipe."""

    def __init__(self, when):
        super().__init__()
        self.inner, self.when = small_net(), when
        self.register_buffer("ballast", torch.zeros(100_000))

    def __setstate__(self, state):
        super().__setstate__(state)
        if self.when == "it arrives":
            end_this_process()

    def forward(self, pixels):
        end_this_process()
        return self.inner(pixels)


def small_set():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (SAMPLES, 1, 16, 16), dtype=np.uint8)
    labels = rng.choice([1.0, 0.0, -1.0, np.nan], size=(SAMPLES, 2), p=[0.5, 0.3, 0.1, 0.1])
    return pixels, labels


def explain_into(folder: Path, **changes) -> MaskStore:
    pixels, labels = small_set()
    arguments = {
        "models": [small_net()],
        "pixels": pixels,
        "sample_ids": [f"film-{n}" for n in range(SAMPLES)],
        "labels": labels,
        "findings": ["pneumothorax", "effusion"],
        "explain": ExplainConfig(steps=4, batch_size=16),
        "cut": PseudoMaskConfig(smooth_px=1, min_area_px=2),
        "mean": mean_image(pixels),
        "manifest": "m" * 64,
        "weights": ["w" * 64],
        "folder": folder,
    }
    arguments |= changes
    return explain_dataset(arguments.pop("models"), arguments.pop("pixels"), **arguments)


def explain_until_sync(folder: Path, count: int, processes: int = 1) -> subprocess.CompletedProcess:
    """Wait for a process that kills itself, and for all that it began: they hold its streams."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    asked = [sys.executable, __file__, str(folder), str(count), str(processes)]
    return subprocess.run(asked, capture_output=True, env=environment, check=False, timeout=120)


def die_at_sync(count: int) -> None:
    calls, sync = itertools.count(1), os.fsync

    def fsync(descriptor):
        if next(calls) == count:
            os.kill(os.getpid(), signal.SIGKILL)
        sync(descriptor)

    os.fsync = fsync


if __name__ == "__main__":
    torch.set_num_threads(1)
    die_at_sync(int(sys.argv[2]))
    explain_into(Path(sys.argv[1]), processes=int(sys.argv[3]))
