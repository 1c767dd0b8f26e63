"""Writes a mask store so that a kill at any moment costs at most the shard in work.

A shard is 64 neighbouring pairs. It is built in memory, written whole, and then entered with its
SHA-256 into ``journal.jsonl``; only what the journal knows and whose hash fits counts as done. All
this lies in ``masks.work`` beside the store. Sealing copies the packed chunks of all shards into one
file, stamps it, gives it its name and removes ``masks.work``. Nothing is ever appended with
``resize``: the length would grow before the data land, and the tail would read as empty masks.
"""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from shortcut_audit.errors import OutputError
from shortcut_audit.masks.record import Job, MaskRecord
from shortcut_audit.masks.stamp import AGAIN, FORMAT, USER_BLOCK, VERSION, WORK, write_stamp
from shortcut_audit.masks.store import COLUMNS, NAME, PLANES, quantise
from shortcut_audit.provenance import PRIVATE, publish, sha256_bytes, write_atomic
from shortcut_audit.runtime import say

SHARD = 64
"""Pairs."""
_PACKING = {"compression": "gzip", "compression_opts": 1, "fletcher32": True}
_LIBVER = ("v110", "v110")


class ShardWriter:
    """Writes the shards of one job into a folder, goes on where an earlier process stopped, and seals.

    Shards of another job found in the folder are thrown away; they were nobody's result.

    Args:
        folder: where ``masks.h5`` shall lie.
        job: all that decides the content.

    Raises:
        OutputError: the folder cannot be written to.
    """

    def __init__(self, folder: Path, job: Job) -> None:
        self._job = job
        self._target = folder / NAME
        self._work = folder / WORK
        self._journal = self._work / "journal.jsonl"
        self._done = self._resume()

    @property
    def todo(self) -> list[int]:
        """Numbers of the shards still to be written."""
        return [shard for shard in range(self._count) if shard not in self._done]

    def rows(self, shard: int) -> range:
        """Return the pairs of a shard."""
        return range(shard * SHARD, min((shard + 1) * SHARD, len(self._job.pairs)))

    def write(self, shard: int, records: Sequence[MaskRecord], *, conditions: Sequence[str] = ()) -> None:
        """Write one shard and enter it into the journal.

        Args:
            shard: its number.
            records: its pairs, in order.
            conditions: why its bytes may differ from those of another run ("cuda", "out of memory", ...); kept
                in the journal and in the sealed store.

        Raises:
            OutputError: the disk is full, or the like; what was entered before stays valid.
        """
        data = _shard_bytes(records, shard)
        write_atomic(self._path(shard), data, mode=PRIVATE)
        entry = {"shard": shard, "sha256": sha256_bytes(data)} | ({"conditions": [*conditions]} if conditions else {})
        try:
            with self._journal.open("a") as stream:
                stream.write(json.dumps(entry) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise OutputError(f"{self._journal} could not be written: {error.strerror}; free some space") from error
        self._done[shard] = entry

    def seal(self) -> Path:
        """Make one file of all shards and return its path.

        Raises:
            OutputError: a shard is missing or was damaged since, or the disk has no room.
        """
        if self.todo:
            raise OutputError(f"{self._work}: {len(self.todo)} of {self._count} shards are missing; {AGAIN}")
        self._check_room()
        try:
            self._publish(self._work / NAME)
        except OSError as error:
            raise OutputError(f"{self._target} could not be written: {error}; free some space; {AGAIN}") from error
        shutil.rmtree(self._work)
        return self._target

    def _publish(self, temporary: Path) -> None:
        temporary.touch(mode=PRIVATE)
        with h5py.File(temporary, "w", libver=_LIBVER, userblock_size=USER_BLOCK) as file:
            _write_head(file, self._job)
            file.attrs["conditions"] = json.dumps(
                sorted({text for entry in self._done.values() for text in entry.get("conditions", ())})
            )
            columns = [self._copy(shard, file) for shard in range(self._count)]
            for name in COLUMNS:
                _column(file, name, np.concatenate([part[name] for part in columns]))
        write_stamp(temporary)
        publish(temporary, self._target)

    @property
    def _count(self) -> int:
        return -(-len(self._job.pairs) // SHARD)

    def _path(self, shard: int) -> Path:
        return self._work / f"shard-{shard:06d}.h5"

    def _resume(self) -> dict[int, dict[str, Any]]:
        entries = _journal_entries(self._journal)
        if self._work.exists() and entries[:1] != [{"job": self._job.fingerprint}]:
            say(f"{self._work} is left over from another run; it is thrown away")
            shutil.rmtree(self._work)
            entries = []
        done = {entry["shard"]: entry for entry in entries[1:] if self._is_good(entry)}
        lines = [{"job": self._job.fingerprint}, *done.values()]
        # Written anew, so that the next line does not continue a torn one.
        write_atomic(self._journal, "".join(json.dumps(line) + "\n" for line in lines), mode=PRIVATE)
        if done:
            say(f"going on: {len(done)} of {self._count} shards of masks are there already")
        return done

    def _is_good(self, entry: dict[str, Any]) -> bool:
        path = self._path(entry["shard"])
        return path.exists() and sha256_bytes(path.read_bytes()) == entry["sha256"]

    def _check_room(self) -> None:
        """A disk that fills up under HDF5 ends in a crash of the interpreter, so it is asked before."""
        needed = sum(self._path(shard).stat().st_size for shard in range(self._count))
        free = shutil.disk_usage(self._work).free
        if free < needed:
            raise OutputError(f"{self._target} needs {needed} bytes, {free} are free; free some space; {AGAIN}")

    def _copy(self, shard: int, file: h5py.File) -> dict[str, np.ndarray[Any, Any]]:
        """Copy the packed chunks of one shard and return its columns."""
        data = self._path(shard).read_bytes()
        if sha256_bytes(data) != self._done[shard]["sha256"]:
            raise OutputError(f"{self._path(shard)} was changed or damaged; {AGAIN}")
        with h5py.File(io.BytesIO(data), "r") as source:
            for name in PLANES:
                for place, row in enumerate(self.rows(shard)):
                    mask, chunk = source[name].id.read_direct_chunk((place, 0, 0))
                    file[name].id.write_direct_chunk((row, 0, 0), chunk, mask)
            return {name: source[name][:] for name in COLUMNS}


def _journal_entries(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a journal; a line that a kill tore is left out."""
    if not path.exists():
        return []
    entries = []
    for line in path.read_text(errors="replace").splitlines():
        try:
            entries.append(json.loads(line))
        except ValueError:
            continue
    return entries


def _shard_bytes(records: Sequence[MaskRecord], shard: int) -> bytes:
    quantised = [quantise(record.heatmap) for record in records]
    planes = {
        "heatmap": np.stack([steps for steps, _ in quantised]),
        "foreground": np.packbits([record.foreground for record in records], axis=-1),
        "known": np.packbits([record.known for record in records], axis=-1),
    }
    columns = {
        "scale": [scale for _, scale in quantised],
        "delta": [np.nan if record.delta is None else record.delta for record in records],
        "steps": [-1 if record.steps is None else record.steps for record in records],
        "threshold": [np.nan if record.threshold is None else record.threshold for record in records],
        "score": [record.score for record in records],
    }
    memory = io.BytesIO()
    with h5py.File(memory, "w", libver=_LIBVER) as file:
        file.attrs.update({"format": f"{FORMAT}: one shard", "version": VERSION, "complete": 0, "shard": shard})
        for name, values in planes.items():
            _plane(file, name, values.shape)[:] = values
        for name, dtype in COLUMNS.items():
            _column(file, name, np.array(columns[name], dtype=dtype))
    return memory.getvalue()


def _write_head(file: h5py.File, job: Job) -> None:
    header, pairs = job.header, job.pairs
    file.attrs.update({
        "format": FORMAT, "version": VERSION, "complete": 1,
        "manifest": header.manifest, "model": header.model, "height": header.height, "width": header.width,
        "settings": json.dumps(dict(header.settings)), "findings": json.dumps(pairs.findings),
    })  # fmt: skip
    counts = np.bincount(pairs.sample, minlength=len(pairs.sample_ids))
    _column(file, "sample_id", np.array([name.encode() for name in pairs.sample_ids]))
    _column(file, "offset", np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))
    _column(file, "finding", pairs.finding.astype(np.int64))
    if header.mean_image is not None:
        _column(file, "mean_image", header.mean_image)
    _plane(file, "heatmap", (len(pairs), header.height, header.width))
    for name in ("foreground", "known"):
        _plane(file, name, (len(pairs), header.height, -(-header.width // 8)))


def _plane(file: h5py.File, name: str, shape: tuple[int, ...]) -> h5py.Dataset:
    return file.create_dataset(name, shape, PLANES[name], chunks=(1, *shape[1:]), **_PACKING)


def _column(file: h5py.File, name: str, values: np.ndarray[Any, Any]) -> None:
    file.create_dataset(name, data=values, chunks=values.shape, **_PACKING)
