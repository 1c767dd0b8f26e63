"""Whether tables are the files that were released: SHA-256 sums that lie beside them, as PhysioNet serves them.

Images are not compared: reading hundreds of gigabytes is what ``sha256sum --check`` is for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from shortcut_audit.data.places import find_file
from shortcut_audit.provenance import sha256_file

SUMS = ("SHA256SUMS.txt", "SHA256SUMS", "sha256sums.txt")
_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *]?(.+\.(?:csv|tsv|json|jsonl|parquet)(?:\.gz)?)")


def compared(root: Path) -> list[str]:
    """Return what to say of the tables that a file of sums under ``root``, or one folder deeper, lists.

    A table that is not there is not missed: a part of a release is allowed. One that was unpacked cannot be compared.
    """
    sums = find_file(root, SUMS)
    if sums is None:
        return []
    same, other, unpacked = list[str](), list[str](), list[str]()
    for digest, name in _listed(sums):
        path = sums.parent / name
        if path.is_file():
            (same if sha256_file(path) == digest else other).append(name)
        elif path.suffix == ".gz" and path.with_suffix("").is_file():
            unpacked.append(name.removesuffix(".gz"))
    notes = [
        f"{name}: not the file that {sums.name} lists; it was changed or broke off, fetch it again" for name in other
    ]
    if same:
        notes.append(f"as {sums.name} lists them: {', '.join(same)}")
    if unpacked:
        notes.append(f"unpacked, so not compared with {sums.name}: {', '.join(unpacked)}")
    return notes or [f"{sums.name} lists no table that is here"]


def _listed(sums: Path) -> Iterator[tuple[str, str]]:
    """Return digest and name of each table in a file of sums; names that lead elsewhere are none of its release."""
    with sums.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            match = _LINE.fullmatch(line.strip())
            if match and not Path(match[2]).is_absolute() and ".." not in Path(match[2]).parts:
                yield match[1].lower(), Path(match[2]).as_posix()
