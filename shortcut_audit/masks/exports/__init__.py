"""Formats that a mask store is exported to: one file each.

A format writes one pair after the other into a folder that nobody sees before it is whole.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from shortcut_audit.data.manifest import Manifest
from shortcut_audit.errors import BusyError, InputError, OutputError
from shortcut_audit.masks.record import MaskRecord
from shortcut_audit.masks.store import MaskStore
from shortcut_audit.registry import Registry
from shortcut_audit.runtime import progress

LONGEST = 240
"""Bytes of a file name; most file systems end at 255."""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What an export wrote.

    Attributes:
        masks: how many.
        left_out: reason to how many pairs were left out for it.
        notes: what the user has to know.
    """

    masks: int
    left_out: dict[str, int]
    notes: tuple[str, ...] = ()


Export = Callable[[MaskStore, Path, Manifest | None], Exported]
"""Store, new folder, manifest of its films where it was named."""
EXPORTS: Registry[Export] = Registry("export format", __name__)
SAYS_NOTHING = "the mask says nothing (the rule took nothing, or the score was under the gate)"


def export_store(store: MaskStore, name: str, out: Path, manifest: Manifest | None = None) -> Exported:
    """Export a store to a new folder, whole or not at all.

    Raises:
        UsageError: no format of that name.
        BusyError: the folder holds something.
        InputError: a name that cannot be a file's, or a manifest of other films.
        OutputError: the disk is full, or the like.
    """
    export = EXPORTS.get(name)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BusyError(f"{out} is there already; choose another folder with --out")
    work = out.absolute().with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        work.mkdir(parents=True, mode=0o700)
        exported = export(store, work, manifest)
        work.replace(out)
    except OSError as error:
        raise OutputError(f"{out} could not be written: {error.strerror or error}; free some space") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return exported


def records(store: MaskStore) -> Iterator[MaskRecord]:
    """Yield every record of a store, with a bar."""
    with progress("Exporting masks", len(store), "masks") as bar:
        for row in range(len(store)):
            yield store[row]
            bar.advance()


def file_name(name: str) -> str:
    """Return an id or a finding as a file name; what is no letter, digit or one of ``_.-~`` and space is written %XX.

    ``urllib.parse.unquote`` gives the name back.

    Raises:
        InputError: it would be too long.
    """
    quoted = quote(name, safe=" ")
    if quoted.startswith("."):
        quoted = "%2E" + quoted[1:]  # neither hidden nor the folder above
    if len(quoted) > LONGEST:
        raise InputError(f"'{name}' is too long for a file name ({len(quoted)} of at most {LONGEST} bytes); rename it")
    return quoted
