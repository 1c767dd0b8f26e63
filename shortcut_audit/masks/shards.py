"""Writes a mask store so that a kill at any moment costs at most the shard in work.

A shard is 64 neighbouring pairs. It is built in memory, written whole, and then entered with its
SHA-256 into ``journal.jsonl``; only what the journal knows and whose hash fits counts as done. All
this lies in ``masks.work`` beside the store. Sealing copies the packed chunks of all shards into one
file, stamps it, gives it its name and removes ``masks.work``. Where they are too large to be copied, the file
is a view of them, and ``masks.work`` becomes ``masks.parts``, journal and all: of a view that was damaged only
what is lost is written again. Nothing is ever appended with
``resize``: the length would grow before the data land, and the tail would read as empty masks.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from shortcut_audit.errors import OutputError
from shortcut_audit.masks.layout import (
    COLUMNS,
    PARTS,
    Columns,
    create,
    finish,
    part_name,
    plane_shapes,
    read_shard,
    shard_bytes,
    shard_count,
    shard_rows,
    write_chunks,
)
from shortcut_audit.masks.record import Job, MaskRecord
from shortcut_audit.masks.stamp import AGAIN, WORK, write_stamp
from shortcut_audit.masks.store import NAME
from shortcut_audit.provenance import PRIVATE, publish, sha256_bytes, write_atomic
from shortcut_audit.runtime import say


class ShardWriter:
    """Writes the shards of one job into a folder, goes on where an earlier process stopped, and seals.

    Shards of another job found in the folder are thrown away; they were nobody's result.

    Args:
        folder: where ``masks.h5`` shall lie.
        job: all that decides the content.
        view_above: bytes of all shards above which they stay where they are, and ``masks.h5`` is a view of them.

    Raises:
        OutputError: the folder cannot be written to.
    """

    def __init__(self, folder: Path, job: Job, *, view_above: float = math.inf) -> None:
        self._job, self._view_above = job, view_above
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
        return shard_rows(shard, len(self._job.pairs))

    def write(self, shard: int, records: Sequence[MaskRecord]) -> None:
        """Pack and write one shard; as :meth:`enter`."""
        self.enter(shard, shard_bytes(records, shard, self._job.header))

    def enter(self, shard: int, data: bytes, *, conditions: Sequence[str] = ()) -> None:
        """Write one packed shard and enter it into the journal.

        Args:
            shard: its number.
            data: its pairs, in order, packed by :func:`shard_bytes`.
            conditions: why its bytes may differ from those of another run ("cuda", "out of memory", ...); kept
                in the journal and in the sealed store.

        Raises:
            OutputError: the disk is full, or the like; what was entered before stays valid.
        """
        entry = {"shard": shard, "sha256": sha256_bytes(data)} | ({"conditions": [*conditions]} if conditions else {})
        # A name that a power failure took away is noticed: the journal is believed only where the hash fits.
        write_atomic(self._path(shard), data, mode=PRIVATE, sync_name=False)
        try:
            with self._journal.open("a") as stream:
                stream.write(json.dumps(entry) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise OutputError(f"{self._journal} could not be written: {error.strerror}; free some space") from error
        self._done[shard] = entry

    def discard(self) -> None:
        """Take away what was written: nobody will go on with it."""
        shutil.rmtree(self._work)
        with suppress(OSError):
            self._target.parent.rmdir()  # only where it was made for this

    def seal(self) -> Path:
        """Make one file of all shards and return its path.

        Raises:
            OutputError: a shard is missing or was damaged since, or the disk has no room.
        """
        if self.todo:
            raise OutputError(f"{self._work}: {len(self.todo)} of {self._count} shards are missing; {AGAIN}")
        view, parts = self._bytes() > self._view_above, self._target.with_name(PARTS)
        if not view:
            self._check_room()
        try:
            if parts.exists():  # of a store that is replaced
                shutil.rmtree(parts)
            self._publish(self._work / NAME, view=view)
            if view:  # killed here, the next call finds all shards in place and seals again
                self._work.rename(parts)
        except OSError as error:
            raise OutputError(f"{self._target} could not be written: {error}; free some space; {AGAIN}") from error
        if not view:
            shutil.rmtree(self._work)
        return self._target

    def _publish(self, temporary: Path, *, view: bool) -> None:
        temporary.touch(mode=PRIVATE)
        columns: list[Columns] = []
        digests = []
        with create(temporary, self._job, view=view) as file:
            planes = {} if view else {name: file[name] for name in plane_shapes(self._job.header)}
            for shard in range(self._count):
                part, digest = self._copy(shard, planes)
                columns.append(part)
                digests.append(digest)
            whole = {name: np.concatenate([part[name] for part in columns]) for name in COLUMNS}
            hashes = [bytes.fromhex(self._done[shard]["sha256"]) for shard in range(self._count)]
            finish(file, whole, digests, self._conditions, hashes if view else ())
        write_stamp(temporary)
        publish(temporary, self._target)

    @property
    def _conditions(self) -> list[str]:
        return sorted({text for entry in self._done.values() for text in entry.get("conditions", ())})

    @property
    def _count(self) -> int:
        return shard_count(len(self._job.pairs))

    def _path(self, shard: int) -> Path:
        return self._work / part_name(shard)

    def _bytes(self) -> int:
        return sum(self._path(shard).stat().st_size for shard in range(self._count))

    def _resume(self) -> dict[int, dict[str, Any]]:
        parts = self._target.with_name(PARTS)
        if not self._work.exists() and self._is_ours(_journal_entries(parts / self._journal.name)):
            parts.rename(self._work)
        entries = _journal_entries(self._journal)
        if self._work.exists() and not self._is_ours(entries):
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

    def _is_ours(self, entries: list[dict[str, Any]]) -> bool:
        return entries[:1] == [{"job": self._job.fingerprint}]

    def _is_good(self, entry: dict[str, Any]) -> bool:
        path = self._path(entry["shard"])
        return path.exists() and sha256_bytes(path.read_bytes()) == entry["sha256"]

    def _check_room(self) -> None:
        """A disk that fills up under HDF5 ends in a crash of the interpreter, so it is asked before."""
        needed = self._bytes()
        free = shutil.disk_usage(self._work).free
        if free < needed:
            raise OutputError(f"{self._target} needs {needed} bytes, {free} are free; free some space; {AGAIN}")

    def _copy(self, shard: int, planes: Mapping[str, h5py.Dataset]) -> tuple[Columns, bytes]:
        """Copy the packed chunks of one shard; return its columns and the SHA-256 of the chunks."""
        data = self._path(shard).read_bytes()
        if sha256_bytes(data) != self._done[shard]["sha256"]:
            raise OutputError(f"{self._path(shard)} was changed or damaged; {AGAIN}")
        digest = hashlib.sha256()
        chunks, columns = read_shard(self._path(shard), data)
        for row, pair in zip(self.rows(shard), chunks, strict=True):
            if planes:
                write_chunks(planes, row, pair)
            for _, packed in pair.values():
                digest.update(packed)
        return columns, digest.digest()


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
