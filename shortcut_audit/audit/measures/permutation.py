"""The gap where the attribute means nothing: attributes exchanged among patients of like labels.

If the scores of one label do not go with the attribute, any exchange of the attribute among its images is as
likely as the one that was seen; the share of exchanges with a gap as large is an exact P (Phipson and Smyth
2010: the one that was seen counts as one of them). Images of a patient are not exchangeable one by one, so
whole patients exchange: those with the same numbers of positives and of negatives hand over the attributes of
all their images, label by label. That keeps what the images of a patient have in common. Who has nobody to
exchange with keeps its own. Every cell keeps its size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from shortcut_audit.audit.table.question import Question
from shortcut_audit.shapes import Bools, Floats, Ints

PERMUTATIONS = 499
MOST_IMAGES = 20_000
"""Above it the permutations would take longer than the rest of the audit."""
SEED = 0
AT_ONCE = 500_000
"""Attribute values held in memory at once."""
SAME = 1e-10


@dataclass(frozen=True, kw_only=True, eq=False)
class PermutedGaps:
    """The gap as it was and under each permutation (B,); ``alone`` of ``patients`` exchange with nobody."""

    observed: float
    gaps: Floats
    patients: int
    alone: int

    @property
    def as_large(self) -> int:
        """Permutations whose gap is at least as far from 0."""
        return int((np.abs(self.gaps) >= abs(self.observed) - SAME).sum())

    @property
    def p(self) -> float:
        """Two-sided P of the gap."""
        return (self.as_large + 1) / (len(self.gaps) + 1)


def permuted_gaps(question: Question, permutations: int = PERMUTATIONS) -> PermutedGaps | str:
    """Return the gap under permutations of the attribute, or the reason why there are none."""
    observed = question.gap()
    if observed.reason:
        return observed.reason
    rows = np.flatnonzero(question.test & ~np.isnan(question.expected))
    if len(rows) > MOST_IMAGES:
        return f"the test set has more than {MOST_IMAGES} images; the interval of the gap is enough there"
    # One order whatever the order of the table, and within a patient positives behind negatives.
    names = question.samples.gather(rows).rank("ordinal").to_numpy()
    rows = rows[np.lexsort((names, question.label[rows], question.sampling.clusters[rows]))]
    blocks = _blocks(question.sampling.clusters[rows], question.label[rows].astype(np.int64))
    patients = sum(len(block) for block in blocks)
    alone = sum(len(block) for block in blocks if len(block) == 1)
    if alone == patients:
        return "no two patients have the same numbers of positives and negatives, so none can exchange the attribute"
    gaps = _Gaps(question, rows)
    found = [gaps(chunk) for chunk in _permuted(question.expected[rows] == 1, blocks, permutations)]
    return PermutedGaps(observed=observed.value, gaps=np.concatenate(found), patients=patients, alone=alone)


def _blocks(clusters: Ints, label: Ints) -> list[Ints]:
    """Return for each kind of patient an array (patients, images) of places; rows come sorted by patient."""
    starts = np.flatnonzero(np.diff(clusters, prepend=-1))
    sizes = np.diff(starts, append=len(clusters))
    positives = np.add.reduceat(label, starts)
    kinds, kind = np.unique(np.stack([positives, sizes], axis=1), axis=0, return_inverse=True)
    return [starts[kind.ravel() == k][:, None] + np.arange(kinds[k, 1]) for k in range(len(kinds))]


def _permuted(has: Bools, blocks: list[Ints], permutations: int) -> Iterator[Bools]:
    """Yield the attribute (some permutations, rows) under random exchange within each block."""
    rng = np.random.default_rng(SEED)
    at_once = max(1, AT_ONCE // len(has))
    for start in range(0, permutations, at_once):
        count = min(at_once, permutations - start)
        exchanged = np.empty((count, len(has)), dtype=bool)
        for block in blocks:
            order = rng.permuted(np.tile(np.arange(len(block)), (count, 1)), axis=1)
            exchanged[:, block] = has[block][order]
        yield exchanged


class _Gaps:
    """A_10 - A_01 for many attributes of the same scores: what does not change is computed once.

    With K_ij the weight of a positive i that beats a negative j, a and b the attribute of positives and negatives:
    A_10 is (a K 1 - a K b) and A_01 is (1 K b - a K b), each by its sum of weights. Only a K b is new each time.
    """

    def __init__(self, question: Question, rows: Ints) -> None:
        label, score, weights = question.label[rows], question.score[rows], question.sampling.weights[rows]
        self.positives, negatives = np.flatnonzero(label), np.flatnonzero(~label)
        self.negatives = negatives[np.argsort(score[negatives])]
        self.high, self.low = weights[self.positives], weights[self.negatives]
        ordered, scores = score[self.negatives], score[self.positives]
        self.below, self.up_to = (np.searchsorted(ordered, scores, side=side) for side in ("left", "right"))
        self.of_positives = self._beaten(self.low[None, :])[0]
        beating = np.zeros(len(ordered) + 1)
        for ends in (self.below, self.up_to):
            np.add.at(beating, ends, self.high / 2)
        self.of_negatives = np.cumsum(beating[::-1])[::-1][1:]

    def __call__(self, has: Bools) -> Floats:
        """Return the gap of each attribute in ``has`` (B, rows)."""
        positive = np.where(has[:, self.positives], self.high, 0.0)
        negative = np.where(has[:, self.negatives], self.low, 0.0)
        both = np.einsum("bi,bi->b", positive, self._beaten(negative))
        a, b = positive.sum(axis=1), negative.sum(axis=1)
        aligned, robust = positive @ self.of_positives - both, negative @ self.of_negatives - both
        value: Floats = aligned / (a * (self.low.sum() - b)) - robust / ((self.high.sum() - a) * b)
        return value

    def _beaten(self, negative: Floats) -> Floats:
        """Return the weight of the negatives that each positive beats (B, positives), ties one half."""
        total = np.zeros((len(negative), negative.shape[1] + 1))
        np.cumsum(negative, axis=1, out=total[:, 1:])
        beaten: Floats = (total[:, self.below] + total[:, self.up_to]) / 2
        return beaten
