"""Where an interval lies to the margin: evidence, and the same in words."""

from __future__ import annotations

from shortcut_audit.audit.result.judgement import Evidence
from shortcut_audit.audit.statistics.estimate import Estimate, Place, Undefined

EVIDENCE: dict[Place, Evidence] = {"beyond": "yes", "within": "no", "across": "cannot tell"}
WORDS: dict[Place, str] = {
    "beyond": "the whole interval lies beyond",
    "within": "the whole interval lies within",
    "across": "the interval covers the limit",
}


def against_margin(found: Estimate | Undefined, margin: float) -> tuple[Evidence, str]:
    """Return whether a number is beyond plus or minus ``margin`` or within, by its whole interval, and why."""
    if isinstance(found, Undefined):
        return "cannot tell", found.reason
    place = found.against(margin)
    return EVIDENCE[place], f"{WORDS[place]} {margin:g}"
