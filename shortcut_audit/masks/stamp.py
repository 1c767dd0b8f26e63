"""The stamp at the head of a mask store: its length and SHA-256, so that damage never goes unseen.

HDF5 leaves a *user block* at the head of a file to its writer. Ours holds three lines of ASCII and is
filled up with NUL, so that the file stays one file and ``head -3 masks.h5`` shows them:

    shortcut-audit masks 2
    bytes 123456
    sha256 of all bytes after the first 512, as 64 hexadecimal digits
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from shortcut_audit.errors import OutputError

FORMAT = "shortcut-audit masks"
VERSION = 2
USER_BLOCK = 512
"""Bytes; the smallest user block that HDF5 allows."""
WORK = "masks.work"
"""Folder of the shards, beside the store, until it is sealed."""
AGAIN = "run 'audit explain' or 'masks import' again"


class ChangedError(OutputError):
    """A store of the right length that does not match its SHA-256."""


def write_stamp(path: Path) -> None:
    """Write the stamp into the user block of a finished HDF5 file."""
    stamp = _stamp(path.stat().st_size, _digest(path))
    with path.open("r+b") as stream:
        stream.write(stamp)


def check_stamp(path: Path) -> None:
    """Check that a file is what was sealed, byte for byte.

    Raises:
        OutputError: it is not there, not a mask store of this version, or truncated.
        ChangedError: it is as long as it should be, but not what was sealed.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            found = stream.read(USER_BLOCK)
    except FileNotFoundError as error:
        state = "is not finished" if (path.parent / WORK).exists() else "is not there"
        raise OutputError(f"{path} {state}; {AGAIN}") from error
    except OSError as error:
        raise OutputError(f"{path} cannot be read ({error.strerror}); {AGAIN}") from error
    _check_version(path, found)
    _check_length(path, found, size)
    if found != _stamp(size, _digest(path)):
        raise ChangedError(f"{path} does not match its SHA-256: it was changed or damaged; {AGAIN}")


def _check_version(path: Path, found: bytes) -> None:
    first = found.split(b"\n")[0].decode("ascii", "replace")
    name, _, version = first.rpartition(" ")
    if name != FORMAT:
        raise OutputError(f"{path} does not begin with '{FORMAT}': it is no finished mask store; {AGAIN}")
    if version != str(VERSION):
        raise OutputError(f"{path} is of format version {version}, this program reads {VERSION}; {AGAIN}")


def _check_length(path: Path, found: bytes, size: int) -> None:
    """Tell a truncated file from a damaged one, where the stamp still says how long it was."""
    second = found.split(b"\n")[1] if found.count(b"\n") >= 2 else b""
    written = second.removeprefix(b"bytes ")
    if len(found) < USER_BLOCK or (written.isdigit() and size < int(written)):
        expected = f" of {written.decode()}" if written.isdigit() else ""
        raise OutputError(f"{path} is truncated: {size}{expected} bytes are there; {AGAIN}")


def _stamp(size: int, digest: str) -> bytes:
    return f"{FORMAT} {VERSION}\nbytes {size}\n{digest}\n".encode().ljust(USER_BLOCK, b"\0")


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        stream.seek(USER_BLOCK)
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
