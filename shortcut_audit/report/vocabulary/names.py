"""Names of the user's as words: findings, attributes, and what one row stands for."""

from __future__ import annotations

from collections.abc import Collection

from shortcut_audit.audit.result.result import AuditResult

_UNITS = {"image": ("image", "images"), "study": ("study", "studies"), "patient": ("patient", "patients")}


def unit(result: AuditResult, size: int) -> str:
    """Return what one row of the audit stands for, in the singular or plural that ``size`` takes."""
    return _UNITS[result.counts.per][size != 1]


def plain(name: str) -> str:
    """Return a name of a finding, attribute or check as words."""
    return name.replace("_", " ")


def feature(attribute: str, composites: Collection[str] = ()) -> str:
    """Return an attribute as it stands in a sentence; one among ``composites`` as what it suggests."""
    parts = [part for part in attribute.split("+") if part]
    if len(parts) > 1 and attribute in composites:
        return f"the composite of {len(parts)} attributes"
    name = plain(attribute).replace("=", " ")
    return f"what {name} suggests" if attribute in composites else name
