"""Joins a table of spurious attributes to a manifest: tube labels almost always come apart from the images.

A key of the table fits an image if it is its sample id, or if one of their paths ends in the other
(``ISIC_0000000.png`` fits ``images/ISIC_0000000.jpg``: extensions do not count, nor does the ending ``_downsampled`` of
ISIC 2019). Where a column says that nobody looked
(``drain_annotated`` beside ``Drain``, blank or 0), what stands in the other is a model's guess, and is not taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

import polars as pl

from shortcut_audit.data.isic import bare_id
from shortcut_audit.data.manifest import KEYS, PLAIN, Manifest
from shortcut_audit.data.tables import KEY_NAMES, first_column, normalised, read_text_table
from shortcut_audit.data.validate import typed_column
from shortcut_audit.errors import InputError, UsageError

LOOKED = "annotated"
"""Ending of a column that says whether somebody looked for what the column of the name before it holds."""
LABELS = ("label", "label_string", "target", "Mal")
"""What tables of attributes call the label that they repeat."""
_AMBIGUOUS = -1


def join_attributes(manifest: Manifest, file: Path) -> Manifest:
    """Return the manifest with ``attribute.NAME`` for every further column of the table.

    Blank cells, images without a row and guesses stay unknown. Columns that mean something else in a manifest
    (split, label, sex, ...) or bear the name of a finding are not attributes.

    Args:
        manifest: the data set.
        file: table with a column ``sample_id``, ``id``, ``image``, ``path`` or the like.

    Raises:
        UsageError: no file, no such column, nothing to join, or an attribute that is there already.
        InputError: no row fits, two rows fit the same image, one row fits several, or an impossible value.
    """
    table = read_text_table(file)
    key = first_column(table, KEY_NAMES)
    if key is None:
        raise UsageError(
            f"{file}: no column to join by; expected one called {', '.join(KEY_NAMES[:4])} or path, "
            f"found: {', '.join(table.columns)}"
        )
    names = _attribute_names(table, key, manifest, file)
    rows = _matches(manifest, table[key], file)
    at = pl.Series(rows, dtype=pl.UInt32)
    columns = [_seen(table, name, file).gather(at).alias(f"attribute.{name}") for name in names]
    matched = sum(row is not None for row in rows)
    note = f"{file.name}: {matched} of {len(rows)} images have a row for {', '.join(names)}; of others it is not known"
    if table.height > matched:
        note += f"; {table.height - matched:,} of its {table.height:,} rows fit no image"
    card = replace(manifest.card, notes=(*manifest.card.notes, note))
    return replace(manifest, card=card, frame=manifest.frame.with_columns(columns))


def _attribute_names(table: pl.DataFrame, key: str, manifest: Manifest, file: Path) -> list[str]:
    names = attribute_columns(table, manifest.findings)
    if not names:
        raise UsageError(f"{file}: no attribute beside '{key}'; expected a further column such as chest_tube")
    for name in names:
        if name in manifest.attributes:
            raise UsageError(
                f"{file}: the data set '{manifest.card.name}' already has an attribute '{name}'; rename the column"
            )
    return names


def attribute_columns(table: pl.DataFrame, findings: Iterable[str]) -> list[str]:
    """Return the columns of a table that are attributes: those whose names mean nothing else."""
    taken = {normalised(name) for name in (*KEYS, *PLAIN, *KEY_NAMES, *LABELS, *findings)}
    looked = {normalised(name) + LOOKED for name in table.columns}
    return [name for name in table.columns if normalised(name) not in taken | looked]


def _seen(table: pl.DataFrame, name: str, file: Path) -> pl.Series:
    """Return a column, null where another one says that nobody looked."""
    column = typed_column(table[name], "attribute", where=str(file))
    said = first_column(table, [normalised(name) + LOOKED])
    if said is None:
        return column
    return column.set(table[said].is_null() | table[said].is_in(["0", "0.0"]), None)


def _matches(manifest: Manifest, keys: pl.Series, file: Path) -> list[int | None]:
    """Return for every image the row of the table that fits it, or None."""
    samples = _Lookup(manifest)
    found: list[int | None] = [None] * len(manifest)
    for row, key in enumerate(keys.to_list()):
        at = samples.find(key) if key else None
        if at is None:
            continue
        if at == _AMBIGUOUS:
            raise InputError(f"{file}: row {row + 1}: '{key}' fits several images; write more of their paths")
        if (other := found[at]) is not None:
            raise InputError(
                f"{file}: rows {other + 1} and {row + 1} both fit the image '{manifest.ids[at]}'; keep one of them"
            )
        found[at] = row
    if all(row is None for row in found):
        example = next((key for key in keys.to_list() if key), "no key at all")
        raise InputError(
            f"{file}: no row fits an image of '{manifest.card.name}': the table has '{example}', the data set "
            f"'{manifest.ids[0]}' ({manifest.frame['image'][0]}); write sample ids or paths of images"
        )
    return found


class _Lookup:
    """Finds the row of an image by its id, its path, a part of its path, or a longer path."""

    def __init__(self, manifest: Manifest) -> None:
        self._ids = {name: row for row, name in enumerate(manifest.ids)}
        self._whole: dict[str, int] = {}
        self._parts: dict[str, int] = {}
        for row, image in enumerate(manifest.frame["image"].to_list()):
            first, *rest = _suffixes(image)
            _enter(self._whole, first, row)
            for part in (first, *rest):
                _enter(self._parts, part, row)

    def find(self, key: str) -> int | None:
        """Return the row, None, or -1 if several fit."""
        whole, *shorter = _suffixes(key.strip())
        for name in (key, key.strip(), whole):
            if name in self._ids:
                return self._ids[name]
        if whole in self._parts:
            return self._parts[whole]
        return next((self._whole[part] for part in shorter if part in self._whole), None)


def _enter(index: dict[str, int], name: str, row: int) -> None:
    index[name] = row if index.get(name, row) == row else _AMBIGUOUS


def _suffixes(path: str) -> Iterator[str]:
    """Yield the path without extension, then ever shorter ends of it: ``a/b/c``, ``b/c``, ``c``."""
    posix = PurePosixPath(path.replace("\\", "/"))
    parts = [part for part in posix.parts if part != "."]
    if parts:
        parts[-1] = bare_id(parts[-1])
    for start in range(max(len(parts), 1)):
        yield "/".join(parts[start:])
