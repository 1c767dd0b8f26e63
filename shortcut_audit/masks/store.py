"""The mask store: ``masks.h5``, one sealed file of exactly one manifest and one model.

Format 1. The first 512 bytes are the stamp (see ``stamp.py``): name, version, length, SHA-256. What
follows is HDF5 1.10, gzip and fletcher32 on every array; any HDF5 reader opens the file as it is.
P pairs (sample, finding), N samples, F findings, masks of H x W pixels, W8 = ceil(W / 8).

    attributes    format, version, complete (1), manifest, model (fingerprints, SHA-256),
                  settings (JSON: every constant), findings (JSON list of F names), height, width,
                  conditions (JSON list: why bytes may differ from those of another run)
    sample_id     (N,)      bytes, UTF-8   every sample of the manifest that was asked for
    offset        (N+1,)    int64          sample n has the pairs offset[n] to offset[n+1] - 1
    finding       (P,)      int64          index into findings
    heatmap       (P,H,W)   int8           signed attribution: value = heatmap * scale, logits
    scale         (P,)      float32
    foreground    (P,H,W8)  uint8          bits of a row, most significant first (numpy.packbits)
    known         (P,H,W8)  uint8          same; where 0 the mask says nothing
    delta         (P,)      float32        completeness error; NaN: the method promises none
    steps         (P,)      int32          quadrature steps per baseline; -1: a method without steps
    threshold     (P,)      float32        smallest smoothed attribution in the mask; NaN: empty
    score         (P,)      float32        the classifier's score
    mean_image    (C,H,W)   float32        only where it was a baseline

One chunk a pair in heatmap, foreground and known; the others are one chunk. The file holds ids byte
for byte: mode 0600, not to be shared.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from shortcut_audit.errors import InputError, OutputError, did_you_mean
from shortcut_audit.masks.record import Job, MaskRecord, Pairs, StoreHeader
from shortcut_audit.masks.safe_open import BROKEN, safe_open
from shortcut_audit.masks.stamp import AGAIN, FORMAT, VERSION, check_stamp
from shortcut_audit.shapes import Bools, Floats, Heatmap, Mask

NAME = "masks.h5"
COLUMNS = {"scale": "f4", "delta": "f4", "steps": "i4", "threshold": "f4", "score": "f4"}
PLANES = {"heatmap": "i1", "foreground": "u1", "known": "u1"}
_TYPES = {"sample_id": "S", "offset": "i8", "finding": "i8", **PLANES, **COLUMNS}


class MaskStore:
    """Reads a sealed mask store. Holds no open file: each process opens its own at its first read.

    It can therefore be sent to workers (fork or spawn) and kept as long as one likes.

    Args:
        path: the file.

    Raises:
        OutputError: the file is not there, not finished, truncated or damaged.
        InputError: the file is whole, but not laid out as format 1.
    """

    def __init__(self, path: Path) -> None:
        check_stamp(path)
        self.path = path
        self._handles: dict[int, h5py.File] = {}
        with safe_open(path) as file:
            self.job, self._columns = _read_small(path, file)
            self.conditions: tuple[str, ...] = tuple(json.loads(file.attrs.get("conditions", "[]")))
        self._offset = np.searchsorted(self.pairs.sample, np.arange(len(self.pairs.sample_ids) + 1))
        self._row_of = {sample_id: n for n, sample_id in enumerate(self.job.pairs.sample_ids)}

    @property
    def header(self) -> StoreHeader:
        """What the store was made from."""
        return self.job.header

    @property
    def pairs(self) -> Pairs:
        """Which pairs it holds."""
        return self.job.pairs

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, row: int) -> MaskRecord:
        row = range(len(self))[row]
        delta, threshold, steps = (self._columns[name][row] for name in ("delta", "threshold", "steps"))
        return MaskRecord(
            sample_id=self.pairs.sample_ids[self.pairs.sample[row]],
            finding=self.pairs.findings[self.pairs.finding[row]],
            heatmap=dequantise(self._read("heatmap", row), self._columns["scale"][row]),
            foreground=self._bits("foreground", row),
            known=self._bits("known", row),
            delta=None if np.isnan(delta) else float(delta),
            steps=None if steps < 0 else int(steps),
            threshold=None if np.isnan(threshold) else float(threshold),
            score=float(self._columns["score"][row]),
        )

    def rows(self, sample_id: str) -> range:
        """Return the rows of one sample's pairs; empty if it has none.

        Raises:
            InputError: the store knows no such sample.
        """
        if sample_id not in self._row_of:
            guess = did_you_mean(sample_id, self._row_of) if len(self._row_of) < 10_000 else ""
            raise InputError(f"{self.path} holds no sample '{sample_id}'{guess}; it was made from another manifest")
        n = self._row_of[sample_id]
        return range(int(self._offset[n]), int(self._offset[n + 1]))

    def for_sample(self, sample_id: str) -> list[MaskRecord]:
        """Return the records of one sample, in the order of the findings."""
        return [self[row] for row in self.rows(sample_id)]

    def planes(self, sample_ids: Sequence[str]) -> tuple[Bools, Bools]:
        """Return foreground and known (n,F,H,W) of the samples; a pair that is not stored is not known."""
        shape = (len(sample_ids), len(self.pairs.findings), self.header.height, self.header.width)
        foreground, known = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
        for n, sample_id in enumerate(sample_ids):
            for row in self.rows(sample_id):
                finding = self.pairs.finding[row]
                foreground[n, finding] = self._bits("foreground", row)
                known[n, finding] = self._bits("known", row)
        return foreground, known

    def scores(self, sample_ids: Sequence[str]) -> Floats:
        """Return the classifier's scores (n,F) of the samples; NaN for a pair that is not stored."""
        found = np.full((len(sample_ids), len(self.pairs.findings)), np.nan)
        for n, sample_id in enumerate(sample_ids):
            rows = list(self.rows(sample_id))
            found[n, self.pairs.finding[rows]] = self._columns["score"][rows]
        return found

    def close(self) -> None:
        """Close this process's file; the next read opens it again."""
        if handle := self._handles.pop(os.getpid(), None):
            handle.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_handles": {}}

    def _bits(self, name: str, row: int) -> Mask:
        bits: Mask = np.unpackbits(self._read(name, row), axis=-1, count=self.header.width).astype(bool)
        return bits

    def _read(self, name: str, row: int) -> Any:
        # Keyed by process: a handle that came along through a fork is never used.
        process = os.getpid()
        if process not in self._handles:
            self._handles[process] = safe_open(self.path)
        try:
            return self._handles[process][name][row]
        except BROKEN as error:
            raise OutputError(f"{self.path}: '{name}' of pair {row} is damaged ({error}); {AGAIN}") from error


def quantise(heatmap: Heatmap) -> tuple[np.ndarray[Any, np.dtype[np.int8]], float]:
    """Return a heatmap in 8 bits and the scale that gives it back."""
    scale = np.float32(np.abs(heatmap).max() / 127)
    steps = np.rint(heatmap / scale) if scale > 0 else np.zeros_like(heatmap)
    return steps.astype(np.int8), float(scale)


def dequantise(steps: np.ndarray[Any, np.dtype[np.int8]], scale: float) -> Heatmap:
    """Return the heatmap that ``quantise`` took, to within half a scale."""
    return steps.astype(np.float32) * np.float32(scale)


def _read_small(path: Path, file: h5py.File) -> tuple[Job, dict[str, Any]]:
    """Read all but the planes, refusing arrays that do not fit each other: a stamp only says "as written"."""
    try:
        problem = _array_problem(file) or _index_problem(file)
        if problem is None:
            job = Job(header=_read_header(file), pairs=_read_pairs(file))
            return job, {name: file[name][:] for name in COLUMNS}
    except BROKEN as error:
        problem = str(error)
    raise InputError(f"{path} is not laid out as '{FORMAT}' {VERSION}: {problem}; {AGAIN}")


def _read_header(file: h5py.File) -> StoreHeader:
    return StoreHeader(
        manifest=str(_attribute(file, "manifest")),
        model=str(_attribute(file, "model")),
        settings=json.loads(_attribute(file, "settings")),
        height=int(_attribute(file, "height")),
        width=int(_attribute(file, "width")),
        mean_image=file["mean_image"][:] if "mean_image" in file else None,
    )


def _read_pairs(file: h5py.File) -> Pairs:
    counts = np.diff(file["offset"][:])
    return Pairs(
        sample_ids=tuple(name.decode() for name in file["sample_id"][:].tolist()),
        findings=tuple(json.loads(_attribute(file, "findings"))),
        sample=np.repeat(np.arange(len(counts)), counts),
        finding=file["finding"][:],
    )


def _attribute(file: h5py.File, name: str) -> Any:
    if name not in file.attrs:
        raise ValueError(f"attribute '{name}' is missing")
    return file.attrs[name]


def _array_problem(file: h5py.File) -> str | None:
    height, width = int(_attribute(file, "height")), int(_attribute(file, "width"))
    pairs, samples = len(file["finding"]), len(file["sample_id"])
    packed = (pairs, height, -(-width // 8))
    shapes = dict.fromkeys(("finding", *COLUMNS), (pairs,)) | {
        "sample_id": (samples,),
        "offset": (samples + 1,),
        "heatmap": (pairs, height, width),
        "foreground": packed,
        "known": packed,
    }
    for name, expected in shapes.items():
        chunk = (1, *expected[1:]) if name in PLANES else expected
        if not file[name].dtype.str[1:].startswith(_TYPES[name]):
            return f"'{name}' is of type {file[name].dtype}, expected {_TYPES[name]}"
        if file[name].shape != expected or file[name].chunks != chunk:
            return f"'{name}' is {file[name].shape} in chunks of {file[name].chunks}, expected {expected} in {chunk}"
    if "mean_image" in file and file["mean_image"].chunks != file["mean_image"].shape:
        return "'mean_image' is more than one chunk"
    return None


def _index_problem(file: h5py.File) -> str | None:
    offset, finding = file["offset"][:], file["finding"][:]
    if offset[0] != 0 or offset[-1] != len(finding) or (np.diff(offset) < 0).any():
        return "'offset' does not cut the pairs into samples"
    if finding.min() < 0 or finding.max() >= len(json.loads(_attribute(file, "findings"))):
        return "'finding' points beyond the list of findings"
    return None
