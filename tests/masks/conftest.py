"""A small job and its records, without a network: 150 pairs are three shards."""

import numpy as np
import pytest

from shortcut_audit.masks.record import Job, MaskRecord, Pairs, StoreHeader
from shortcut_audit.masks.shards import ShardWriter

HEIGHT, WIDTH = 10, 13


def _job(samples=100, **header):
    sample = np.sort(np.random.default_rng(0).choice(2 * samples, size=3 * samples // 2, replace=False))
    pairs = Pairs(
        sample_ids=tuple(f"film {n} é" for n in range(samples)),
        findings=("pneumothorax", "effusion"),
        sample=sample // 2,
        finding=sample % 2,
    )
    fields = {
        "manifest": "m" * 64, "model": "w" * 64, "settings": {"steps": 4}, "mean_image": None,
        "heatmap_size": (HEIGHT, WIDTH),
    } | header  # fmt: skip
    return Job(header=StoreHeader(height=HEIGHT, width=WIDTH, **fields), pairs=pairs)


def _records(job):
    rng = np.random.default_rng(1)
    return [
        MaskRecord(
            sample_id=job.pairs.sample_ids[sample],
            finding=job.pairs.findings[finding],
            heatmap=rng.normal(size=(HEIGHT, WIDTH)).astype(np.float32),
            foreground=(foreground := rng.random((HEIGHT, WIDTH)) < 0.3),
            known=foreground | (rng.random((HEIGHT, WIDTH)) < 0.5),
            delta=None if row % 7 == 0 else row / 1000,
            steps=None if row % 7 == 0 else row % 20,
            threshold=None if row % 5 == 0 else row / 100,
            score=row / 200,
        )
        for row, (sample, finding) in enumerate(zip(job.pairs.sample, job.pairs.finding, strict=True))
    ]


def _fill(folder, job, records):
    """Write what is still to be written, and seal."""
    writer = ShardWriter(folder, job)
    for shard in writer.todo:
        writer.write(shard, [records[row] for row in writer.rows(shard)])
    return writer.seal()


@pytest.fixture
def make_job():
    return _job


@pytest.fixture
def fill():
    return _fill


@pytest.fixture
def job():
    return _job()


@pytest.fixture
def records(job):
    return _records(job)


@pytest.fixture
def sealed(tmp_path, job, records):
    """The path of a finished store."""
    return _fill(tmp_path / "sealed", job, records)


def _square(manifest):
    """A job and records of 16 x 16 pixels for a manifest of four films and two findings.

    Pneumothorax leaves pixels open, effusion does not; one mask says nothing, one that nothing is there.
    """
    side, rng = 16, np.random.default_rng(2)
    pairs = Pairs(
        sample_ids=tuple(manifest.ids), findings=("pneumothorax", "effusion"),
        sample=np.array([0, 1, 1, 2, 3]), finding=np.array([0, 0, 1, 1, 0]),
    )  # fmt: skip
    header = StoreHeader(
        manifest=manifest.fingerprint, model="w" * 64, settings={}, height=side, width=side,
        heatmap_size=None, mean_image=None,
    )  # fmt: skip
    records = []
    for sample, finding in zip(pairs.sample, pairs.finding, strict=True):
        foreground = np.zeros((side, side), dtype=bool)
        foreground[4:9, 2:11] = True
        open_ = (rng.random((side, side)) < 0.2) & ~foreground if finding == 0 else foreground & ~foreground
        known = ~open_
        if sample == 2:
            foreground = foreground & ~foreground
        if sample == 3:
            foreground, known = foreground & ~foreground, known & ~known
        records.append(
            MaskRecord(
                sample_id=pairs.sample_ids[sample], finding=pairs.findings[finding], heatmap=None,
                foreground=foreground, known=known, delta=None, steps=None, threshold=None, score=0.5,
            )
        )  # fmt: skip
    return Job(header=header, pairs=pairs), records


@pytest.fixture
def make_square():
    return _square
