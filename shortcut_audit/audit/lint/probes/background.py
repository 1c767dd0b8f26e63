"""Pixels that do not show what the label is about: the border, what lies round an ellipse, what lies round a mask."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from shortcut_audit.audit.lint.material import SIDE, Material
from shortcut_audit.audit.lint.probes import PROBES, Clue, clue
from shortcut_audit.data.decode import BadImageError
from shortcut_audit.data.drawn import fitted, read_drawn
from shortcut_audit.shapes import Bools, Floats

GRID = 16
"""Side of the picture that a learner sees of a place, in blocks."""
ELLIPSE = 0.9
"""Axes of the ellipse as a share of width and height."""
QUANTILES = np.linspace(0.02, 0.98, 17)
LEAST_OUTSIDE = 100
"""Pixels round a mask, of 64 x 64; fewer have no quantiles to speak of."""


@PROBES.register("background")
def background(material: Material) -> list[Clue]:
    """Do the border, the corners, or the pixels outside a drawn mask tell the label?

    Markers, collimation, rulers and ink lie there; so may a part of the finding. Of what is outside a mask only
    the brightness is looked at: where the mask ends would show size and place of what was drawn.
    """
    blocks = material.scaled.reshape(-1, 3, GRID, SIDE // GRID, GRID, SIDE // GRID).mean(axis=(3, 5))
    away = np.abs(np.arange(GRID) + 0.5 - GRID / 2) / (GRID / 2)
    border = np.maximum(away[:, None], away[None, :]) > 1 - 2 / GRID
    corners = np.hypot(away[:, None], away[None, :]) > ELLIPSE
    clues = [clue("border", blocks[:, :, border]), clue("outside the central ellipse", blocks[:, :, corners])]
    return clues + [_outside(material, structure) for structure in material.manifest.structures]


def _outside(material: Material, structure: str) -> Clue:
    """Return quantiles of brightness outside a mask, for the films that have one which leaves enough outside."""
    images, cells = material.manifest.images(), material.manifest.drawn("mask", structure)
    features: Floats = np.zeros((len(images), 3, len(QUANTILES)))
    rows: Bools = np.zeros(len(images), dtype=bool)
    for row, (cell, image) in enumerate(zip(cells, images, strict=True)):
        if cell is None:
            continue
        with suppress(BadImageError):  # such a film has no features; the number of films says so
            outside = ~fitted(read_drawn(cell, image=image), (SIDE, SIDE)).foreground
            if LEAST_OUTSIDE <= outside.sum() < outside.size:
                features[row] = np.quantile(material.scaled[row][:, outside], QUANTILES, axis=1).T
                rows[row] = True
    own = structure if structure in material.manifest.findings else None
    return clue(f"outside mask.{structure}", features, rows=rows, own=own)
