"""A small, fast learner whose scores are linear in the labels: kernel ridge regression, cross-fitted by patient.

Because a score is a fixed matrix times the labels of the training folds, the labels of thousands of permutations
are learnt with one product each, by the very same learner. Folds follow the hash of the patient's id and not the
label, so a permuted table is as good as the real one.

Scores of different folds are never compared: a fold whose training films hold more positives would score higher,
and its own films hold fewer (pooled AUROCs of nothing then lie below .5). The AUROC is the mean over the folds,
each with its share of pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve
from scipy.spatial.distance import cdist
from scipy.stats import rankdata

from shortcut_audit.audit.statistics.metrics import Auroc, Sampling, auroc, pool
from shortcut_audit.shapes import Bools, Floats, Ints

FOLDS = 5
RIDGE = 1.0
"""Added to the diagonal of a kernel whose own diagonal is 1."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Fold:
    """One fold: its films, those learnt from, and the matrix (test, train) that makes scores of their labels."""

    test: Ints
    train: Ints
    smoother: Floats

    def scores(self, labels: Bools) -> Floats:
        """Return scores (B, test) for labels (B, N)."""
        learnt = labels[:, self.train].astype(np.float64)
        centred = learnt - learnt.mean(axis=1, keepdims=True)
        found: Floats = centred @ self.smoother.T
        return np.round(found, 12)  # ties stay ties, whatever order sums were taken in


def cross_fit(features: Floats, patients: Ints) -> list[Fold]:
    """Prepare every fold: a Gaussian kernel on standardised features, 1 / D its precision.

    Args:
        features: (N, D).
        patients: (N,) numbers of the patients, in an order that does not follow the labels.
    """
    told = features[:, varying(features)]
    standard = (told - told.mean(axis=0)) / told.std(axis=0)
    kernel = np.exp(-cdist(standard, standard, "sqeuclidean") / max(standard.shape[1], 1))
    fold = np.unique(patients, return_inverse=True)[1] % FOLDS
    return [_fold(kernel, np.flatnonzero(fold == k), np.flatnonzero(fold != k)) for k in range(FOLDS)]


def varying(features: Floats) -> Bools:
    """Return which features (N, D) differ between films by more than what rounding makes of equal numbers."""
    different: Bools = features.std(axis=0) > 1e-12
    return different


def _fold(kernel: Floats, test: Ints, train: Ints) -> Fold:
    inner = kernel[np.ix_(train, train)] + RIDGE * np.eye(len(train))
    smoother = (
        solve(inner, kernel[np.ix_(train, test)], assume_a="pos").T if len(train) and len(test) else np.empty((0, 0))
    )
    return Fold(test=test, train=train, smoother=smoother)


def aurocs(folds: list[Fold], labels: Bools) -> Floats:
    """Return the AUROC within folds for each row of labels (B, N); NaN where no fold holds both classes."""
    won, pairs = np.zeros(len(labels)), np.zeros(len(labels))
    for fold in folds:
        if not len(fold.test):
            continue
        ranks, positive = rankdata(fold.scores(labels), axis=1), labels[:, fold.test]
        of = positive.sum(axis=1)
        won += (ranks * positive).sum(axis=1) - of * (of + 1) / 2
        pairs += of * (len(fold.test) - of)
    found: Floats = np.divide(won, pairs, out=np.full(len(labels), np.nan), where=pairs > 0)
    return found


def fitted_auroc(folds: list[Fold], label: Bools, sampling: Sampling) -> Auroc | None:
    """Return the same for the labels as they are, with its influence per patient; None where there are no pairs."""
    parts, pairs = [], []
    for fold in folds:
        positives, negatives = fold.test[label[fold.test]], fold.test[~label[fold.test]]
        if len(positives) and len(negatives):
            scores = np.zeros(len(label))
            scores[fold.test] = fold.scores(label[None])[0]
            parts.append(auroc(positives, negatives, sampling, scores))
            pairs.append(len(positives) * len(negatives))
    return pool(parts, list(np.array(pairs) / sum(pairs)), sampling) if parts else None
