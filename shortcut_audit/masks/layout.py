"""How the arrays of a mask store lie in HDF5; what they mean stands in ``store.py``."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from shortcut_audit.masks.heatmap import quantise, shrink
from shortcut_audit.masks.record import Job, MaskRecord, StoreHeader
from shortcut_audit.masks.safe_open import safe_open
from shortcut_audit.masks.stamp import FORMAT, USER_BLOCK, VERSION
from shortcut_audit.shapes import Mask

SHARD = 64
"""Pairs."""
COLUMNS = {
    "scale": "f4", "delta": "f4", "steps": "i4", "threshold": "f4", "score": "f4",
    "foreground_px": "i4", "known_px": "i4",
}  # fmt: skip
"""One number a pair."""
PLANES = {"mask": "u1", "heatmap": "i1"}
"""One chunk a pair."""
_COLUMN_PACKING = {"compression": "gzip", "compression_opts": 1, "fletcher32": True}
_PLANE_PACKING = {"compression": "gzip", "compression_opts": 1}
"""No fletcher32: what gzip unpacks is checked by its own Adler-32, and fletcher32 found nothing more."""
_LIBVER = ("v110", "v110")
_BUFFER = 1 << 20
_ORIGIN = {"mask": (0, 0, 0), "heatmap": (0, 0)}
PARTS = "masks.parts"
"""Folder of the shards of a store that is a view of them, beside it."""
LOST = {"mask": 255, "heatmap": -128}
"""What a view reads as where a part is lost: foreground that is known; a value that no heat map has."""
Columns = dict[str, NDArray[Any]]
Chunks = dict[str, tuple[int, bytes]]
"""Plane to filter mask and packed bytes of one pair."""


def shard_count(pairs: int) -> int:
    """Return how many shards so many pairs are."""
    return -(-pairs // SHARD)


def part_name(shard: int) -> str:
    """Return the file name of a shard."""
    return f"shard-{shard:06d}.h5"


def shard_rows(shard: int, pairs: int) -> range:
    """Return the pairs of a shard."""
    return range(shard * SHARD, min((shard + 1) * SHARD, pairs))


def plane_shapes(header: StoreHeader) -> dict[str, tuple[int, ...]]:
    """Return the shape of one pair in every plane."""
    shapes: dict[str, tuple[int, ...]] = {"mask": (2, header.height, -(-header.width // 8))}
    if header.heatmap_size is not None:
        shapes["heatmap"] = header.heatmap_size
    return shapes


def shard_bytes(records: Sequence[MaskRecord], shard: int, header: StoreHeader) -> bytes:
    """Return one shard as the bytes of an HDF5 file: packed planes, and the columns side by side."""
    memory = io.BytesIO()
    with h5py.File(memory, "w", libver=_LIBVER) as file:
        file.attrs.update({"format": f"{FORMAT}: one shard", "version": VERSION, "complete": 0, "shard": shard})
        planes = {name: _plane(file, name, (len(records), *shape)) for name, shape in plane_shapes(header).items()}
        numbers = np.empty((len(records), len(COLUMNS)))
        for row, record in enumerate(records):
            steps, scale = _heat(record, header)
            values = {"mask": np.stack([_packed(record.foreground), _packed(record.known)]), "heatmap": steps}
            write_chunks(planes, row, {name: (0, _deflated(values[name])) for name in planes})
            numbers[row] = _numbers(record, scale)
        _column(file, "columns", numbers)
    return memory.getvalue()


def read_shard(path: Path, data: bytes) -> tuple[list[Chunks], Columns]:
    """Return the packed chunks of every pair of a shard, and its columns, of the bytes of its file.

    Raises:
        InputError: it holds what our files never hold.
    """
    with safe_open(path, data=data) as file:
        planes = {name: file[name] for name in PLANES if name in file}
        numbers = file["columns"][:]
        chunks = [read_chunks(planes, row) for row in range(len(numbers))]
    return chunks, {name: numbers[:, place].astype(dtype) for place, (name, dtype) in enumerate(COLUMNS.items())}


def _heat(record: MaskRecord, header: StoreHeader) -> tuple[NDArray[np.int8], float]:
    """Return the heat map as it is stored, and its scale: NaN where there is none."""
    if record.heatmap is None or header.heatmap_size is None:
        return np.zeros(header.heatmap_size or (0, 0), np.int8), np.nan
    return quantise(shrink(record.heatmap, header.heatmap_size))


def _numbers(record: MaskRecord, scale: float) -> list[float]:
    """Return one number for each of COLUMNS."""
    return [
        scale,
        np.nan if record.delta is None else record.delta,
        -1 if record.steps is None else record.steps,
        np.nan if record.threshold is None else record.threshold,
        np.nan if record.score is None else record.score,
        int(np.count_nonzero(record.foreground)),
        int(np.count_nonzero(record.known)),
    ]


def _packed(mask: Mask) -> NDArray[np.uint8]:
    """Return the bits of (H,W), each row in bytes of its own; in one go where rows end with a byte."""
    if mask.shape[1] % 8:
        return np.packbits(mask, axis=1)
    return np.packbits(mask.ravel()).reshape(mask.shape[0], -1)


def _deflated(values: NDArray[Any]) -> bytes:
    """Return bytes as HDF5's gzip filter would, in two thirds of the time.

    Only runs of equal bytes are searched for: masks have little else, and in the noise of a heat map
    longer matches are not found (9.7 kB with them, 9.4 kB without).
    """
    packer = zlib.compressobj(1, strategy=zlib.Z_RLE)
    return packer.compress(values.tobytes()) + packer.flush()


def create(memory: Any, job: Job, *, view: bool = False) -> h5py.File:
    """Open a new store to be filled: head, index, and empty planes or a view of the shards' planes."""
    header, pairs = job.header, job.pairs
    file = h5py.File(memory, "w", libver=_LIBVER, userblock_size=USER_BLOCK, meta_block_size=_BUFFER)
    file.attrs.update({
        "format": FORMAT, "version": VERSION, "complete": 1, "kind": header.kind,
        "manifest": header.manifest, "model": header.model or "", "height": header.height, "width": header.width,
        "settings": json.dumps(dict(header.settings)), "findings": json.dumps(pairs.findings),
    })  # fmt: skip
    counts = np.bincount(pairs.sample, minlength=len(pairs.sample_ids))
    _column(file, "sample_id", np.array([name.encode() for name in pairs.sample_ids]))
    _column(file, "offset", np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))
    _column(file, "finding", pairs.finding.astype(np.int64))
    if header.mean_image is not None:
        _column(file, "mean_image", header.mean_image)
    for name, shape in plane_shapes(header).items():
        (_view if view else _plane)(file, name, (len(pairs), *shape))
    return file


def finish(
    file: h5py.File,
    columns: Columns,
    digests: Sequence[bytes],
    conditions: Sequence[str],
    parts: Sequence[bytes] = (),
) -> None:
    """Write what is known only when all pairs are there; of a view also the SHA-256 of its parts."""
    for name in COLUMNS:
        _column(file, name, columns[name])
    for name, values in (("shard_sha256", digests), ("part_sha256", parts)):
        if values:
            _column(file, name, np.frombuffer(b"".join(values), np.uint8).reshape(-1, 32))
    file.attrs["conditions"] = json.dumps([*conditions])


def read_chunks(planes: Mapping[str, h5py.Dataset], row: int) -> Chunks:
    """Return filter mask and bytes of a pair's chunks, as they lie in the file."""
    return {name: planes[name].id.read_direct_chunk((row, *_ORIGIN[name])) for name in planes}


def write_chunks(planes: Mapping[str, h5py.Dataset], row: int, chunks: Chunks) -> None:
    """Write a pair's chunks as they are to lie in the file."""
    for name, (filters, data) in chunks.items():
        planes[name].id.write_direct_chunk((row, *_ORIGIN[name]), data, filters)


def _plane(file: h5py.File, name: str, shape: tuple[int, ...]) -> h5py.Dataset:
    return file.create_dataset(name, shape, PLANES[name], chunks=(1, *shape[1:]), **_PLANE_PACKING)


def _view(file: h5py.File, name: str, shape: tuple[int, ...]) -> None:
    whole = h5py.VirtualLayout(shape, PLANES[name])
    for shard in range(shard_count(shape[0])):
        rows = shard_rows(shard, shape[0])
        source = h5py.VirtualSource(f"{PARTS}/{part_name(shard)}", name, (len(rows), *shape[1:]), PLANES[name])
        whole[rows.start : rows.stop] = source
    file.create_virtual_dataset(name, whole, fillvalue=LOST[name])


def _column(file: h5py.File, name: str, values: NDArray[Any]) -> None:
    file.create_dataset(name, data=values, chunks=values.shape, **_COLUMN_PACKING)
