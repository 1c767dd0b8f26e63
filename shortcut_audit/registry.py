"""Plug-ins found by name: one file in a package is one plug-in (or a family of close relatives).

A registry imports the modules of its package at the first look-up, so that adding a dataset, a
summarizer, a method, a check or a section is adding one file and nothing else.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Generic, TypeVar

from shortcut_audit.errors import UsageError, did_you_mean

T = TypeVar("T")


class Registry(Generic[T]):
    """Names to plug-ins of one kind.

    Args:
        kind: what a user calls such a plug-in, in the singular ("dataset"); used in messages.
        package: dotted name of the package whose modules register themselves.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self._package = package
        self._entries: dict[str, T] = {}
        self._loaded = False

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that enters its argument under ``name``."""

        def enter(entry: T) -> T:
            if name in self._entries:
                raise ValueError(f"the {self.kind} '{name}' is registered twice")
            self._entries[name] = entry
            return entry

        return enter

    def names(self) -> list[str]:
        """Return all names, sorted."""
        self._load()
        return sorted(self._entries)

    def get(self, name: str) -> T:
        """Return the plug-in called ``name``.

        Raises:
            UsageError: no plug-in of that name; the message names the nearest one.
        """
        self._load()
        if name not in self._entries:
            known = ", ".join(self.names())
            guess = did_you_mean(name, self._entries)
            raise UsageError(f"no {self.kind} is called '{name}'{guess}; there are: {known}")
        return self._entries[name]

    def describe(self) -> list[tuple[str, str]]:
        """Return (name, first line of the docstring) of every plug-in, sorted by name."""
        described = []
        for name in self.names():
            doc = (self._entries[name].__doc__ or "").strip()
            described.append((name, doc.splitlines()[0] if doc else ""))
        return described

    def _load(self) -> None:
        if self._loaded:
            return
        package = importlib.import_module(self._package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self._package}.{module.name}")
        self._loaded = True
