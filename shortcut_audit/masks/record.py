"""What a mask store holds: (sample, finding) pairs, a record for each, and what they were made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from shortcut_audit.provenance import fingerprint, sha256_bytes
from shortcut_audit.shapes import Heatmap, Ints, Mask, Pixels

Kind = Literal["explained", "imported"]


@dataclass(frozen=True, kw_only=True)
class MaskRecord:
    """One pair.

    Attributes:
        heatmap: signed attribution in logit units, (H,W) when given, at the store's own size and in 8 bits
            when read; None where there is none.
        foreground: (H,W) pseudo-mask.
        known: (H,W) pixels on which the pseudo-mask says anything.
        delta: completeness error of the attribution; None for methods that promise none.
        steps: quadrature steps per baseline; None for methods without steps.
        threshold: smallest smoothed attribution in the mask; None where the rule took nothing.
        score: the classifier's score in [0, 1]; None for masks made elsewhere.
    """

    sample_id: str
    finding: str
    heatmap: Heatmap | None
    foreground: Mask
    known: Mask
    delta: float | None
    steps: int | None
    threshold: float | None
    score: float | None


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Which pairs there are.

    Attributes:
        sample_ids: all N samples, also those without a pair.
        findings: all F findings.
        sample: (P,) index of each pair's sample, ascending.
        finding: (P,) index of each pair's finding.
    """

    sample_ids: tuple[str, ...]
    findings: tuple[str, ...]
    sample: Ints
    finding: Ints

    def __len__(self) -> int:
        return len(self.sample)


@dataclass(frozen=True, kw_only=True)
class StoreHeader:
    """What the records of a store were made from.

    Attributes:
        manifest: fingerprint of the manifest.
        model: fingerprint of the classifier's weights; None for masks made elsewhere.
        settings: every constant of attribution and pseudo-mask, or where the masks came from; JSON-able.
        height: rows of a mask.
        width: columns of a mask.
        heatmap_size: rows and columns of a heat map; None where none are kept.
        mean_image: (C,H,W) in [0, 1], where it was a baseline.
        kind: ``explained`` by this program, or ``imported``.
    """

    manifest: str
    model: str | None
    settings: Mapping[str, Any]
    height: int
    width: int
    heatmap_size: tuple[int, int] | None
    mean_image: Pixels | None
    kind: Kind = "explained"


@dataclass(frozen=True, kw_only=True)
class Job:
    """All that decides the content of a store; equal jobs give equal bytes on one machine's CPU."""

    header: StoreHeader
    pairs: Pairs

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of header and pairs."""
        mean = self.header.mean_image
        return fingerprint({
            "manifest": self.header.manifest,
            "model": self.header.model,
            "settings": dict(self.header.settings),
            "size": [self.header.height, self.header.width],
            "heatmap_size": self.header.heatmap_size,
            "kind": self.header.kind,
            "mean_image": None if mean is None else sha256_bytes(mean.tobytes()),
            "samples": self.pairs.sample_ids,
            "findings": self.pairs.findings,
            "pairs": sha256_bytes(self.pairs.sample.tobytes() + self.pairs.finding.tobytes()),
        })  # fmt: skip
