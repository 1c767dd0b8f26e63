"""A metric's name for people and its definition in one sentence, by subject: a new metric's words go into one file."""

from __future__ import annotations

from typing import NamedTuple


class Term(NamedTuple):
    """A metric's name for people and its definition in one sentence."""

    label: str
    definition: str
