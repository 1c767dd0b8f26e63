"""As many pixels as the footprint would cost, from anywhere in the mask: the control of every other rule."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from shortcut_audit.masks.cleaning import CLEANING, Lessons, forget
from shortcut_audit.shapes import Bools


class RemoveAtRandom:
    """Takes as many pixels out of a mask as subtract_footprint would, but at random places: a control."""

    needs_attribute: ClassVar[bool] = True
    needs_scores: ClassVar[bool] = False

    def clean(self, lessons: Lessons) -> tuple[Bools, Bools]:
        """Take out pixels that the film's own generator draws."""
        foreground = lessons.foreground.copy()
        cost = (foreground & lessons.footprint[:, None]).sum(axis=(2, 3))
        for film in np.flatnonzero(cost.any(axis=1)):
            rng = lessons.draws(int(film))
            for k in np.flatnonzero(cost[film]):
                plane = foreground[film, k].reshape(-1)  # a view: what is taken out is taken out of the copy
                plane[rng.choice(np.flatnonzero(plane), size=cost[film, k], replace=False)] = False
        return foreground, forget(lessons.known, lessons.untraced)


CLEANING.register("remove_at_random")(RemoveAtRandom())
