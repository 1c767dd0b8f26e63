"""The mask store: ``masks.h5``, one sealed file of exactly one manifest and at most one model.

Format 2. The first 512 bytes are the stamp (see ``stamp.py``): name, version, length, SHA-256. What
follows is HDF5 1.10; any reader opens the file as it is. Every array is packed with gzip, whose
Adler-32 is checked at each read; all but the two planes, mask and heatmap, have fletcher32 too.
P pairs (sample, finding), N samples, F findings, masks of H x W pixels, W8 = ceil(W / 8), heat maps
of h x w, S = ceil(P / 64) shards.

    attributes     format, version, complete (1), kind (explained, imported), manifest and model
                   (fingerprints, SHA-256; model is empty for imported masks), settings (JSON: every
                   constant, or the source of imported masks), findings (JSON list of F names),
                   height, width, conditions (JSON list: why bytes may differ from another run's)
    sample_id      (N,)       bytes, UTF-8   every sample of the manifest that was asked for
    offset         (N+1,)     int64          sample n has the pairs offset[n] to offset[n+1] - 1
    finding        (P,)       int64          index into findings
    mask           (P,2,H,W8) uint8          0: foreground, 1: known (where 0 the mask says nothing);
                                             bits of a row, most significant first (numpy.packbits)
    heatmap        (P,h,w)    int8           signed attribution: value = heatmap * scale, logits a pixel,
                                             means over h x w equal fields; only where heat maps are kept
    scale          (P,)       float32        NaN: no heat map
    delta          (P,)       float32        completeness error; NaN: none promised
    steps          (P,)       int32          quadrature steps per baseline; -1: a method without steps
    threshold      (P,)       float32        smallest smoothed attribution in the mask; NaN: empty
    score          (P,)       float32        the classifier's score; NaN: made elsewhere
    foreground_px  (P,)       int32          pixels of the mask
    known_px       (P,)       int32          pixels on which it says anything
    shard_sha256   (S,32)     uint8          of the packed chunks of 64 pairs, pair by pair: mask, heatmap
    mean_image     (C,H,W)    float32        only where it was a baseline

One chunk a pair in mask and heatmap; the others are one chunk. A store of more than
``pseudo_mask.view_above_gb`` is a view: mask and heatmap are virtual arrays over ``masks.parts/shard-000000.h5``
and so on, 64 pairs each, beside the file; a pair whose part is lost reads as 255 (heatmap: -128), never as an
empty mask. HDF5 keeps every part open that it met through one array, and takes parts for lost beyond the limit of
open files: who reads with plain h5py takes the array anew, ``file["mask"][row]``. And there is

    part_sha256    (S,32)     uint8          of each part

The file holds ids byte for byte:
mode 0600, not to be shared.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from shortcut_audit.errors import InputError, OutputError, did_you_mean
from shortcut_audit.masks.heatmap import dequantise
from shortcut_audit.masks.layout import COLUMNS, PLANES, Columns, plane_shapes, shard_count
from shortcut_audit.masks.planes import PartPlanes, Planes, check_parts
from shortcut_audit.masks.record import Job, MaskRecord, Pairs, StoreHeader
from shortcut_audit.masks.safe_open import BROKEN, safe_open
from shortcut_audit.masks.stamp import AGAIN, FORMAT, VERSION, check_stamp
from shortcut_audit.shapes import Bools, Floats, Heatmap

NAME = "masks.h5"
_TYPES = {
    "sample_id": "S",
    "offset": "i8",
    "finding": "i8",
    "shard_sha256": "u1",
    "part_sha256": "u1",
    **PLANES,
    **COLUMNS,
}
_KINDS = ("explained", "imported")


class MaskStore:
    """Reads a sealed mask store. Holds no open file: each process opens its own at its first read.

    It can therefore be sent to workers (fork or spawn) and kept as long as one likes.

    Args:
        path: the file.

    Raises:
        OutputError: the file is not there, not finished, truncated or damaged.
        InputError: the file is whole, but not laid out as format 2.
    """

    def __init__(self, path: Path) -> None:
        check_stamp(path)
        self.path = path
        self._opened: dict[int, Planes | PartPlanes] = {}
        with safe_open(path, views=PLANES) as file:
            self.job, self.columns, self.conditions = _read_small(path, file)
            self.parts = len(file["part_sha256"]) if "part_sha256" in file else 0
            """Files that it is a view of; 0 where it is whole in itself."""
            if self.parts:
                check_parts(path, file["part_sha256"][:])
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
        foreground, known = self.mask(row)
        delta, threshold, score = (_number(self.columns[name][row]) for name in ("delta", "threshold", "score"))
        steps = int(self.columns["steps"][row])
        return MaskRecord(
            sample_id=self.pairs.sample_ids[self.pairs.sample[row]],
            finding=self.pairs.findings[self.pairs.finding[row]],
            heatmap=self.heatmap(row),
            foreground=foreground,
            known=known,
            delta=delta,
            steps=None if steps < 0 else steps,
            threshold=threshold,
            score=score,
        )

    def mask(self, row: int) -> Bools:
        """Return foreground and known (2,H,W) of one pair."""
        bits = np.unpackbits(self._read("mask", row), axis=-1, count=self.header.width)
        return bits.view(bool)

    def heatmap(self, row: int) -> Heatmap | None:
        """Return the heat map (h,w) of one pair; None where none was kept."""
        scale = self.columns["scale"][row]
        return None if np.isnan(scale) else dequantise(self._read("heatmap", row), scale)

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
                foreground[n, finding], known[n, finding] = self.mask(row)
        return foreground, known

    def scores(self, sample_ids: Sequence[str]) -> Floats:
        """Return the classifier's scores (n,F) of the samples; NaN for a pair that is not stored."""
        found = np.full((len(sample_ids), len(self.pairs.findings)), np.nan)
        for n, sample_id in enumerate(sample_ids):
            rows = list(self.rows(sample_id))
            found[n, self.pairs.finding[rows]] = self.columns["score"][rows]
        return found

    def close(self) -> None:
        """Close this process's file; the next read opens it again."""
        if planes := self._opened.pop(os.getpid(), None):
            planes.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": {}}

    def _read(self, name: str, row: int) -> NDArray[Any]:
        # Keyed by process: a handle that came along through a fork is never used.
        process = os.getpid()
        try:
            if process not in self._opened:
                shapes = plane_shapes(self.header)
                self._opened[process] = PartPlanes(self.path, shapes) if self.parts else Planes(self.path, shapes)
            return self._opened[process].read(name, row)
        except BROKEN as error:
            raise OutputError(f"{self.path}: '{name}' of pair {row} is damaged ({error}); {AGAIN}") from error


def is_whole(path: Path) -> bool:
    """Whether there is a store that can be read, with all parts of a view."""
    try:
        MaskStore(path)
    except (OutputError, InputError):
        return False
    return True


def _number(value: np.floating[Any]) -> float | None:
    return None if np.isnan(value) else float(value)


def _read_small(path: Path, file: h5py.File) -> tuple[Job, Columns, tuple[str, ...]]:
    """Read all but the planes, refusing arrays that do not fit each other: a stamp only says "as written"."""
    try:
        header = _read_header(file)
        problem = _array_problem(file, header) or _index_problem(file)
        if problem is None:
            columns = {name: file[name][:] for name in COLUMNS}
            conditions = tuple(json.loads(_attribute(file, "conditions")))
            return Job(header=header, pairs=_read_pairs(file)), columns, conditions
    except BROKEN as error:
        problem = str(error)
    raise InputError(f"{path} is not laid out as '{FORMAT}' {VERSION}: {problem}; {AGAIN}")


def _read_header(file: h5py.File) -> StoreHeader:
    if (kind := _attribute(file, "kind")) not in _KINDS:
        raise ValueError(f"the kind '{kind}' is not known")
    return StoreHeader(
        kind=kind,
        manifest=str(_attribute(file, "manifest")),
        model=str(_attribute(file, "model")) or None,
        settings=json.loads(_attribute(file, "settings")),
        height=int(_attribute(file, "height")),
        width=int(_attribute(file, "width")),
        heatmap_size=file["heatmap"].shape[1:] if "heatmap" in file else None,
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


def _array_problem(file: h5py.File, header: StoreHeader) -> str | None:
    pairs, samples = len(file["finding"]), len(file["sample_id"])
    shapes: dict[str, tuple[int, ...]] = {
        **dict.fromkeys(("finding", *COLUMNS), (pairs,)),
        "sample_id": (samples,),
        "offset": (samples + 1,),
        "shard_sha256": (shard_count(pairs), 32),
        **{name: (pairs, *shape) for name, shape in plane_shapes(header).items()},
    }
    viewed = "part_sha256" in file
    if viewed:
        shapes["part_sha256"] = (shard_count(pairs), 32)
    for name, expected in shapes.items():
        chunk = (None if viewed else (1, *expected[1:])) if name in PLANES else expected
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
