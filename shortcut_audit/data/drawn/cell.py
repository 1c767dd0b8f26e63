"""The text of a mask cell: which file, which entry of it, and how it is written. No file is opened here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from shortcut_audit.errors import InputError, UsageError
from shortcut_audit.provenance import guard_path

Size = tuple[int, int]
"""Height and width in pixels."""
EMPTY = "empty"
UNION = "|"
_ENTRY = re.compile(
    r"(?:(?P<codec>[a-z_]{2,})(?:@(?P<width>\d{1,6})x(?P<height>\d{1,6}))?:)?"
    r"(?P<file>.+?\.(?:(?:csv|tsv)(?:\.gz)?|json))#(?P<key>[^#]+)(?:#(?P<kind>[^#]+))?",
    re.IGNORECASE,
)
_VALUE = re.compile(r"(?P<file>.+\.(?:png|bmp|gif|tiff?|jpe?g))#(?P<key>\d{1,5})", re.IGNORECASE)
"""One value of a picture. A name such as ``a.png#1.png`` is that of a picture as ever."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a cell.

    ``file`` None: nothing was drawn (``empty``). ``key`` None: what is not black in a picture. ``value``: only the
    pixels of a picture that hold this number. ``codec`` None: told from the content. ``size`` (H, W) None: not said.
    ``where`` names the cell in messages.
    """

    file: Path | None
    key: str | None = None
    kind: str | None = None
    codec: str | None = None
    size: Size | None = None
    value: int | None = None
    where: str = ""

    def __str__(self) -> str:
        pieces = (self.file or EMPTY, self.key, self.kind, self.value)
        return "#".join(str(piece) for piece in pieces if piece is not None)


def cell_of(file: str, *, key: str, kind: str | None = None, codec: str | None = None, size: Size | None = None) -> str:
    """Return the text of a cell that names an entry of a table or of a JSON file.

    Args:
        file: path, as images are written in the same manifest.
        key: id of the image in that file; of a picture, the number that its pixels hold.
        kind: class or category, where the file holds several.
        codec: how masks are written there; None leaves it to the content.
        size: (H, W) that coordinates are meant in; needs a codec.

    Raises:
        InputError: a part that could not be read back, as an id with ``#`` or ``|`` in it.
    """
    said = f"{codec}@{size[1]}x{size[0]}:" if codec and size else f"{codec}:" if codec else ""
    text = said + "#".join(piece for piece in (file, key, kind) if piece is not None)
    match, value = _ENTRY.fullmatch(text), _VALUE.fullmatch(text)
    read = match and (match["file"], match["key"], match["kind"], match["codec"])
    if value:
        read = value["file"], value["key"], None, None
    if UNION in text or read != (file, key, kind, codec):
        raise InputError(
            f"the mask '{text}' cannot be written as a cell; '{UNION}' and '#' have a meaning of their own"
        )
    return text


def parse_cell(text: str, *, root: Path, where: str) -> tuple[Part, ...]:
    """Read a cell; paths that lead out of the root are refused.

    Args:
        text: the cell, not blank.
        root: folder that relative paths start from.
        where: how messages name the cell ("manifest row 7, column 'mask.lung'").

    Raises:
        InputError: an empty part, or a path that leaves the root.
        UsageError: a codec of which there is none.
    """
    parts = [part.strip() for part in text.split(UNION)]
    if not all(parts):
        raise InputError(f"{where}: '{text}' has an empty part beside '{UNION}'; write one file on either side")
    return tuple(_part(part, root, where) for part in parts)


def _part(text: str, root: Path, where: str) -> Part:
    if text == EMPTY:
        return Part(file=None, where=where)
    if match := _VALUE.fullmatch(text):
        return Part(file=guard_path(root, match["file"], where=where), value=int(match["key"]), where=where)
    match = _ENTRY.fullmatch(text)
    if match is None:
        return Part(file=guard_path(root, text, where=where), where=where)
    return Part(
        file=guard_path(root, match["file"], where=where),
        key=match["key"],
        kind=match["kind"],
        codec=_known(match["codec"], where),
        size=(int(match["height"]), int(match["width"])) if match["height"] else None,
        where=where,
    )


def _known(name: str | None, where: str) -> str | None:
    from shortcut_audit.data.drawn.codecs import CODECS

    if name is not None:
        try:
            CODECS.get(name)
        except UsageError as error:
            raise UsageError(f"{where}: {error}") from error
    return name
