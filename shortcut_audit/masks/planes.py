"""Reads the planes of a mask store: from the file itself, or from the files of its shards where it is a view of them.

A view is for stores too large to be written a second time. Its planes are virtual arrays over ``masks.parts``, so that
plain h5py reads it too. HDF5 fills in what it does not find: here with 255, foreground that is known, so that a lost
part is never taken for an empty mask. This program does not read through the virtual arrays. It opens the parts, whose
SHA-256 the view holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from shortcut_audit.errors import OutputError
from shortcut_audit.masks.layout import PARTS, PLANES, SHARD, part_name
from shortcut_audit.masks.safe_open import safe_open
from shortcut_audit.masks.stamp import AGAIN
from shortcut_audit.provenance import copy_private, sha256_file

OPEN = 16
"""Parts that one process holds open."""


def check_parts(path: Path, digests: NDArray[np.uint8]) -> None:
    """Compare every part of a view with its SHA-256.

    Raises:
        OutputError: naming the first part that is missing or not what was written.
    """
    for part, digest in zip(part_paths(path, len(digests)), digests, strict=True):
        if not part.is_file():
            raise OutputError(f"{part} is missing; {path} is a view of the files in {PARTS}: keep them beside it")
        if bytes.fromhex(sha256_file(part)) != digest.tobytes():
            raise OutputError(f"{part} does not match its SHA-256: it was changed or damaged; {AGAIN}")


def copy_parts(source: Path, target: Path, count: int) -> None:
    """Copy the parts of a view beside another place."""
    target.with_name(PARTS).mkdir(exist_ok=True)
    for one, other in zip(part_paths(source, count), part_paths(target, count), strict=True):
        copy_private(one, other)


def part_paths(path: Path, count: int) -> list[Path]:
    """Return where the parts of a view lie."""
    return [path.with_name(PARTS) / part_name(shard) for shard in range(count)]


class Planes:
    """An open store. Reads one chunk by h5py's low-level calls: the others take three times as long.

    Args:
        path: the file.
        shapes: plane to the shape of one pair.

    Raises:
        ValueError: a plane is of another shape or type; the checksum of a part only says "as written".
    """

    def __init__(self, path: Path, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self._file = safe_open(path)
        for name, shape in shapes.items():
            found = self._file[name]
            if found.shape[1:] != shape or found.dtype.str[1:] != PLANES[name]:
                raise ValueError(f"'{name}' of {path.name} is {found.shape} {found.dtype}, expected pairs of {shape}")
        self._planes = {name: _Plane(self._file[name]) for name in shapes}

    def read(self, name: str, row: int) -> NDArray[Any]:
        """Return one plane of one pair."""
        return self._planes[name].read(row)

    def close(self) -> None:
        """Close the file."""
        self._planes = {}
        self._file.close()


class _Plane:
    """One array of which a chunk is a pair."""

    def __init__(self, dataset: h5py.Dataset) -> None:
        self._id, self._type, self._shape = dataset.id, dataset.dtype, dataset.shape[1:]
        self._space = dataset.id.get_space()
        self._memory = h5py.h5s.create_simple((1, *self._shape))

    def read(self, row: int) -> NDArray[Any]:
        self._space.select_hyperslab((row, *[0] * len(self._shape)), (1, *self._shape))
        values = np.empty(self._shape, self._type)
        self._id.read(self._memory, self._space, values)
        return values


class PartPlanes:
    """A view whose parts are opened as they are needed, the latest few at once."""

    def __init__(self, path: Path, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self._folder, self._shapes = path.with_name(PARTS), shapes
        self._open: dict[int, Planes] = {}

    def read(self, name: str, row: int) -> NDArray[Any]:
        """Return one plane of one pair."""
        shard, place = divmod(row, SHARD)
        if shard not in self._open:
            if len(self._open) >= OPEN:
                self._open.pop(next(iter(self._open))).close()
            self._open[shard] = Planes(self._folder / part_name(shard), self._shapes)
        return self._open[shard].read(name, place)

    def close(self) -> None:
        """Close all parts."""
        for planes in self._open.values():
            planes.close()
        self._open = {}
