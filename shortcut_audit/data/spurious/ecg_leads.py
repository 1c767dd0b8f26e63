"""ECG leads: as bright and as thin as a chest tube, and of no importance (the matched device)."""

from __future__ import annotations

import numpy as np

from shortcut_audit.data.spurious import SPURIOUS, Params
from shortcut_audit.data.spurious.chest_tube import CONTRAST, FOOTPRINT_LEVEL, WIDTH
from shortcut_audit.data.strokes import bezier, stroke
from shortcut_audit.shapes import Floats, Mask


class EcgLeads:
    """One lead across the chest, from an electrode on it to the film's lower edge."""

    def draw(self, rng: np.random.Generator, *, side: int) -> Params:
        """Choose electrode, bend and the place where the lead leaves the film."""
        electrode = (0.5 + side * rng.uniform(0.12, 0.30), rng.uniform(0.18, 0.40))
        bend = (0.5 + side * rng.uniform(-0.05, 0.30), rng.uniform(0.45, 0.70))
        leaves = (0.5 + side * rng.uniform(0.0, 0.40), rng.uniform(0.90, 0.98))
        return {"x": [electrode[0], bend[0], leaves[0]], "y": [electrode[1], bend[1], leaves[1]]}

    def apply(self, image: Floats, params: Params) -> tuple[Floats, Mask]:
        """Add the lead's brightness; the footprint is where it adds at least 30 % of its contrast."""
        path = bezier(np.column_stack([params["x"], params["y"]]))
        drawn = stroke([path], size=image.shape[0], width=WIDTH)
        return image + CONTRAST * drawn, drawn > FOOTPRINT_LEVEL


SPURIOUS.register("ecg_leads")(EcgLeads())
