"""A tiny run of the whole chain, made once by the installed program as a user would make it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("audit")
TINY = """
name: tiny
seed: 3
image: {size: 64, channels: 1}
dataset: {name: synthetic_cxr, options: {train: 48, val: 24, test: 60}}
classes: {pneumothorax: pneumothorax}
classifier: {architecture: test_resnet, epochs: 1, batch_size: 16}
segmenter: {encoder: tu-test_resnet, decoder_channels: [16, 8, 8, 8, 8], epochs: 1, pretrain_epochs: 1, batch_size: 16}
explain: {steps: 2, baseline: [blur]}
evaluate: {spurious: [chest_tube], saliency_images: 8, gallery: 4}
"""


def run_audit(folder: Path, *words: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the installed ``audit`` in a folder."""
    return subprocess.run(
        [PROGRAM, *map(str, words)], cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1", "NO_COLOR": "1", **env},
        text=True, capture_output=True, timeout=280, check=False,
    )  # fmt: skip


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A finished demo in the folder ``run``, its configuration beside it, and what it printed."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "tiny.yaml").write_text(TINY)
    done = run_audit(folder, "demo", "--config", "tiny.yaml", "--out", "run")
    assert done.returncode == 0, done.stderr
    return folder, done


@pytest.fixture
def study(finished, tmp_path):
    """A copy of the finished demo that a test may spoil."""
    shutil.copytree(finished[0], tmp_path / "study")
    return tmp_path / "study"
