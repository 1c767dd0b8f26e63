"""Whether tables are the files that were released: SHA-256 sums that lie beside them, as PhysioNet serves them.

Images are not compared: reading hundreds of gigabytes is what ``sha256sum --check`` is for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from shortcut_audit.provenance import sha256_file

NAMES = ("SHA256SUMS.txt", "SHA256SUMS", "sha256sums.txt")
TABLES = frozenset({".csv", ".tsv", ".json", ".jsonl", ".parquet", ".xlsx", ".pkl"})
DEPTH = 3
"""Folders and name: what lies deeper belongs to one patient or image."""
_LINE = re.compile(
    r"(?P<digest>[0-9a-f]{64}) [ *]?(?P<name>.{1,200})|SHA256 \((?P<tagged>.{1,200})\) = (?P<sum>[0-9a-f]{64})",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Checksums:
    """What a file of sums says of the tables beside it.

    ``same`` are as listed, ``changed`` are not; ``unpacked`` were listed packed, so that nothing is known of them.
    A table that is listed and not there is not missed: a part of a release is allowed.
    """

    file: str
    same: tuple[str, ...]
    changed: tuple[str, ...]
    unpacked: tuple[str, ...]


def checksums(folders: Sequence[Path]) -> list[Checksums]:
    """Return what each file of sums in the folders says; of a folder the first of its usual names.

    Raises:
        OSError: a listed table that is there cannot be read.
    """
    there = dict.fromkeys(folder.resolve() for folder in folders)
    found = (next((folder / name for name in NAMES if (folder / name).is_file()), None) for folder in there)
    return [_compared(sums) for sums in found if sums]


def _compared(sums: Path) -> Checksums:
    same, changed, unpacked = list[str](), list[str](), list[str]()
    for digest, name in _listed(sums):
        path = sums.parent / name
        if path.is_file():
            (same if sha256_file(path) == digest else changed).append(name)
        elif path.suffix == ".gz" and path.with_suffix("").is_file():
            unpacked.append(name.removesuffix(".gz"))
    return Checksums(file=sums.name, same=tuple(same), changed=tuple(changed), unpacked=tuple(unpacked))


def _listed(sums: Path) -> Iterator[tuple[str, str]]:
    """Yield digest and name of each table in a file of sums; names that lead elsewhere are none of its release."""
    with sums.open(encoding="utf-8-sig", errors="replace") as lines:
        for line in lines:
            if (match := _LINE.fullmatch(line.strip())) is None:
                continue
            path = PurePosixPath(match["name"] or match["tagged"])
            inside = not path.is_absolute() and ".." not in path.parts and len(path.parts) <= DEPTH
            ending = PurePosixPath(path.stem if path.suffix.lower() == ".gz" else path.name).suffix.lower()
            if inside and ending in TABLES:
                yield (match["digest"] or match["sum"]).lower(), path.as_posix()
