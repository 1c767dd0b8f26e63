"""The parts of the report, one file each; a new file here is a new section."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.registry import Registry

Body = Callable[[AuditResult], Markup]


@dataclass(frozen=True, kw_only=True)
class Section:
    """One part of the report.

    ``name`` is the id that links point to, ``order`` its place (lower is earlier), and ``body`` makes
    what stands below the heading; it never returns nothing: absence must be visible, with its reason.
    """

    name: str
    title: str
    order: int
    body: Body

    def __post_init__(self) -> None:
        object.__setattr__(self, "__doc__", self.body.__doc__)  # what 'audit list sections' prints


SECTIONS: Registry[Section] = Registry("section", "shortcut_audit.report.sections")


def section(name: str, *, title: str, order: int) -> Callable[[Body], Body]:
    """Return a decorator that makes a function the section called ``name``."""

    def enter(body: Body) -> Body:
        SECTIONS.register(name)(Section(name=name, title=title, order=order, body=body))
        return body

    return enter


def ordered_sections() -> list[Section]:
    """Return all sections in the order of the page."""
    return sorted((SECTIONS.get(name) for name in SECTIONS.names()), key=lambda found: found.order)
