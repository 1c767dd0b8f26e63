"""What can be said of a data set from its tables and images, before anything is trained on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shortcut_audit.config import Config, DatasetConfig
from shortcut_audit.data.checksums import Checksums, checksums
from shortcut_audit.data.datasets import RENDERED, find_root
from shortcut_audit.data.duplicates import NearPairs, exact_groups, look, near_pairs
from shortcut_audit.data.manifest import Manifest
from shortcut_audit.data.quarantine import Quarantine, quarantine, refuse_many
from shortcut_audit.errors import InputError, UsageError
from shortcut_audit.shapes import Ints
from shortcut_audit.stages.associations import Association, Severity, associations, severities
from shortcut_audit.stages.contradictions import Contradictions, contradictions
from shortcut_audit.stages.drawings import DrawingCheck, check_drawing, drawings


@dataclass(frozen=True, kw_only=True)
class SameFile:
    """Images whose files are the same byte for byte; ``apart``: in two splits and of two patients."""

    samples: tuple[str, ...]
    splits: tuple[str, ...]
    apart: bool
    labels_differ: bool


@dataclass(frozen=True, kw_only=True)
class DataCheck:
    """What was found. ``looked`` images were opened; ``near`` is None where none was.

    ``contradictions`` is None where there is no label *No Finding*, or none beside it.
    """

    looked: int
    quarantine: Quarantine
    same_files: tuple[SameFile, ...]
    near: NearPairs | None
    associations: tuple[Association, ...]
    severities: tuple[Severity, ...]
    drawings: tuple[DrawingCheck, ...]
    checksums: tuple[Checksums, ...]
    contradictions: Contradictions | None

    def refuse(self) -> None:
        """Stop where nothing must be trained on it.

        Raises:
            InputError: a table is not as its sum says, too many images or masks cannot be read, or one file stands in
            two splits under two patients.
        """
        for sums in self.checksums:
            if sums.changed:
                raise InputError(
                    f"{sums.changed[0]} is not the file that {sums.file} lists (tables that are not: "
                    f"{len(sums.changed)}); find out what changed it, or fetch it again"
                )
        refused = [same for same in self.same_files if same.apart]
        self.quarantine.refuse_many()
        for one in self.drawings:
            what = f"{'masks' if one.kind == 'mask' else 'footprints'} of {one.name}"
            refuse_many(one.unreadable, one.read + len(one.unreadable), what=what)
        if refused:
            raise InputError(
                f"{len(refused)} files are in two splits under two patients, the first as "
                f"{' and '.join(refused[0].samples[:3])}: one split would be judged on images of another; "
                "leave one of each out of the table, or give them one patient and one split"
            )


def check_data(manifest: Manifest, config: Config, decode: str) -> DataCheck:
    """Look at a data set.

    Args:
        manifest: the data set.
        config: its section ``dataset`` says how labels are read; its seed draws the sample.
        decode: ``all``, ``none``, or how many images to open.

    Raises:
        UsageError: another word.
    """
    rows = chosen_rows(len(manifest), decode, seed=config.seed)
    opened = manifest.select(np.isin(np.arange(len(manifest)), rows)) if len(rows) else manifest
    seen = look(manifest, rows) if len(rows) else None
    drawn = drawings(manifest, rows) if len(rows) else []
    return DataCheck(
        looked=len(rows),
        quarantine=quarantine(opened, seen.reasons if seen else {}),
        same_files=tuple(_same_file(manifest, group) for group in exact_groups(seen)) if seen else (),
        near=near_pairs(manifest, seen, seed=config.seed) if seen else None,
        associations=tuple(associations(manifest, config.dataset)),
        severities=tuple(severities(manifest, config.dataset, drawn)),
        checksums=tuple(checksums(_folders(manifest, config.dataset))),
        drawings=tuple(check_drawing(manifest, one) for one in drawn),
        contradictions=contradictions(manifest),
    )


def _folders(manifest: Manifest, config: DatasetConfig) -> list[Path]:
    """Return where sums may lie: in the named folder, the only one in it, that of images or of a user's table."""
    if config.name in RENDERED:
        return []
    root = find_root(config)
    beside = [(root / config.table.file).parent] if config.table else []
    inside = [path for path in root.iterdir() if path.is_dir()] if root.is_dir() else []
    return [root, manifest.root, *beside, *(inside if len(inside) == 1 else [])]


def chosen_rows(images: int, decode: str, *, seed: int) -> Ints:
    """Return the rows to open, in order.

    Raises:
        UsageError: ``decode`` is neither ``all`` nor ``none`` nor a number of at least 1.
    """
    if decode == "all":
        return np.arange(images)
    if decode == "none":
        return np.arange(0)
    if not decode.isdecimal() or int(decode) == 0:
        raise UsageError(f"--decode: '{decode}' is neither all nor none nor a number of images")
    rng = np.random.default_rng([seed, 452])
    return np.sort(rng.permutation(images)[: int(decode)])


def _same_file(manifest: Manifest, rows: list[int]) -> SameFile:
    same = manifest.frame[rows]
    splits = tuple(same["split"].unique(maintain_order=True).to_list())
    labels = same.select(f"label.{name}" for name in manifest.findings)
    return SameFile(
        samples=tuple(same["sample_id"].to_list()), splits=splits,
        apart=len(splits) > 1 and same["patient_id"].n_unique() > 1,
        labels_differ=bool(labels.height and labels.unique().height > 1),
    )  # fmt: skip
