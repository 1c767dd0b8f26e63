"""Masks without the attribute's pixels."""

from __future__ import annotations

from typing import ClassVar

from shortcut_audit.masks.cleaning import CLEANING, Lessons, forget
from shortcut_audit.shapes import Bools


class SubtractFootprint:
    """The attribute's footprint becomes background; a mask of an unknown footprint teaches nothing."""

    needs_attribute: ClassVar[bool] = True
    needs_scores: ClassVar[bool] = False

    def clean(self, lessons: Lessons) -> tuple[Bools, Bools]:
        """Take the footprint out of the foreground."""
        return lessons.foreground & ~lessons.footprint[:, None], forget(lessons.known, lessons.untraced)


CLEANING.register("subtract_footprint")(SubtractFootprint())
