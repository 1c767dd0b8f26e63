"""Is a mask store what was sealed, and if not, which pairs are damaged?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py

from shortcut_audit.data.manifest import Manifest
from shortcut_audit.errors import InputError, OutputError
from shortcut_audit.masks.layout import PLANES, read_chunks, shard_count, shard_rows
from shortcut_audit.masks.planes import part_paths
from shortcut_audit.masks.safe_open import BROKEN, safe_open
from shortcut_audit.masks.stamp import AGAIN, ChangedError, check_stamp
from shortcut_audit.masks.store import MaskStore

SHOWN = 5
"""How many damaged places a message names."""


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What was found whole; ``bytes`` are of the file, and of the parts that it is a view of."""

    pairs: int
    shards: int
    bytes: int
    of_manifest: bool | None


def verify_store(path: Path, manifest: Manifest | None = None) -> Verified:
    """Recompute every checksum of a store, and hold it against a manifest if there is one.

    Raises:
        OutputError: not there, no store, of another version, truncated, or damaged; the message names the
            shards and pairs.
        InputError: whole, but not laid out as a store, or of another manifest.
    """
    try:
        check_stamp(path)
    except ChangedError as error:
        raise OutputError(f"{error}; {_where(path)}") from error
    store = MaskStore(path)
    # Of a view every part was compared with its checksum when it was opened.
    if damaged := [] if store.parts else list(_damaged(path)):
        raise OutputError(f"{path}: {_shown(damaged)}; {AGAIN}")
    if manifest is not None:
        _check_manifest(store, manifest)
    files = [path, *part_paths(path, store.parts)]
    return Verified(
        pairs=len(store), shards=shard_count(len(store)), bytes=sum(file.stat().st_size for file in files),
        of_manifest=None if manifest is None else True,
    )  # fmt: skip


def _where(path: Path) -> str:
    """Say which pairs of a store are damaged, as far as it can still be read."""
    try:
        damaged = list(_damaged(path))
    except (InputError, *BROKEN):
        return "its head or index is damaged, so no pair of it can be trusted"
    return _shown(damaged) if damaged else "no pair is damaged: the damage lies in the stamp, the head or a column"


def _shown(damaged: list[str]) -> str:
    more = f" and {len(damaged) - SHOWN} more" if len(damaged) > SHOWN else ""
    return "damaged: " + "; ".join(damaged[:SHOWN]) + more


def _damaged(path: Path) -> Iterator[str]:
    """Yield what is damaged, shard by shard."""
    with safe_open(path) as file:
        planes = {name: file[name] for name in PLANES if name in file}
        pairs, digests = len(file["finding"]), file["shard_sha256"][:]
        for shard in range(shard_count(pairs)):
            rows = shard_rows(shard, pairs)
            if _digest(planes, rows) == digests[shard].tobytes():
                continue
            broken = [row for row in rows if _is_broken(planes, row)]
            named = [_named(file, row) for row in broken] or [f"pairs {rows[0]} to {rows[-1]}"]
            yield from (f"shard {shard}, {name}" for name in named)


def _digest(planes: dict[str, h5py.Dataset], rows: range) -> bytes:
    digest = hashlib.sha256()
    for row in rows:
        try:
            for _, packed in read_chunks(planes, row).values():
                digest.update(packed)
        except BROKEN:
            return b""
    return digest.digest()


def _is_broken(planes: dict[str, h5py.Dataset], row: int) -> bool:
    try:
        for plane in planes.values():
            plane[row]
    except BROKEN:
        return True
    return False


def _named(file: h5py.File, row: int) -> str:
    """Return number, sample and finding of a pair; the number alone where the index is damaged."""
    try:
        offset = file["offset"][:]
        sample = int((offset <= row).sum()) - 1
        return f"pair {row} (sample '{file['sample_id'][sample].decode()}')"
    except BROKEN:
        return f"pair {row}"


def _check_manifest(store: MaskStore, manifest: Manifest) -> None:
    if store.header.manifest == manifest.fingerprint:
        return
    known = set(manifest.ids)
    missing = [name for name in store.pairs.sample_ids if name not in known]
    names = "".join(f" '{name}'" for name in missing[:SHOWN])
    what = f"{len(missing)} of its samples are not in it:{names}" if missing else "all its samples are in it"
    raise InputError(
        f"{store.path} was made from another manifest than that of '{manifest.card.name}' ({what}); "
        "name the data set it was made from, or make it again"
    )
