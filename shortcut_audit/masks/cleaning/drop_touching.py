"""No masks that touch the attribute."""

from __future__ import annotations

from typing import ClassVar

from shortcut_audit.masks.cleaning import CLEANING, Lessons, forget
from shortcut_audit.shapes import Bools


class DropTouching:
    """A mask with a pixel inside the attribute's footprint teaches nothing; nor does one of an unknown footprint."""

    needs_attribute: ClassVar[bool] = True
    needs_scores: ClassVar[bool] = False

    def clean(self, lessons: Lessons) -> tuple[Bools, Bools]:
        """Forget masks that meet the footprint."""
        touching = (lessons.foreground & lessons.footprint[:, None]).any(axis=(2, 3))
        return lessons.foreground, forget(lessons.known, touching | lessons.untraced)


CLEANING.register("drop_touching")(DropTouching())
