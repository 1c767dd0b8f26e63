"""Ways to write a mask as text or JSON, one file each.

A codec turns one entry into a mask. An entry is a row of a table or a JSON object, its keys normalised
(``EncodedPixels`` is ``encodedpixels``); a JSON value that is no object has the key ``value``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

from shortcut_audit.data.drawn.cell import Size
from shortcut_audit.errors import InputError
from shortcut_audit.registry import Registry
from shortcut_audit.shapes import Mask

Entry = Mapping[str, Any]


@runtime_checkable
class Codec(Protocol):
    """One way to write masks. ``size`` (H, W): what coordinates are meant in where nobody says it."""

    size: ClassVar[Size | None]

    def draw(self, entry: Entry, size: Size) -> Mask:
        """Return the mask (H, W) of an entry; empty where the entry is blank. Raises CodeError."""

    def fits(self, entries: Sequence[Entry]) -> bool:
        """Say whether entries of one file are certainly written this way."""


class CodeError(InputError):
    """An entry that is not what its codec writes; who opened the file says where it stands."""


CODECS: Registry[Codec] = Registry("mask codec", __name__)
