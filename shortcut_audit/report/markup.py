"""HTML and SVG elements from Python, with everything escaped that is not markup already.

The one place where markup is put together: a name brought by a user can never become an element or
an attribute, because only :func:`tag` writes angle brackets and it escapes what it is given.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from markupsafe import Markup

_VOID = {"img", "br"}
_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9_]+")


def tag(name: str, *children: object, **attributes: str | float | bool | None) -> Markup:
    """Return one element.

    Args:
        name: the element's name.
        children: texts (escaped), or markup (kept).
        attributes: ``class_`` means class, ``aria_label`` means aria-label; None and False leave an
            attribute out, True writes it without a value.
    """
    written = join(
        Markup(" {}").format(_attribute(key)) if value is True else Markup(' {}="{}"').format(_attribute(key), value)
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _VOID:
        return Markup("<{}{}>").format(name, written)
    return Markup("<{0}{1}>{2}</{0}>").format(name, written, join(children))


def join(children: Iterable[object]) -> Markup:
    """Return texts (escaped) and markup (kept), one after the other."""
    return Markup("").join(children)  # type: ignore[arg-type]  # escapes whatever is not markup


def anchor(*parts: str) -> str:
    """Return an id made of names: readable, stable, and different for different names."""
    cleaned = [_NOT_IN_AN_ID.sub("-", part).strip("-") for part in parts]
    readable = "-".join(cleaned)
    if cleaned == list(parts):
        return readable
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return f"{readable[:60]}-{digest[:8]}"


def anchors(keys: Iterable[tuple[str, ...]]) -> list[str]:
    """Return one id for each key; a key that comes again gets a number behind it."""
    seen: dict[str, int] = {}
    found = []
    for key in keys:
        name = anchor(*key)
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return found


def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
