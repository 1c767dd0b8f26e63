"""Fewer lessons from the cells label x attribute that are too common."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from shortcut_audit.masks.cleaning import CLEANING, Lessons, forget
from shortcut_audit.shapes import Bools


class Reweight:
    """Forgets films at random until label and attribute are independent among those that still teach.

    The weights of Kamiran and Calders 2012 (Knowl. Inf. Syst. 33, reweighing), P(y) P(a) / P(y, a), taken as
    probabilities of being kept: a film of the rarest combination for its margins always is.
    """

    needs_attribute: ClassVar[bool] = True
    needs_scores: ClassVar[bool] = False

    def clean(self, lessons: Lessons) -> tuple[Bools, Bools]:
        """Forget a film's class with probability one minus its rarity."""
        classes = lessons.labels.shape[1]
        drawn = np.array([lessons.draws(film).uniform(size=classes) for film in range(len(lessons.labels))])
        return lessons.foreground, forget(lessons.known, drawn >= lessons.rarity)


CLEANING.register("reweight")(Reweight())
