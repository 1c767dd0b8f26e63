"""A mask store in numbers: what it was made from, and how its explanations and masks turned out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortcut_audit.masks.stamp import VERSION
from shortcut_audit.masks.store import MaskStore
from shortcut_audit.shapes import Bools

EDGES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Of the histogram of the completeness error; an error at an edge lies in the bin below it."""
TOLERANCE = 0.05
"""Of the completeness error, where the store's settings name none."""
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


@dataclass(frozen=True, kw_only=True)
class Areas:
    """Masks of one finding.

    Attributes:
        pairs: how many there are.
        unknown: how many say nothing: the rule took nothing, or the score was under the gate.
        empty: how many say that nothing is there (imported masks only).
        quantiles: part of the image in the mask at the quantiles 0, .05, .25, .5, .75, .95 and 1, over masks
            that are not empty; None where there is none.
        ignored: mean part of the image on which a mask that says something says nothing; None where there is none.
    """

    pairs: int
    unknown: int
    empty: int
    quantiles: tuple[float, ...] | None
    ignored: float | None


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What ``audit masks info`` prints.

    Attributes:
        completeness: upper edge of a bin ("more" is the last) to how many pairs lie in it.
        without_completeness: pairs whose method promises none.
        tolerance: of the completeness error.
        over_tolerance: pairs beyond it.
        steps: quadrature steps to pairs.
        steps_of_quarters: mean steps of the quarter of the films that took fewest, and of that which took most;
            None for methods without steps.
        conditions: why the bytes may differ from those of another run of the same job.
        parts: files that the store is a view of; 0 where it is whole in itself.
    """

    version: int
    kind: str
    manifest: str
    model: str | None
    settings: Mapping[str, Any]
    samples: int
    samples_with_pairs: int
    height: int
    width: int
    heatmap_size: tuple[int, int] | None
    findings: Mapping[str, Areas]
    completeness: Mapping[str, int]
    without_completeness: int
    tolerance: float
    over_tolerance: int
    steps: Mapping[str, int]
    steps_of_quarters: tuple[float, float] | None
    conditions: tuple[str, ...]
    parts: int


def summarise(store: MaskStore) -> Summary:
    """Return a store in numbers; reads no mask."""
    header, pairs, columns = store.header, store.pairs, store.columns
    delta = columns["delta"][~np.isnan(columns["delta"])]
    tolerance = float(header.settings.get("explain", {}).get("tolerance") or TOLERANCE)
    steps, counts = np.unique(columns["steps"][columns["steps"] >= 0], return_counts=True)
    return Summary(
        version=VERSION, kind=header.kind, manifest=header.manifest, model=header.model, settings=header.settings,
        samples=len(pairs.sample_ids), samples_with_pairs=len(np.unique(pairs.sample)),
        height=header.height, width=header.width, heatmap_size=header.heatmap_size,
        findings={name: _areas(store, pairs.finding == place) for place, name in enumerate(pairs.findings)},
        completeness=_histogram(delta), without_completeness=len(pairs) - len(delta),
        tolerance=tolerance, over_tolerance=int((delta > tolerance).sum()),
        steps={str(step): int(count) for step, count in zip(steps, counts, strict=True)},
        steps_of_quarters=_steps_of_quarters(store),
        conditions=store.conditions,
        parts=store.parts,
    )  # fmt: skip


def _histogram(delta: NDArray[np.float32]) -> dict[str, int]:
    bins = np.searchsorted(np.array(EDGES, dtype=np.float32), delta, side="left")
    counts: list[int] = np.bincount(bins, minlength=len(EDGES) + 1).tolist()
    return dict(zip([*(f"{edge:g}" for edge in EDGES), "more"], counts, strict=True))


def _steps_of_quarters(store: MaskStore) -> tuple[float, float] | None:
    counted = store.columns["steps"] >= 0
    if not counted.any():
        return None
    film = store.pairs.sample[counted]
    most = np.zeros(len(store.pairs.sample_ids), dtype=np.int64)
    np.maximum.at(most, film, store.columns["steps"][counted])
    by_film = np.sort(most[np.unique(film)])
    quarter = max(len(by_film) // 4, 1)
    return float(by_film[:quarter].mean()), float(by_film[-quarter:].mean())


def _areas(store: MaskStore, chosen: Bools) -> Areas:
    pixels = store.header.height * store.header.width
    foreground = store.columns["foreground_px"][chosen] / pixels
    known = store.columns["known_px"][chosen] / pixels
    drawn = foreground[foreground > 0]
    return Areas(
        pairs=int(chosen.sum()),
        unknown=int((known == 0).sum()),
        empty=int(((foreground == 0) & (known > 0)).sum()),
        quantiles=tuple(np.quantile(drawn, QUANTILES).tolist()) if len(drawn) else None,
        ignored=float(1 - known[known > 0].mean()) if (known > 0).any() else None,
    )
