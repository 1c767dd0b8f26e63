"""The same patient, or the same file, on both sides of a split. Counts of what is there: no chance is involved."""

from __future__ import annotations

from collections import defaultdict

import polars as pl

from shortcut_audit.audit.lint.result import Leakage
from shortcut_audit.data.manifest import Manifest
from shortcut_audit.provenance import sha256_file


def find_leakage(manifest: Manifest) -> Leakage:
    """Count patients in several splits, and files that are byte for byte the same; all rows are looked at.

    Only files of the same size are read. A file that is not there is a copy of nothing.
    """
    frame = manifest.frame
    splits = frame.group_by("patient_id").agg(pl.col("split").n_unique())
    copies = frame.with_columns(content=pl.Series(_contents(manifest), dtype=pl.String)).drop_nulls("content")
    groups = copies.group_by("content").agg(pl.len(), pl.col("split").n_unique())
    groups = groups.filter(pl.col("len") > 1)
    return Leakage(
        n=frame.height,
        n_patients=splits.height,
        patients_in_several_splits=splits.filter(pl.col("split") > 1).height,
        copied_files=int(groups["len"].sum()),
        copied_across_splits=int(groups.filter(pl.col("split") > 1)["len"].sum()),
    )


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
