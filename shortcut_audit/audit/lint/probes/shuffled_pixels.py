"""The pixels in any order."""

from __future__ import annotations

import numpy as np

from shortcut_audit.audit.lint.material import Material
from shortcut_audit.audit.lint.probes import PROBES, Clue, clue

QUANTILES = np.linspace(0.01, 0.99, 33)


@PROBES.register("shuffled_pixels")
def shuffled_pixels(material: Material) -> list[Clue]:
    """Does the histogram tell the label, with all pixels in any order?

    Exposure, gain and post-processing are in it; so is every diffuse finding. It is a number to know beside a
    model's, never one to subtract from it.
    """
    flat = material.scaled.reshape(len(material.pixels), 3, -1)
    return [clue("histogram", np.moveaxis(np.quantile(flat, QUANTILES, axis=2), 0, 2))]
