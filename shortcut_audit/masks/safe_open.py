"""The one door through which HDF5 files come in, because an HDF5 file can do more than hold numbers.

A link or external storage makes it read other files, a virtual data set or a missing chunk reads as
zeros, a shape larger than memory costs a kilobyte on disk, and object types run code of their own.
Our files are flat lists of chunked arrays of numbers or fixed-length text; all else is refused.
"""

from __future__ import annotations

import io
import math
from collections.abc import Container
from pathlib import Path

import h5py

from shortcut_audit.errors import InputError

MAX_CHUNK = 1 << 28
"""Bytes a chunk may unpack to."""
BROKEN = (OSError, RuntimeError, KeyError, TypeError, ValueError)
"""What h5py raises on damaged files, found by flipping bits."""
_FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}
_KINDS = "biufS"


def safe_open(path: Path, *, views: Container[str] = (), data: bytes | None = None) -> h5py.File:
    """Open an HDF5 file for reading after having looked at every object in it.

    Without HDF5's locks, which fail on network file systems; our files never change once named.
    The arrays ``views`` may be virtual: of these shape and type may be read, and never a value.
    With ``data`` these bytes are opened, which were read from the file.

    Raises:
        InputError: not readable as HDF5, or it holds what our files never hold.
    """
    file = None
    try:
        file = h5py.File(path if data is None else io.BytesIO(data), "r", locking=False)
        problems = [f"'{name}' {problem}" for name in file if (problem := _problem(file, name, views))]
    except BROKEN as error:
        if file is not None:
            file.close()
        raise InputError(f"{path} is not readable as HDF5 ({error}); bring a whole file") from error
    if problems:
        file.close()
        raise InputError(f"{path}: {problems[0]}; only plain chunked arrays are read")
    return file


def _problem(file: h5py.File, name: str, views: Container[str]) -> str | None:
    if problem := _link_problem(file, name):
        return problem
    if name in views and file[name].is_virtual:
        return None
    return _dataset_problem(file[name])


def _link_problem(file: h5py.File, name: str) -> str | None:
    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        return "is a link to somewhere else"
    if file.get(name, getclass=True) is not h5py.Dataset:
        return "is not an array"
    return None


def _dataset_problem(dataset: h5py.Dataset) -> str | None:
    if dataset.is_virtual or dataset.external:
        return "keeps its data in another file"
    if dataset.dtype.kind not in _KINDS:
        return f"is of type {dataset.dtype}"
    if dataset.chunks is None:
        return "is not chunked"
    if math.prod(dataset.chunks) * dataset.dtype.itemsize > MAX_CHUNK:
        return f"has chunks that unpack to more than {MAX_CHUNK} bytes"
    return _filter_problem(dataset) or _missing_chunks(dataset)


def _filter_problem(dataset: h5py.Dataset) -> str | None:
    plan = dataset.id.get_create_plist()
    codes = {plan.get_filter(index)[0] for index in range(plan.get_nfilters())}
    return None if codes <= _FILTERS else "uses a filter other than gzip, shuffle and fletcher32"


def _missing_chunks(dataset: h5py.Dataset) -> str | None:
    expected = math.prod(math.ceil(n / c) for n, c in zip(dataset.shape, dataset.chunks, strict=True))
    present = dataset.id.get_num_chunks()
    return None if present == expected else f"has {present} of {expected} chunks"
