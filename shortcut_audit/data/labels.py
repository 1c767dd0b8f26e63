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
            U-Zeroes of Irvin et al. 2019, CheXpert).
        blank: ``negative`` counts what is not mentioned as 0, ``ignore`` leaves it out.
    """
    counted = np.where(np.isnan(labels), 0.0 if blank == "negative" else np.nan, labels)
    return np.where(labels == -1, {"ignore": np.nan, "ones": 1.0, "zeros": 0.0}[uncertain], counted)
