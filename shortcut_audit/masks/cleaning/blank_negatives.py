"""Empty masks where the label says that nothing is there."""

from __future__ import annotations

from typing import ClassVar

from shortcut_audit.masks.cleaning import CLEANING, Lessons
from shortcut_audit.shapes import Bools


class BlankNegatives:
    """Films without the finding teach an empty mask: image-label supervision again (half of Hooper's "boosted")."""

    needs_attribute: ClassVar[bool] = False
    needs_scores: ClassVar[bool] = False

    def clean(self, lessons: Lessons) -> tuple[Bools, Bools]:
        """Return no foreground and all pixels known where the label is 0."""
        negative = (lessons.labels == 0)[:, :, None, None]
        return lessons.foreground & ~negative, lessons.known | negative


CLEANING.register("blank_negatives")(BlankNegatives())
