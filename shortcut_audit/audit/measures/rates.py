"""Proportions with their influence per patient: sensitivity, specificity, false-alarm rate, PPV.

A proportion is one more part of a :class:`Contrast`, so that its interval, and that of differences of
proportions, come from the lines that make those of the AUROC (``audit/statistics/estimate.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shortcut_audit.audit.statistics.estimate import Contrast
from shortcut_audit.audit.statistics.metrics import Part, Sampling, patient_sums
from shortcut_audit.audit.table.question import Question
from shortcut_audit.shapes import Bools, Ints


@dataclass(frozen=True, kw_only=True, eq=False)
class Proportion(Part):
    """Weighted share of the rows ``rows`` that are among ``hits`` (N,)."""

    rows: Ints
    hits: Bools


def proportion(rows: Ints, hits: Bools, sampling: Sampling) -> Proportion:
    """Estimate the weighted share of some rows that are hits.

    The influence of patient k is the sum over its rows of w (hit - p) / W, scaled by sqrt(g / (g - 1)) for
    g patients: the linearised ratio estimator (Cochran 1977, section 11), which with one row a patient and
    no weights has the variance p (1 - p) / (g - 1). Degrees of freedom are g - 1.

    Args:
        rows: numbers of the rows it is a share of, at least one.
        hits: (N,), read at ``rows``.
        sampling: patients and weights of all N rows.
    """
    found = hits[rows].astype(np.float64)
    weights = sampling.weights[rows]
    # A quotient of sums, not an average: where all or none are hits it is exactly 1 or 0.
    value = float((weights * found).sum() / weights.sum())
    influence, patients = patient_sums(found - value, rows, sampling)
    return Proportion(value=value, influence=influence, df=patients - 1, smaller=patients, rows=rows, hits=hits)


def share(question: Question, among: Bools, hits: Bools, empty: str) -> Contrast:
    """Return the share of hits among some rows; ``empty`` says why there is none if there are no rows.

    Args:
        question: whose patients, weights and labels are used.
        among: (N,) the rows it is a share of.
        hits: (N,) what is counted among them.
        empty: the reason where ``among`` holds no row.
    """
    rows = among & question.label, among & ~question.label
    if not among.any():
        return Contrast(sampling=question.sampling, reason=empty, rows=rows)
    part = proportion(np.flatnonzero(among), hits, question.sampling)
    return Contrast(sampling=question.sampling, parts=((1.0, part),), rows=rows)


def share_of_cell(question: Question, hits: Bools, label: int, value: int) -> Contrast:
    """Return the share of hits among the test rows of one label and one of the attribute's own values."""
    among = question.test & (question.label == bool(label)) & (question.values == value)
    who = question.cell_name(label, question.original(value))
    return share(question, among, hits, f"the test set has no {who}")
