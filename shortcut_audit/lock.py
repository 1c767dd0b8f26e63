"""One process at a time in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shortcut_audit.errors import BusyError
from shortcut_audit.provenance import PRIVATE, need_folder

LOCK = "run.lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder; a lock left by a process that is gone is taken over."""
    need_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / LOCK
    try:
        descriptor = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE)
    except FileExistsError:
        holder = lock.read_text().strip()
        if holder.isdigit() and holder != str(os.getpid()) and _alive(int(holder)):
            raise BusyError(f"{folder} is in use by process {holder}; wait for it, or choose another --out") from None
        descriptor = os.open(lock, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, PRIVATE)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(f"{os.getpid()}\n")
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
