"""One way in which an audit departs from its plan."""

from __future__ import annotations

from dataclasses import dataclass

from shortcut_audit.audit.result.judgement import Deviation


@dataclass(frozen=True, kw_only=True)
class Departure:
    """A deviation as it is recorded, and as it is told on the terminal, where ids may be named."""

    record: Deviation
    told: str
