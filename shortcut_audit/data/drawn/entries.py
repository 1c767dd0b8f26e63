"""Entries of a table or of a JSON file by the id of an image, and the mask that they make together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from shortcut_audit.data.decode import MAX_PIXELS, BadImageError, image_size
from shortcut_audit.data.drawn.cell import Part, Size
from shortcut_audit.data.drawn.codecs import CODECS, Codec, CodeError, Entry
from shortcut_audit.data.tables import KEY_NAMES, first_column, normalised, read_text_table
from shortcut_audit.errors import AuditError
from shortcut_audit.shapes import Mask

_KINDS = ("class", "class_name", "category", "category_name", "Finding Label", "finding", "label", "structure")
Row = tuple[str | None, str | None, Entry | None]
"""Id, class and entry; without an entry, that this id or this class exists."""
_HEIGHTS, _WIDTHS = ("imageheight", "imgheight"), ("imagewidth", "imgwidth")


@dataclass(frozen=True, kw_only=True)
class File:
    """What a file says of its images: id -> [(class or None, entry)], and all entries, to tell their codec."""

    by_key: Mapping[str, Sequence[tuple[str | None, Entry]]]
    kinds: frozenset[str]
    sample: Sequence[Entry]

    @cached_property
    def codecs(self) -> tuple[str, ...]:
        """Names of the codecs that the entries fit: up to 2,000 are read for it, once and not for each mask."""
        return tuple(name for name in CODECS.names() if CODECS.get(name).fits(self.sample))


def read_entries(part: Part, image: Path | None) -> Mask:
    """Return the union (H, W) of all entries that a part of a cell names.

    Raises:
        BadImageError: naming file and id.
    """
    assert part.file is not None
    assert part.key is not None
    try:
        stamp = part.file.stat()
        file = _open(part.file, stamp.st_mtime_ns, stamp.st_size)
    except FileNotFoundError as error:
        raise BadImageError(f"{part.file}: no such file") from error
    except (OSError, ValueError, RecursionError, AuditError) as error:
        raise BadImageError(str(error) if isinstance(error, AuditError) else f"{part.file}: {error}") from error
    entries = _chosen(file, part)
    try:
        masks = [_drawn(entry, part, file, image) for entry in entries]
    except CodeError as error:
        raise BadImageError(f"{part.where}: {part} {error}".removeprefix(": ")) from error
    if not masks:
        return np.zeros(part.size or (1, 1), dtype=bool)
    if len({mask.shape for mask in masks}) > 1:
        raise BadImageError(f"{part}: its entries are of different sizes")
    united: Mask = np.logical_or.reduce(masks)
    return united


def _chosen(file: File, part: Part) -> list[Entry]:
    assert part.key is not None
    if part.key not in file.by_key:
        example = next(iter(file.by_key), "none at all")
        raise BadImageError(f"{part.file}: no entry has the id '{part.key}'; its ids are like '{example}'")
    if part.kind is not None and part.kind not in file.kinds:
        raise BadImageError(
            f"{part.file}: no class is called '{part.kind}'; there are: {', '.join(sorted(file.kinds)) or 'none'}"
        )
    return [entry for kind, entry in file.by_key[part.key] if part.kind in (None, kind)]


def _drawn(entry: Entry, part: Part, file: File, image: Path | None) -> Mask:
    codec = CODECS.get(part.codec) if part.codec else _told(entry, file, part)
    size = part.size or _own_size(entry) or codec.size or (image_size(image) if image else None)
    if size is None:
        raise CodeError("does not say its size; write it, as in 'boxes@1024x1024:'")
    if size[0] * size[1] > MAX_PIXELS or min(size) < 1:
        raise CodeError(f"is {size[1]} x {size[0]} pixels; a mask has 1 to {MAX_PIXELS:,}")
    return codec.draw(entry, size)


def _told(entry: Entry, file: File, part: Part) -> Codec:
    """Tell the codec from the entry, else from all entries of the file: only many rows tell siim from kaggle."""
    names = file.codecs or tuple(name for name in CODECS.names() if CODECS.get(name).fits([entry]))
    if len(names) != 1:
        found = f"could be {' or '.join(names)}" if names else f"tells no codec from {', '.join(entry)}"
        known = ", ".join(CODECS.names())
        raise CodeError(f"{found}; write the codec before the file, one of {known}, as in 'siim:{part}'")
    return CODECS.get(names[0])


def _own_size(entry: Entry) -> Size | None:
    inner = entry.get("segmentation")
    found = (inner if isinstance(inner, Mapping) else entry).get("size", entry.get("imgsize"))
    if found is None:
        sides = [next((entry[name] for name in names if name in entry), None) for names in (_HEIGHTS, _WIDTHS)]
        found = sides if None not in sides else None
    if found is None:
        return None
    try:
        height, width = (int(side) for side in found)
    except (TypeError, ValueError) as error:
        raise CodeError(f"has the size {found}; expected height and width") from error
    return height, width


@lru_cache(maxsize=16)
def _open(path: Path, _changed: int, _bytes: int) -> File:
    """Read a file once, and again when it has changed."""
    rows = _json_rows(path) if path.suffix.lower() == ".json" else _table_rows(path)
    by_key: dict[str, list[tuple[str | None, Entry]]] = {key: [] for key, _, _ in rows if key is not None}
    for key, kind, entry in rows:
        if key is not None and entry is not None:
            by_key[key].append((kind, entry))
    kinds = frozenset(kind for _, kind, _ in rows if kind is not None)
    return File(by_key=by_key, kinds=kinds, sample=[entry for _, _, entry in rows if entry is not None][:2000])


def _table_rows(path: Path) -> list[Row]:
    table = read_text_table(path)
    key = first_column(table, KEY_NAMES) or table.columns[0]
    kind = first_column(table, _KINDS)
    names = [normalised(name) for name in table.columns]
    at = table.columns.index(key)
    kind_at = table.columns.index(kind) if kind else None
    table = table.with_columns(pl.col(name).str.strip_chars() for name in (key, kind) if name)
    return [
        (row[at], None if kind_at is None else row[kind_at], dict(zip(names, row, strict=True)))
        for row in table.iter_rows()
        if row[at] is not None
    ]


def _json_rows(path: Path) -> list[Row]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise BadImageError(f"{path}: not readable as JSON ({error})") from error
    if not isinstance(content, dict):
        raise BadImageError(f"{path}: expected an object with ids as its keys, or a COCO data set")
    if isinstance(content.get("annotations"), list) and isinstance(content.get("images"), list):
        return _coco_rows(content, path)
    return [row for key, value in content.items() for row in _entry_rows(key, value)]


def _entry_rows(key: str, value: Any) -> list[Row]:
    """Return the rows of ``id -> value`` or ``id -> {class -> value}``."""
    inner = {normalised(name): part for name, part in value.items()} if isinstance(value, dict) else {"value": value}
    if not isinstance(value, dict) or {"counts", "bbox", "segmentation", "polygons", "points"} & inner.keys():
        return [(key, None, inner)]
    size = inner.get("imgsize")
    said = {} if size is None else {"imgsize": size}
    rows: list[Row] = [(key, None, None)]
    for kind, part in value.items():
        if normalised(kind) == "imgsize":
            continue
        entry = {normalised(name): one for name, one in part.items()} if isinstance(part, dict) else {"value": part}
        rows.append((key, kind, {**said, **entry}))
    return rows


def _coco_rows(content: dict[str, Any], path: Path) -> list[Row]:
    """Return the rows of a COCO data set; an image is known by its id, its file name, and that without folder."""
    try:
        kinds = {one["id"]: str(one["name"]) for one in content.get("categories", [])}
        names = {one["id"]: _names(one) for one in content["images"]}
        sizes = {one["id"]: [one["height"], one["width"]] for one in content["images"] if "height" in one}
        rows: list[Row] = [(name, None, None) for own in names.values() for name in own]
        rows += [(None, kind, None) for kind in kinds.values()]
        for one in content["annotations"]:
            at = one["image_id"]
            entry = {"imgsize": sizes.get(at), **{normalised(key): value for key, value in one.items()}}
            rows += [(name, kinds.get(one.get("category_id")), entry) for name in names[at]]
    except (KeyError, TypeError, AttributeError) as error:
        raise BadImageError(f"{path}: not a COCO data set ({type(error).__name__}: {error})") from error
    return rows


def _names(image: dict[str, Any]) -> list[str]:
    file = str(image.get("file_name", ""))
    return list(dict.fromkeys(name for name in (str(image["id"]), file, file.rpartition("/")[2]) if name))
