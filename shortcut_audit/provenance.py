"""Where an output comes from, and the one place where files are hashed, written and guarded.

Every file of ours is written whole or not at all: bytes go to a temporary name in the same folder,
are flushed to disk and renamed. A reader therefore never meets half a file of ours under its name.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from shortcut_audit.errors import InputError, OutputError

REPORTED_PACKAGES = (
    "shortcut-audit", "numpy", "scipy", "polars", "pydantic", "h5py", "jinja2",
    "torch", "torchvision", "timm", "segmentation-models-pytorch", "captum", "lightning-fabric",
)  # fmt: skip
PRIVATE = 0o600
"""Mode of files that hold ids byte for byte: not to be shared."""
PUBLIC = 0o644


class Provenance(BaseModel):
    """What has to be known to make an output again.

    ``inputs`` maps a short name ("manifest", "scores") to the SHA-256 of that input;
    ``config`` is the configuration after defaults.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    commit: str | None
    command: str
    config: dict[str, Any]
    seed: int | None
    created: str
    inputs: dict[str, str]
    packages: dict[str, str]
    python: str
    machine: str


def collect_provenance(
    *, command: str, config: Mapping[str, Any], seed: int | None, inputs: Mapping[str, str]
) -> Provenance:
    """Describe this process and the inputs it was given."""
    return Provenance(
        version=_version("shortcut-audit") or "0",
        commit=_commit(),
        command=command,
        config=dict(config),
        seed=seed,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        inputs=dict(inputs),
        packages={name: found for name in REPORTED_PACKAGES if (found := _version(name))},
        python=platform.python_version(),
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """Return the git commit of a source checkout of ours, None when installed as a wheel."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    try:
        asked = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
        return subprocess.run(asked, capture_output=True, text=True, timeout=5, check=False).stdout.strip() or None
    except (OSError, subprocess.SubprocessError):
        return None


def command_line() -> str:
    """Return the command as typed, without the folder the program lies in."""
    return " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])


def sha256_bytes(data: bytes) -> str:
    """Return the SHA-256 of bytes as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file's content as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def fingerprint(value: Any) -> str:
    """Return the SHA-256 of a JSON-able value, independent of the order of keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str, allow_nan=False)
    return sha256_bytes(text.encode())


def write_atomic(path: Path, data: bytes | str, *, mode: int = PUBLIC, sync_name: bool = True) -> None:
    """Write ``data`` to ``path`` so that the old file or the whole new one is there, never half.

    Args:
        path: the file.
        data: its content.
        mode: its permissions.
        sync_name: False where the reader would notice that a power failure took the name away.

    Raises:
        OutputError: the disk is full, the folder is read-only, or the like; nothing is left behind.
    """
    raw = data.encode() if isinstance(data, str) else data
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(raw)
        publish(temporary, path, sync_name=sync_name)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise OutputError(
            f"{path} could not be written: {error.strerror or error}; "
            "free some space or choose another folder with --out"
        ) from error


def need_folder(folder: Path) -> None:
    """Refuse a folder that cannot be written to before anything is computed for it; it need not be there yet.

    Raises:
        OutputError: it, or the folder that it would be made in, is a file or read-only.
    """
    whole = folder.absolute()
    place = next(place for place in (whole, *whole.parents) if place.exists() or place.is_symlink())
    found = "is no folder" if not place.is_dir() else "" if os.access(place, os.W_OK) else "is read-only"
    if found:
        raise OutputError(f"{folder} cannot be written to: {place} {found}; choose another folder with --out")


def copy_private(source: Path, target: Path) -> None:
    """Copy a file that holds ids, whole or not at all, with mode 0600; nothing to do where it is the same file.

    Raises:
        OutputError: as :func:`write_atomic`.
    """
    if target.exists() and target.samefile(source):
        return
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
        with source.open("rb") as given, os.fdopen(descriptor, "wb") as stream:
            shutil.copyfileobj(given, stream)
        publish(temporary, target)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise OutputError(
            f"{target} could not be written: {error.strerror or error}; "
            "free some space or choose another folder with --out"
        ) from error


def publish(temporary: Path, path: Path, *, sync_name: bool = True) -> None:
    """Give a finished temporary file its name, on the disk and not only in memory (OSError as it comes)."""
    with temporary.open("rb") as stream:
        os.fsync(stream.fileno())
    temporary.replace(path)
    if sync_name:
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: Any, *, mode: int = PUBLIC) -> None:
    """Write a value as indented JSON, atomically. NaN and infinities are refused (ValueError)."""
    write_atomic(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n", mode=mode)


def write_table(path: Path, header: Iterable[str], rows: Iterable[Iterable[object]], *, mode: int) -> None:
    """Write rows as CSV, atomically; None becomes a blank cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    write_atomic(path, text.getvalue(), mode=mode)


def guard_path(root: Path, name: str, *, where: str) -> Path:
    """Return the path that ``name`` means under ``root``, refusing names that leave it.

    An absolute name is taken as it is: the user wrote it into a table of theirs. A relative one
    must stay under ``root``, also through ``..``, a symbolic link or a Windows back-slash.

    Args:
        root: folder that relative names start from.
        name: the cell's text.
        where: how the message names the cell ("manifest.csv row 7, column 'image'").

    Raises:
        InputError: the name holds a NUL or leaves the root.
    """
    return PathGuard(root)(name, where=where)


class PathGuard:
    """:func:`guard_path` for many names under one root: every folder is looked at once.

    A folder that is turned into a link after it was looked at is not noticed; make a new one for each table.
    """

    def __init__(self, root: Path) -> None:
        self._root, self._base = root, os.path.realpath(root)
        self._folders: dict[str, str] = {}

    def __call__(self, name: str, *, where: str) -> Path:
        """Return the path that ``name`` means; see :func:`guard_path`."""
        if "\0" in name:
            raise InputError(f"{where}: the path holds a NUL character; mend the table")
        path = Path(name)
        if path.is_absolute():
            return path
        resolved = self._resolved(name.replace("\\", "/"))
        if resolved != self._base and not resolved.startswith(self._base.rstrip(os.sep) + os.sep):
            raise InputError(
                f"{where}: the path '{name}' leads out of {self._root}; write an absolute path if that is meant"
            )
        return Path(resolved)

    def _resolved(self, name: str) -> str:
        parts = name.split("/")
        if name.startswith("/") or ".." in parts:
            return os.path.realpath(Path(self._base) / name)
        folder, at = self._base, ""
        for part in parts[:-1]:
            at += f"{part}/"
            if at not in self._folders:
                self._folders[at] = _followed(folder, part)
            folder = self._folders[at]
        return _followed(folder, parts[-1])


def _followed(folder: str, part: str) -> str:
    """Return where ``part`` of a resolved folder lies; a link is followed to its end."""
    if part in {"", "."}:
        return folder
    path = folder.rstrip(os.sep) + os.sep + part
    # A Path for each of a million names is what took the time.
    return os.path.realpath(path) if os.path.islink(path) else path  # noqa: PTH114
