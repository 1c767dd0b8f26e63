"""What makes one shard of a mask store out of images: explain, cut, pack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shortcut_audit.attribution.base import Attribution
from shortcut_audit.attribution.explainer import Explainer
from shortcut_audit.config import PseudoMaskConfig
from shortcut_audit.errors import InputError
from shortcut_audit.masks.layout import shard_bytes, shard_rows
from shortcut_audit.masks.pseudo_mask import pseudo_mask
from shortcut_audit.masks.record import MaskRecord, Pairs, StoreHeader
from shortcut_audit.shapes import Bytes8, Ints

Cuts = Sequence[PseudoMaskConfig]
"""How each finding's attributions become masks."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """A packed shard, and why its bytes may differ from those of another run."""

    data: bytes
    conditions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ShardMaker:
    """Makes any shard of a job from the images of its films alone, so that another process can do it."""

    explainer: Explainer
    pairs: Pairs
    header: StoreHeader
    cuts: Cuts

    def films(self, shard: int) -> Ints:
        """Return the samples (M,) that a shard is about, ascending."""
        return films_of(self.pairs, shard_rows(shard, len(self.pairs)))

    def make(self, shard: int, stored: Bytes8) -> Made:
        """Explain and pack a shard.

        Args:
            shard: its number.
            stored: pixels (M,C,H,W) of its :meth:`films`.

        Raises:
            InputError: an attribution that is not finite.
        """
        rows = shard_rows(shard, len(self.pairs))
        found = explain_pairs(self.explainer, self.pairs, rows, stored)
        records = [self._record(found, place, row) for place, row in enumerate(rows)]
        return Made(data=shard_bytes(records, shard, self.header), conditions=self.explainer.conditions)

    def _record(self, attribution: Attribution, place: int, row: int) -> MaskRecord:
        heatmap = attribution.signed[place]
        sample_id = self.pairs.sample_ids[self.pairs.sample[row]]
        finding = self.pairs.findings[self.pairs.finding[row]]
        if not (np.isfinite(heatmap).all() and np.isfinite(attribution.logit[place])):
            raise InputError(
                f"sample '{sample_id}', finding '{finding}': the attribution is not finite; "
                "the classifier's weights are damaged, train it again"
            )
        score = float(attribution.score[place])
        mask = pseudo_mask(heatmap, self.cuts[self.pairs.finding[row]], score=score)
        return MaskRecord(
            sample_id=sample_id,
            finding=finding,
            heatmap=heatmap,
            foreground=mask.foreground,
            known=mask.known,
            delta=None if attribution.delta is None else float(attribution.delta[place]),
            steps=None if attribution.steps is None else int(attribution.steps[place]),
            threshold=mask.threshold,
            score=score,
        )


def films_of(pairs: Pairs, rows: Sequence[int]) -> Ints:
    """Return the samples (M,) of some pairs, ascending."""
    films: Ints = np.unique(pairs.sample[rows])
    return films


def explain_pairs(explainer: Explainer, pairs: Pairs, rows: Sequence[int], stored: Bytes8) -> Attribution:
    """Explain some pairs of the films ``stored`` (M,C,H,W); findings of one film share its passes."""
    shown, image = np.unique(pairs.sample[rows], return_inverse=True)
    return explainer.explain(stored, image=image, target=pairs.finding[rows], scored=shown)
