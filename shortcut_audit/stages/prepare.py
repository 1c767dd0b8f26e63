"""Makes a folder of a data set from which training can start at once: its manifest, and its pixels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from shortcut_audit.config import ImageConfig
from shortcut_audit.data.cache_writer import write_cache
from shortcut_audit.data.manifest import Manifest, read_manifest
from shortcut_audit.data.pixel_cache import PixelCache, cache_folder
from shortcut_audit.data.quarantine import Quarantine
from shortcut_audit.errors import BusyError, InputError
from shortcut_audit.lock import locked


def prepare(manifest: Manifest, out: Path, image: ImageConfig | None) -> Quarantine | None:
    """Write a manifest and, where an image size is given, a pixel cache; return which images cannot be read.

    Raises:
        BusyError: the folder holds the manifest of other data, or another process works in it.
        InputError: too many images cannot be read; no manifest is written.
        OutputError: the disk is full, or files of ours are damaged.
    """
    if (out / "manifest.csv").exists():
        _refuse_other(manifest, out)
    there, lost = out.exists(), None
    try:
        with locked(out):
            if image is not None:
                lost = write_cache(manifest, PixelCache(folder=out, size=image.size, channels=image.channels))
            replace(manifest, cache=cache_folder(out)).save(out)
    finally:
        if not there and not any(out.iterdir()):
            out.rmdir()
    return lost


def _refuse_other(manifest: Manifest, folder: Path) -> None:
    try:
        same, reason = read_manifest(folder).fingerprint == manifest.fingerprint, ""
    except InputError as error:
        same, reason = False, f" ({error})"
    if not same:
        raise BusyError(f"{folder} holds the manifest.csv of other data; choose another folder with --out{reason}")
