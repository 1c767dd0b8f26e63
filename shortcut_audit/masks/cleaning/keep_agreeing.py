"""Only masks of films whose label the teacher agrees with."""

from __future__ import annotations

from typing import ClassVar

from shortcut_audit.masks.cleaning import CLEANING, Lessons, forget
from shortcut_audit.shapes import Bools

CALLED = 0.5


class KeepAgreeing:
    """A mask of a film with the finding is kept where it is not empty and the teacher's score is above one half.

    The other half of Hooper's "boosted", whose exact rule is not published. A mask that is dropped teaches nothing.
    """

    needs_attribute: ClassVar[bool] = False
    needs_scores: ClassVar[bool] = True

    def clean(self, lessons: Lessons) -> tuple[Bools, Bools]:
        """Forget positives that the teacher missed."""
        agrees = (lessons.scores > CALLED) & lessons.foreground.any(axis=(2, 3))
        return lessons.foreground, forget(lessons.known, (lessons.labels == 1) & ~agrees)


CLEANING.register("keep_agreeing")(KeepAgreeing())
