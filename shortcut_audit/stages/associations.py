"""How attributes go with labels, and with how much of the finding there is, in the data alone.

Both are AUROCs with the interval of the audit, clustered by patient where patients are known. For an attribute that is
there or not, the AUROC is 0.5 + (share with it among positives - share among negatives) / 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from shortcut_audit.audit.measures.rates import proportion
from shortcut_audit.audit.statistics.estimate import Contrast, fields
from shortcut_audit.audit.statistics.metrics import Sampling, auroc
from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.labels import apply_label_policy
from shortcut_audit.data.manifest import SPLITS, Manifest
from shortcut_audit.shapes import Bools, Floats
from shortcut_audit.stages.drawings import Drawing

CONFIDENCE = 0.95
MOST_VALUES = 10
"""Values of a categorical attribute that are asked about: the most frequent ones."""
PARTS = 5


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number with its interval, its counts and its method; the value None has a reason."""

    value: float | None
    low: float | None
    high: float | None
    method: str
    reason: str | None
    n: int
    n_patients: int


@dataclass(frozen=True, kw_only=True)
class Association:
    """How well an attribute alone ranks a finding in one split.

    ``value`` None: the attribute is a number. ``with_positive`` and ``with_negative`` count images that have it.
    """

    finding: str
    attribute: str
    value: str | None
    split: str
    positive: int
    negative: int
    with_positive: int | None
    with_negative: int | None
    auroc: Number


@dataclass(frozen=True, kw_only=True)
class Part:
    """A fifth of the positives by severity, from ``smallest`` to ``largest``: how many have the attribute."""

    smallest: float
    largest: float
    with_attribute: int
    share: Number


@dataclass(frozen=True, kw_only=True)
class Severity:
    """Whether an attribute goes with more of the finding, among positives of all splits.

    ``source`` is the severity column or the drawn mask, whose area is a fraction of the image. ``auroc`` is that of the
    severity for the attribute.
    """

    finding: str
    attribute: str
    value: str
    source: str
    auroc: Number
    parts: tuple[Part, ...]


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """An attribute as numbers: NaN where it is not known."""

    attribute: str
    value: str | None
    present: Floats


def associations(manifest: Manifest, config: DatasetConfig) -> list[Association]:
    """Return every finding by every attribute in every split, labels read as training reads them.

    A finding that is an attribute as well (support devices) is not held against itself.
    """
    labels = apply_label_policy(manifest.labels(), uncertain=config.uncertain, blank=config.blank)
    sampling, splits = _sampling(manifest), manifest.frame["split"].to_numpy()
    asked = [one for name in manifest.attributes for one in _asked(manifest, name)]
    return [
        _association(finding, labels[:, column], one, split, splits == split, sampling)
        for column, finding in enumerate(manifest.findings)
        for one in asked
        if one.attribute != finding
        for split in SPLITS
        if (splits == split).any()
    ]


def _association(
    finding: str, label: Floats, asked: _Asked, split: str, inside: Bools, sampling: Sampling
) -> Association:
    known = inside & ~np.isnan(asked.present)
    positive, negative = known & (label == 1), known & (label == 0)
    has = asked.present == 1
    return Association(
        finding=finding, attribute=asked.attribute, value=asked.value, split=split,
        positive=int(positive.sum()), negative=int(negative.sum()),
        with_positive=None if asked.value is None else int((positive & has).sum()),
        with_negative=None if asked.value is None else int((negative & has).sum()),
        auroc=_auroc(positive, negative, asked.present, sampling, "images where the attribute is known", finding),
    )  # fmt: skip


def severities(manifest: Manifest, config: DatasetConfig, drawn: Sequence[Drawing]) -> list[Severity]:
    """Return every finding that has a severity or drawn masks by every attribute that is there or not.

    Args:
        manifest: the data set.
        config: how labels are read.
        drawn: what is drawn, which counts where there is no column of the severity.
    """
    masks = {one.name: one for one in drawn if one.kind == "mask"}
    labels = apply_label_policy(manifest.labels(), uncertain=config.uncertain, blank=config.blank)
    sampling = _sampling(manifest)
    asked = [one for name in manifest.attributes for one in _asked(manifest, name) if one.value is not None]
    found = []
    for column, finding in enumerate(manifest.findings):
        source, size = _severity(manifest, finding, masks.get(finding), labels[:, column] == 1)
        if source:
            others = (one for one in asked if one.attribute != finding)
            found += [_link(finding, one, source, size, sampling) for one in others]
    return found


def _severity(manifest: Manifest, finding: str, drawing: Drawing | None, positive: Bools) -> tuple[str | None, Floats]:
    """Return source and severity (N,) of positives, NaN for unknown; no source where there is none."""
    size = np.full(len(manifest), np.nan)
    if (column := f"severity.{finding}") in manifest.frame.columns:
        size[positive] = manifest.frame[column].cast(pl.Float64).fill_null(float("nan")).to_numpy()[positive]
        return column, size
    if drawing is None:
        return None, size
    seen = positive & (drawing.area > 0)
    size[seen] = drawing.area[seen]
    return "area of the drawn mask", size


def _link(finding: str, asked: _Asked, source: str, size: Floats, sampling: Sampling) -> Severity:
    known = ~np.isnan(size) & ~np.isnan(asked.present)
    has, lacks = known & (asked.present == 1), known & (asked.present == 0)
    return Severity(
        finding=finding, attribute=asked.attribute, value=str(asked.value), source=source,
        auroc=_auroc(has, lacks, size, sampling, f"positives with a known {source}", asked.attribute),
        parts=tuple(_parts(known, asked.present == 1, size, sampling)),
    )  # fmt: skip


def _parts(known: Bools, has: Bools, size: Floats, sampling: Sampling) -> Iterator[Part]:
    """Yield the fifths; equal severities stay together, so that there may be fewer."""
    if not known.any():
        return
    edges = np.quantile(size[known], np.arange(1, PARTS) / PARTS)
    part = np.searchsorted(edges, size, side="left")
    for number in range(PARTS):
        inside = known & (part == number)
        if not inside.any():
            continue
        share = Contrast(
            sampling=sampling, rows=(inside & has, inside & ~has),
            parts=((1.0, proportion(np.flatnonzero(inside), has, sampling)),),
        )  # fmt: skip
        yield Part(
            smallest=float(size[inside].min()), largest=float(size[inside].max()),
            with_attribute=int((inside & has).sum()), share=_number(share),
        )  # fmt: skip


def _auroc(positive: Bools, negative: Bools, scores: Floats, sampling: Sampling, among: str, of: str) -> Number:
    rows = positive, negative
    if not (positive.any() and negative.any()):
        reason = f"among {among}, {int(positive.sum())} have {of} and {int(negative.sum())} have not; both are needed"
        return _number(Contrast(sampling=sampling, rows=rows, reason=reason))
    found = auroc(np.flatnonzero(positive), np.flatnonzero(negative), sampling, scores)
    return _number(Contrast(sampling=sampling, rows=rows, parts=((1.0, found),)))


def _number(contrast: Contrast) -> Number:
    told: dict[str, Any] = fields(contrast.estimate(CONFIDENCE))
    return Number(**told)


def _asked(manifest: Manifest, name: str) -> Iterator[_Asked]:
    column = manifest.frame[f"attribute.{name}"]
    kind = manifest.attribute_type(name)
    if kind != "categorical":
        present = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        yield _Asked(attribute=name, value="1" if kind == "binary" else None, present=present)
        return
    counts = column.drop_nulls().value_counts(sort=True)
    for value in sorted(counts[column.name].head(MOST_VALUES).to_list()):
        same = (column == value).cast(pl.Float64).fill_null(float("nan")).to_numpy()
        yield _Asked(attribute=name, value=value, present=same)


def _sampling(manifest: Manifest) -> Sampling:
    """Return whose images these are; where every image has a patient of its own, images are the unit."""
    _, clusters = np.unique(manifest.frame["patient_id"].to_numpy().astype(str), return_inverse=True)
    patients = int(clusters.max(initial=-1)) + 1
    return Sampling(
        clusters=clusters.astype(np.int64), weights=np.ones(len(clusters)), n_clusters=patients,
        unit="image" if patients == len(clusters) else "patient",
    )  # fmt: skip
