"""A chest tube: it enters through the lateral wall and runs up to the apex."""

from __future__ import annotations

import numpy as np

from shortcut_audit.data.spurious import SPURIOUS, Params
from shortcut_audit.data.strokes import bezier, stroke
from shortcut_audit.shapes import Floats, Mask

CONTRAST = 0.36
WIDTH = 0.026
FOOTPRINT_LEVEL = 0.3


class ChestTube:
    """Drain from the lateral wall towards the apex, one bright curve."""

    def draw(self, rng: np.random.Generator, *, side: int) -> Params:
        """Choose entry, bend and tip on one side of the chest."""
        entry = (0.5 + side * rng.uniform(0.43, 0.49), rng.uniform(0.50, 0.72))
        bend = (0.5 + side * rng.uniform(0.14, 0.26), rng.uniform(0.48, 0.68))
        tip = (0.5 + side * rng.uniform(0.12, 0.28), rng.uniform(0.16, 0.34))
        return {"x": [entry[0], bend[0], tip[0]], "y": [entry[1], bend[1], tip[1]]}

    def apply(self, image: Floats, params: Params) -> tuple[Floats, Mask]:
        """Add the tube's brightness; the footprint is where it adds at least 30 % of its contrast."""
        path = bezier(np.column_stack([params["x"], params["y"]]))
        drawn = stroke([path], size=image.shape[0], width=WIDTH)
        return image + CONTRAST * drawn, drawn > FOOTPRINT_LEVEL


SPURIOUS.register("chest_tube")(ChestTube())
