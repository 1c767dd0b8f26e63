"""Finds out whether a medical-image model reads the finding or its shortcut.

``from shortcut_audit import audit_scores`` audits a table of scores in three lines; it is imported at
the first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shortcut_audit.stages.evaluate_frame import audit_scores

__all__ = ["audit_scores"]


def __getattr__(name: str) -> Any:
    if name == "audit_scores":
        from shortcut_audit.stages.evaluate_frame import audit_scores

        return audit_scores
    raise AttributeError(f"module 'shortcut_audit' has no attribute '{name}'")
