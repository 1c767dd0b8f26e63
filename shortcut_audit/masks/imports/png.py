"""A folder of PNG files."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from urllib.parse import unquote

from shortcut_audit.data.decode import BadImageError
from shortcut_audit.data.drawn.picture import Drawn, read_picture
from shortcut_audit.errors import InputError
from shortcut_audit.masks.imports import IMPORTS, Foreign


@IMPORTS.register("png")
def png(source: Path) -> list[Foreign]:
    """One folder a finding, one file a film, named as the sample; 255 the finding, 0 not, 127 to be ignored."""
    if not source.is_dir():
        raise InputError(f"{source} is not a folder; name the one that holds a folder for each finding")
    folders = sorted(place for place in source.iterdir() if place.is_dir())
    found = [_foreign(path, folder) for folder in folders for path in sorted(folder.rglob("*.png"))]
    if not found:
        raise InputError(f"{source} holds no folder with PNG files; expected FINDING/SAMPLE.png")
    return found


def _foreign(path: Path, folder: Path) -> Foreign:
    name = path.relative_to(folder).as_posix().removesuffix(".png")
    return Foreign(
        where=f"{folder.name}/{name}.png", names=(name, unquote(name)), finding=unquote(folder.name),
        read=partial(_read, path),
    )  # fmt: skip


def _read(path: Path) -> Drawn:
    try:
        return read_picture(path)
    except BadImageError as error:
        raise ValueError(str(error)) from error
