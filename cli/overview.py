"""A data set in numbers, before anything is trained on it: splits, cells, what is odd."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from .output import emit, emit_table

if TYPE_CHECKING:
    from shortcut_audit.config import BlankPolicy
    from shortcut_audit.data.manifest import Manifest

FEW = 3
"""Groups of patients that a note names."""


@dataclass(frozen=True, kw_only=True)
class SplitCount:
    """Images and patients of one split."""

    split: str
    images: int
    patients: int


@dataclass(frozen=True, kw_only=True)
class CellRow:
    """How one value of an attribute goes with the labels of one finding, in images.

    ``value`` None: nobody looked for the attribute. ``blank``: the label is not mentioned.
    """

    finding: str
    attribute: str
    value: str | None
    positive: int
    negative: int
    uncertain: int
    blank: int


@dataclass(frozen=True, kw_only=True)
class Overview:
    """What 'audit data check' says before it opens an image."""

    name: str
    licence: str
    test_design: str
    splits: tuple[SplitCount, ...]
    cells: tuple[CellRow, ...]
    notes: tuple[str, ...]


def overview(manifest: Manifest, blank: BlankPolicy) -> Overview:
    """Count a manifest by split, and every finding by every other attribute that has categories.

    ``blank`` is ``dataset.blank``: what a label that is not there counts as.
    """
    named = [name for name in manifest.attributes if manifest.attribute_type(name) != "continuous"]
    return Overview(
        name=manifest.card.name,
        licence=manifest.card.licence,
        test_design=manifest.card.test_design,
        splits=tuple(_splits(manifest)),
        cells=tuple(
            row
            for finding in manifest.findings
            for name in named
            if name != finding
            for row in _cells(manifest, finding, name)
        ),
        notes=(
            *manifest.card.notes,
            *_spellings(manifest),
            *_constant_labels(manifest, blank),
            *_blank_labels(manifest, blank),
        ),
    )


def _splits(manifest: Manifest) -> list[SplitCount]:
    counted = manifest.frame.group_by("split").agg(images=pl.len(), patients=pl.col("patient_id").n_unique())
    rows = {row["split"]: SplitCount(**row) for row in counted.to_dicts()}
    return [rows[split] for split in ("train", "val", "test") if split in rows]


def _cells(manifest: Manifest, finding: str, attribute: str) -> list[CellRow]:
    label, value = pl.col(f"label.{finding}"), pl.col(f"attribute.{attribute}")
    counted = (
        manifest.frame.group_by(value.alias("value"))
        .agg(
            positive=(label == 1).sum(),
            negative=(label == 0).sum(),
            uncertain=(label == -1).sum(),
            blank=label.is_null().sum(),
        )
        .sort("value", nulls_last=True)
    )
    return [
        CellRow(finding=finding, attribute=attribute, **{**row, "value": _shown(row["value"])})
        for row in counted.to_dicts()
    ]


def _shown(value: float | str | None) -> str | None:
    return f"{value:g}" if isinstance(value, float) else value


def _spellings(manifest: Manifest) -> list[str]:
    """Return a note where one person may be in two splits under two spellings."""
    from shortcut_audit.data.splits import one_person_perhaps

    groups = one_person_perhaps(manifest.frame["patient_id"], manifest.frame["split"])
    if not groups:
        return []
    named = [" and ".join(f"'{name}'" for name in group) for group in groups[:FEW]]
    told = "; ".join([*named, *["..."] * (len(groups) > FEW)])
    what = "patients in two splits whose ids differ only in case, spaces or leading zeros"
    return [f"{what}: {len(groups):,} ({told}); if that is one person, write one id"]


def _constant_labels(manifest: Manifest, blank: BlankPolicy) -> list[str]:
    """Return a note for each set of splits and value in which findings never differ."""
    splits = dict[tuple[str, float], list[str]]()
    for (split,), rows in manifest.frame.group_by(["split"], maintain_order=True):
        for finding in manifest.findings:
            label = rows[f"label.{finding}"]
            values = set((label.fill_null(0) if blank == "negative" else label.drop_nulls()).to_list()) & {0.0, 1.0}
            if len(values) == 1:
                splits.setdefault((finding, values.pop()), []).append(str(split))
    alike = dict[tuple[float, str], list[str]]()
    for (finding, value), where in splits.items():
        where.sort(key=["train", "val", "test"].index)
        alike.setdefault((value, _listed(where)), []).append(f"'{finding}'")
    return [
        f"{_listed(findings)} {'is' if len(findings) == 1 else 'are'} {value:g} in every labelled image of {where}: "
        "nothing to rank there"
        for (value, where), findings in alike.items()
    ]


def _listed(words: list[str]) -> str:
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def _blank_labels(manifest: Manifest, blank: BlankPolicy) -> list[str]:
    blanks = {name: manifest.frame[f"label.{name}"].null_count() for name in manifest.findings}
    told = [f"{name} {count:,}" for name, count in blanks.items() if count]
    if not told:
        return []
    counted = "count as 0" if blank == "negative" else "are left out"
    return [f"blank labels of {len(manifest):,} images {counted} (dataset.blank: {blank}): {', '.join(told)}"]


def print_overview(seen: Overview) -> None:
    """Print the overview as tables."""
    emit(f"{seen.name} (licence: {seen.licence or 'not stated'}; test design: {seen.test_design})")
    emit_table(("split", "images", "patients"), [(row.split, row.images, row.patients) for row in seen.splits])
    if seen.cells:
        emit("labels by attribute, in images:")
        header = ("finding", "attribute", "value", "label 1", "label 0", "uncertain", "blank")
        emit_table(header, [_told(cell) for cell in seen.cells])
    for note in seen.notes:
        emit(f"note: {note}")


def _told(cell: CellRow) -> tuple[object, ...]:
    value = "not known" if cell.value is None else cell.value
    return cell.finding, cell.attribute, value, cell.positive, cell.negative, cell.uncertain, cell.blank
