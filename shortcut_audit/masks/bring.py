"""Masks made elsewhere become a store, as if a classifier had been explained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shortcut_audit.data.drawn import fitted
from shortcut_audit.data.manifest import Manifest
from shortcut_audit.errors import BusyError, InputError, did_you_mean
from shortcut_audit.masks.imports import IMPORTS, Foreign
from shortcut_audit.masks.record import Job, MaskRecord, Pairs, StoreHeader
from shortcut_audit.masks.shards import ShardWriter
from shortcut_audit.masks.store import NAME, MaskStore
from shortcut_audit.provenance import fingerprint, sha256_file
from shortcut_audit.runtime import progress

RESAMPLED = "nearest neighbour, as drawn masks are"
SHOWN = 5
"""How many mismatches a message names."""
MANY = 10_000
"""Samples beyond which the nearest id is not looked for: it takes seconds."""


@dataclass(frozen=True, kw_only=True)
class Brought:
    """What an import made: the store, and what had no sample and was left out because it was asked for."""

    store: MaskStore
    left_out: tuple[str, ...]


def import_masks(
    source: Path, kind: str, *, manifest: Manifest, findings: Sequence[str], size: int, folder: Path,
    names: Mapping[str, str] | None = None, skip_unmatched: bool = False,
) -> Brought:  # fmt: skip
    """Make ``masks.h5`` in ``folder`` of masks made elsewhere.

    Ids are matched byte for byte. Masks are brought to the working size by nearest neighbour. An empty
    mask says that nothing is there; a film without a mask says nothing.

    Args:
        source: folder or file.
        kind: name of the import format.
        manifest: the films.
        findings: the findings (F) of the store, in order.
        size: side of a mask in the store, pixels.
        folder: where the store shall lie.
        names: what the source calls a finding to what it is called here.
        skip_unmatched: leave out masks whose sample is not in the manifest.

    Raises:
        UsageError: no format of that name.
        BusyError: the folder has a mask store.
        InputError: nothing to import, a mask that cannot be read, or one of no sample or finding.
    """
    if (folder / NAME).exists():
        raise BusyError(f"{folder / NAME} is there already; choose another folder with --out")
    foreign = IMPORTS.get(kind)(source)
    matched, unmatched = _match(foreign, manifest.ids, findings, names or {})
    if unmatched and not skip_unmatched:
        raise InputError(
            f"{source}: {len(unmatched)} of {len(foreign)} masks have no sample in '{manifest.card.name}': "
            f"{_shown(unmatched, manifest.ids)}; ids are matched byte for byte: rename them, or leave them out with "
            "--skip-unmatched"
        )
    if not matched:
        raise InputError(f"{source}: none of its {len(foreign)} masks has a sample in '{manifest.card.name}'")
    order = sorted(matched)
    pairs = Pairs(
        sample_ids=tuple(manifest.ids), findings=tuple(findings),
        sample=np.array([sample for sample, _ in order]), finding=np.array([finding for _, finding in order]),
    )  # fmt: skip
    settings = {
        "import": {
            "format": kind, "source": source.name, "sha256": _digest(source), "masks": len(order),
            "left_out": len(unmatched), "names": dict(names or {}), "resampled": RESAMPLED,
        }
    }  # fmt: skip
    header = StoreHeader(
        manifest=manifest.fingerprint, model=None, settings=settings, height=size, width=size,
        heatmap_size=None, mean_image=None, kind="imported",
    )  # fmt: skip
    store = _write(folder, Job(header=header, pairs=pairs), [matched[key] for key in order])
    return Brought(store=store, left_out=tuple(one.where for one in unmatched))


def _match(
    foreign: Sequence[Foreign], ids: Sequence[str], findings: Sequence[str], names: Mapping[str, str]
) -> tuple[dict[tuple[int, int], Foreign], list[Foreign]]:
    """Return the masks by sample and finding, and those without a sample.

    Raises:
        InputError: a finding that nobody knows, or two masks of one pair.
    """
    sample_of = {name: row for row, name in enumerate(ids)}
    finding_of = {name: place for place, name in enumerate(findings)}
    matched: dict[tuple[int, int], Foreign] = {}
    unmatched = []
    for one in foreign:
        finding = names.get(one.finding, one.finding)
        if finding not in finding_of:
            raise InputError(
                f"{one.where}: '{finding}' is no finding of the data set{did_you_mean(finding, findings)}; "
                f"there are: {', '.join(findings)}. Say which it is with --name '{one.finding}=FINDING'"
            )
        sample = next((sample_of[name] for name in one.names if name in sample_of), None)
        if sample is None:
            unmatched.append(one)
            continue
        twin = matched.setdefault((sample, finding_of[finding]), one)
        if twin is not one:
            raise InputError(f"{one.where} and {twin.where} are masks of one sample and finding; keep one of them")
    return matched, unmatched


def _shown(unmatched: Sequence[Foreign], ids: Sequence[str]) -> str:
    near = did_you_mean(unmatched[0].names[-1], ids) if len(ids) < MANY else ""
    first, *others = [f"'{one.where}'" for one in unmatched[:SHOWN]]
    more = f" and {len(unmatched) - SHOWN} more" if len(unmatched) > SHOWN else ""
    return ", ".join([first + near, *others]) + more


def _digest(source: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's files and their names."""
    if source.is_file():
        return sha256_file(source)
    files = sorted(path for path in source.rglob("*") if path.is_file())
    return fingerprint([[path.relative_to(source).as_posix(), sha256_file(path)] for path in files])


def _write(folder: Path, job: Job, foreign: Sequence[Foreign]) -> MaskStore:
    writer = ShardWriter(folder, job)
    try:
        with progress("Importing masks", len(foreign), "masks") as bar:
            for shard in writer.todo:
                rows = writer.rows(shard)
                writer.write(shard, [_record(foreign[row], job, row) for row in rows])
                bar.advance(len(rows))
    except InputError:
        writer.discard()
        raise
    return MaskStore(writer.seal())


def _record(one: Foreign, job: Job, row: int) -> MaskRecord:
    try:
        drawn = fitted(one.read(), (job.header.height, job.header.width))
    except ValueError as error:
        raise InputError(f"{one.where} {error}; mend it or take it out") from error
    return MaskRecord(
        sample_id=job.pairs.sample_ids[job.pairs.sample[row]], finding=job.pairs.findings[job.pairs.finding[row]],
        heatmap=None, foreground=drawn.foreground, known=drawn.known,
        delta=None, steps=None, threshold=None, score=None,
    )  # fmt: skip
