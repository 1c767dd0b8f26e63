"""The same patient, the same file, or films that look the same, on both sides of a split.

Patients and files are counts of what is there: no chance is involved. Films of one kind look alike, so that beside
these pairs stands how many would by chance.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from shortcut_audit.audit.lint.material import Material
from shortcut_audit.audit.lint.result import Leakage, NearRecord
from shortcut_audit.data.duplicates import Looked, difference_hash, near_pairs
from shortcut_audit.data.manifest import Manifest
from shortcut_audit.provenance import sha256_file


def find_leakage(manifest: Manifest, films: Sequence[Material], *, seed: int) -> Leakage:
    """Count patients in several splits, files that are byte for byte the same, and films that look the same.

    Patients and files are those of all rows; only files of the same size are read, and one that is not there is a
    copy of nothing. What looks the same is sought among the films that were read anyway.

    Args:
        manifest: the data set.
        films: those of its films that were read.
        seed: draws the pairs of two patients that tell what is alike by chance.
    """
    frame = manifest.frame
    splits = frame.group_by("patient_id").agg(pl.col("split").n_unique())
    contents = _contents(manifest)
    copies = frame.with_columns(content=pl.Series(contents, dtype=pl.String)).drop_nulls("content")
    groups = copies.group_by("content").agg(pl.len(), pl.col("split").n_unique())
    groups = groups.filter(pl.col("len") > 1)
    return Leakage(
        n=frame.height,
        n_patients=splits.height,
        patients_in_several_splits=splits.filter(pl.col("split") > 1).height,
        copied_files=int(groups["len"].sum()),
        copied_across_splits=int(groups.filter(pl.col("split") > 1)["len"].sum()),
        alike_across_splits=_alike(films, dict(zip(manifest.ids, contents, strict=True)), seed),
    )


def _alike(films: Sequence[Material], contents: Mapping[str, str | None], seed: int) -> NearRecord:
    """Compare small pictures of different files across splits, by the difference hash of ``data/duplicates.py``."""
    together = replace(films[0].manifest, frame=pl.concat([part.manifest.frame for part in films]))
    bits = [difference_hash(np.moveaxis(picture, 0, 2)) for part in films for picture in part.pixels]
    found = near_pairs(
        together,
        Looked(
            rows=np.arange(len(together)),
            digests=[contents[name] or name for name in together.ids],
            bits=np.array(bits, dtype=np.uint8),
            reasons={},
        ),
        seed=seed,
    )
    return NearRecord(
        found=found.found, compared=found.compared, expected=found.expected, expected_low=found.expected_low,
        expected_high=found.expected_high,
    )  # fmt: skip


def _contents(manifest: Manifest) -> list[str | None]:
    """Return for each row the SHA-256 of its file if another file has the same size; one path is one file."""
    paths = manifest.images()
    by_size = defaultdict(list)
    for row, path in enumerate(paths):
        if path.is_file():
            by_size[path.stat().st_size].append(row)
    contents: list[str | None] = [None] * len(paths)
    for rows in by_size.values():
        for row in rows if len(rows) > 1 else ():
            contents[row] = sha256_file(paths[row])
    return contents
