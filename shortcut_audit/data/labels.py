"""What an uncertain label and a missing one count as."""

from __future__ import annotations

import numpy as np

from shortcut_audit.config import BlankPolicy, UncertainPolicy
from shortcut_audit.shapes import Floats


def apply_label_policy(labels: Floats, *, uncertain: UncertainPolicy, blank: BlankPolicy) -> Floats:
    """Return labels that are 1, 0 or NaN (to be left out).

    Args:
        labels: any shape; 1, 0, -1 (uncertain) or NaN (not mentioned), as ``Manifest.labels`` gives them.
        uncertain: ``ignore`` leaves -1 out, ``ones`` and ``zeros`` count it as 1 or 0 (U-Ignore, U-Ones and
            U-Zeroes of Irvin et al. 2019, CheXpert). ``multiclass`` (U-MultiClass) leaves it out wherever images
            are judged; a classifier learns it as a class of its own, see :func:`taught_labels`.
        blank: ``negative`` counts what is not mentioned as 0, ``ignore`` leaves it out.
    """
    counted = np.where(np.isnan(labels), 0.0 if blank == "negative" else np.nan, labels)
    return np.where(labels == -1, {"ones": 1.0, "zeros": 0.0}.get(uncertain, np.nan), counted)


def taught_labels(labels: Floats, *, uncertain: UncertainPolicy, blank: BlankPolicy) -> Floats:
    """Return labels as :func:`apply_label_policy`, but with ``multiclass`` -1 stays: a class that is learnt."""
    counted = apply_label_policy(labels, uncertain=uncertain, blank=blank)
    return np.where(labels == -1, -1.0, counted) if uncertain == "multiclass" else counted
