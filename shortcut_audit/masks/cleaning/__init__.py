"""Rules that clean pseudo-masks before a segmenter learns from them, one file each.

A teacher that reads the tube paints tubes into its masks. What a rule is worth shows only in the student that
learns from the cleaned masks, beside one whose masks lost as many pixels at random: ``audit masks clean``.

A configuration names rules in the order in which they are applied, ``RULE`` or ``RULE:ATTRIBUTE``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np

from shortcut_audit.errors import UsageError
from shortcut_audit.registry import Registry
from shortcut_audit.shapes import Bools, Floats, Ints


@dataclass(frozen=True, kw_only=True, eq=False)
class Lessons:
    """What some films teach, before or after a rule.

    Attributes:
        foreground: (N, K, H, W) pixels of the class.
        known: (N, K, H, W) pixels that teach anything.
        labels: (N, K) 1, 0 or NaN.
        scores: (N, K) the teacher's score; NaN where the pair was not explained.
        footprint: (N, H, W) pixels of the rule's attribute; empty where the film does not carry it.
        traced: (N,) whether the footprint is known: the film does not carry the attribute, or it is drawn.
        rarity: (N, K) P(label) P(attribute) / P(label, attribute) over the largest of them, in (0, 1]; 1 where
            label or attribute is unknown.
        seeds: (N,) a number that is the film's own, for what is drawn at random.
    """

    foreground: Bools
    known: Bools
    labels: Floats
    scores: Floats
    footprint: Bools
    traced: Bools
    rarity: Floats
    seeds: Ints

    @property
    def untraced(self) -> Bools:
        """(N, K) masks that cannot be cleaned: there is something in them, and nobody drew the footprint."""
        untraced: Bools = self.foreground.any(axis=(2, 3)) & ~self.traced[:, None]
        return untraced

    def draws(self, film: int) -> np.random.Generator:
        """Return the film's own generator."""
        return np.random.default_rng(int(self.seeds[film]))


@runtime_checkable
class CleaningRule(Protocol):
    """Cleans the lessons of some films; each film on its own, so that the size of a batch changes nothing."""

    needs_attribute: ClassVar[bool]
    needs_scores: ClassVar[bool]

    def clean(self, lessons: Lessons) -> tuple[Bools, Bools]:
        """Return foreground and known pixels, each (N, K, H, W)."""
        ...


CLEANING: Registry[CleaningRule] = Registry("cleaning rule", __name__)


@dataclass(frozen=True, kw_only=True)
class Cleaning:
    """One rule as it was asked for."""

    name: str
    attribute: str

    @property
    def rule(self) -> CleaningRule:
        """The rule itself."""
        return CLEANING.get(self.name)


def parse_cleaning(text: str) -> Cleaning:
    """Read ``RULE`` or ``RULE:ATTRIBUTE``.

    Raises:
        UsageError: an unknown rule, an attribute too many or one too few.
    """
    name, _, attribute = text.partition(":")
    needs = CLEANING.get(name).needs_attribute
    if needs and not attribute:
        raise UsageError(
            f"the cleaning rule '{name}' needs an attribute; write {name}:ATTRIBUTE, as in {name}:chest_tube"
        )
    if attribute and not needs:
        raise UsageError(f"the cleaning rule '{name}' is about no attribute; write '{name}' instead of '{text}'")
    return Cleaning(name=name, attribute=attribute)


def forget(known: Bools, which: Bools) -> Bools:
    """Return known pixels without the pairs ``which`` (N, K): they teach nothing any more."""
    kept: Bools = known & ~which[:, :, None, None]
    return kept
