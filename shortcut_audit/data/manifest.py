"""The manifest: which samples there are, as one typed table.

Columns of the frame (and of ``manifest.csv``): ``sample_id, image, patient_id, split``, then any of

    label.<finding>         1, 0, -1 (uncertain), blank (not mentioned)
    attribute.<name>        1, 0 · a category · a number; blank: nobody looked, which is not 0
    mask.<structure>        a drawn mask (data/drawn); blank: nobody drew one, which is not an empty mask
    footprint.<attribute>   the pixels an attribute occupies, written as a mask is
    counterpart.<attribute> path of the same image with this attribute switched (off where on, on where off)
    severity.<finding>, covariate.<name>, site, view, sex, age

Paths are relative to ``root`` or absolute. Beside ``manifest.csv`` lies ``manifest.json``, the data card.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from shortcut_audit.data.drawn.cell import Part, parse_cell
from shortcut_audit.errors import InputError, UsageError, did_you_mean
from shortcut_audit.provenance import (
    PRIVATE,
    PathGuard,
    fingerprint,
    guard_path,
    sha256_bytes,
    write_atomic,
    write_json,
)
from shortcut_audit.shapes import Floats

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
AttributeType = Literal["binary", "categorical", "continuous"]
TestDesign = Literal["natural", "balanced", "reversed"]
Pairs = Literal["exact", "edited"]
KEYS = ("sample_id", "image", "patient_id", "split")
PREFIXES = ("label", "attribute", "mask", "footprint", "counterpart", "severity", "covariate")
PLAIN = ("site", "view", "sex", "age")
NUMERIC_PREFIXES = ("label", "severity", "covariate")


@dataclass(frozen=True, kw_only=True)
class DataCard:
    """What a data set is, beside its rows: ``manifest.json``.

    ``test_design`` says how the test split came about; ``pairs`` whether a counterpart differs in
    nothing but the attribute (``exact``) or was made by editing pixels (``edited``).
    """

    name: str
    source: str = ""
    licence: str = ""
    release: str = ""
    citation: str = ""
    test_design: TestDesign = "natural"
    pairs: Pairs = "edited"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One image and what is known about it. A missing key means that nobody looked."""

    sample_id: str
    image: Path
    patient_id: str
    split: Split
    labels: dict[str, int] = field(default_factory=dict)
    attributes: dict[str, int | float | str] = field(default_factory=dict)
    masks: dict[str, tuple[Part, ...]] = field(default_factory=dict)
    footprints: dict[str, tuple[Part, ...]] = field(default_factory=dict)
    counterparts: dict[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Samples of one data set. One that exists is valid: see :meth:`from_frame`.

    ``frame`` has string columns, but for ``label.*``, ``severity.*`` and ``covariate.*`` (Float64)
    and ``attribute.*`` (Float64 where binary or continuous, String where categorical). ``cache`` is the folder that
    holds its pixels at a working size (``data/pixel_cache.py``); it decides how fast they come, never which.
    """

    card: DataCard
    root: Path
    frame: pl.DataFrame
    cache: Path | None = None

    @classmethod
    def from_frame(
        cls, frame: pl.DataFrame, *, card: DataCard, root: Path, where: str, allow_shared_patients: bool = False
    ) -> Manifest:
        """Check a table and make it a manifest.

        Args:
            frame: columns as in the module's docstring; a missing ``patient_id`` makes each image its
                own patient, a missing ``split`` is an error here (see ``data/splits.py``).
            card: the data card.
            root: folder that relative paths start from.
            where: how messages name the table ("chexpert/train.csv").
            allow_shared_patients: accept patients that occur in two splits; the card then notes them.

        Raises:
            UsageError: an unknown or missing column.
            InputError: a duplicate or blank id, an impossible label or split, a patient in two splits.
        """
        from shortcut_audit.data.validate import check_frame

        checked, notes = check_frame(frame, where=where, allow_shared_patients=allow_shared_patients)
        return cls(card=replace(card, notes=tuple(dict.fromkeys((*card.notes, *notes)))), root=root, frame=checked)

    def __len__(self) -> int:
        return self.frame.height

    def _names(self, prefix: str) -> tuple[str, ...]:
        start = prefix + "."
        return tuple(column[len(start) :] for column in self.frame.columns if column.startswith(start))

    @property
    def findings(self) -> tuple[str, ...]:
        """Names of the findings, in column order."""
        return self._names("label")

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the spurious attributes, in column order."""
        return self._names("attribute")

    @property
    def structures(self) -> tuple[str, ...]:
        """Names of the structures and findings that have drawn masks."""
        return self._names("mask")

    @property
    def counterparts(self) -> tuple[str, ...]:
        """Attributes for which the same image exists with the attribute switched."""
        return self._names("counterpart")

    @property
    def footprints(self) -> tuple[str, ...]:
        """Attributes whose pixels are known."""
        return self._names("footprint")

    @property
    def ids(self) -> list[str]:
        """Sample ids, in order."""
        return self.frame["sample_id"].to_list()

    def attribute_type(self, name: str) -> AttributeType:
        """Return whether an attribute is binary (0 and 1), categorical (text) or continuous."""
        column = self.frame[self.require("attribute", name)]
        if column.dtype == pl.String:
            return "categorical"
        return "binary" if set(column.drop_nulls().unique().to_list()) <= {0.0, 1.0} else "continuous"

    def require(self, prefix: str, name: str) -> str:
        """Return the column ``prefix.name``.

        Raises:
            UsageError: there is none; the message lists what there is.
        """
        column = f"{prefix}.{name}"
        if column not in self.frame.columns:
            known = self._names(prefix)
            have = ", ".join(known) if known else "none"
            raise UsageError(
                f"the data set '{self.card.name}' has no {prefix} '{name}'{did_you_mean(name, known)}; it has: {have}"
            )
        return column

    def labels(self, findings: tuple[str, ...] | None = None) -> Floats:
        """Return labels (N, F): 1, 0, -1 (uncertain) or NaN (not mentioned)."""
        columns = [self.require("label", name) for name in (findings or self.findings)]
        if not columns:
            return np.empty((len(self), 0))
        return self.frame.select(columns).cast(pl.Float64).fill_null(float("nan")).to_numpy()

    def paths(self, prefix: str, name: str) -> list[Path | None]:
        """Return one resolved path a row of ``counterpart.NAME``."""
        return self._resolved(self.require(prefix, name))

    def drawn(self, prefix: str, name: str) -> list[tuple[Part, ...] | None]:
        """Return one parsed cell a row of ``mask.NAME`` or ``footprint.NAME``, for ``read_drawn``; None where blank."""
        column = self.require(prefix, name)
        return [
            parse_cell(cell, root=self.root, where=f"manifest row {row + 1}, column '{column}'") if cell else None
            for row, cell in enumerate(self.frame[column].to_list())
        ]

    def images(self) -> list[Path]:
        """Return the resolved path of every image."""
        return [path for path in self._resolved("image") if path is not None]

    def _resolved(self, column: str) -> list[Path | None]:
        cells, guard = self.frame[column].to_list(), PathGuard(self.root)
        return [
            guard(cell, where=f"manifest row {row + 1}, column '{column}'") if cell else None
            for row, cell in enumerate(cells)
        ]

    def select(self, keep: pl.Expr | np.ndarray) -> Manifest:
        """Return the manifest of the rows for which ``keep`` holds."""
        mask = pl.Series(keep) if isinstance(keep, np.ndarray) else keep
        return replace(self, frame=self.frame.filter(mask))

    def split(self, name: Split) -> Manifest:
        """Return the rows of one split."""
        return self.select(pl.col("split") == name)

    def sample(self, row: int) -> Sample:
        """Return one row as a :class:`Sample`; blanks are left out of its dictionaries."""
        cells = self.frame.row(row, named=True)

        def under(prefix: str) -> dict[str, object]:
            return {name: value for name in self._names(prefix) if (value := cells[f"{prefix}.{name}"]) is not None}

        def paths(prefix: str) -> dict[str, Path]:
            return {
                name: guard_path(self.root, str(value), where=f"sample '{cells['sample_id']}', {prefix}.{name}")
                for name, value in under(prefix).items()
            }

        def drawn(prefix: str) -> dict[str, tuple[Part, ...]]:
            return {
                name: parse_cell(str(value), root=self.root, where=f"sample '{cells['sample_id']}', {prefix}.{name}")
                for name, value in under(prefix).items()
            }

        return Sample(
            sample_id=cells["sample_id"],
            image=guard_path(self.root, cells["image"], where=f"sample '{cells['sample_id']}', image"),
            patient_id=cells["patient_id"],
            split=cells["split"],
            labels={name: int(value) for name, value in under("label").items()},  # type: ignore[call-overload]
            attributes=under("attribute"),  # type: ignore[arg-type]
            masks=drawn("mask"),
            footprints=drawn("footprint"),
            counterparts=paths("counterpart"),
        )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of rows and card; equal for equal content wherever the folder lies."""
        return fingerprint({"card": asdict(self.card), "rows": sha256_bytes(self.frame.write_csv().encode())})

    def save(self, folder: Path) -> Path:
        """Write ``manifest.csv`` (mode 0600: it holds ids) and, before it, ``manifest.json`` with absolute folders."""
        folders = {"root": str(self.root.resolve()), **({"cache": str(self.cache.resolve())} if self.cache else {})}
        write_json(folder / "manifest.json", {**asdict(self.card), **folders}, mode=PRIVATE)
        path = folder / "manifest.csv"
        write_atomic(path, self.frame.write_csv(), mode=PRIVATE)
        return path


def _reason(error: Exception) -> str:
    """Return what is wrong with the files of a manifest."""
    if isinstance(error, OSError) and error.filename:
        return f"{Path(str(error.filename)).name}: {error.strerror}"
    return f"no key {error}" if isinstance(error, KeyError) else str(error).partition("\n")[0]


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest that :meth:`Manifest.save` wrote.

    Raises:
        InputError: a file is missing or not what we write.
    """
    card_path, table_path = folder / "manifest.json", folder / "manifest.csv"
    try:
        card = json.loads(card_path.read_text())
        root, cache = Path(card.pop("root")), card.pop("cache", None)
        frame = pl.read_csv(table_path, infer_schema=False)
        typed = DataCard(**{**card, "notes": tuple(card["notes"])})
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        raise InputError(
            f"{table_path}: not readable as what 'audit data prepare' writes ({_reason(error)}); write it again into "
            "an empty folder"
        ) from error
    read = Manifest.from_frame(frame, card=typed, root=root, where=str(table_path), allow_shared_patients=True)
    return replace(read, cache=Path(cache) if cache else None)
