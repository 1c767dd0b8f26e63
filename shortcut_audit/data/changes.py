"""What changed in a data set since its manifest was written: samples, cells and columns, one by one.

Samples are matched by id. Paths count from the root of their own manifest, so that a folder that was moved is not a
change. Files are not opened: of an image only its path is compared.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from shortcut_audit.data.drawn.cell import EMPTY
from shortcut_audit.data.manifest import Manifest, read_manifest
from shortcut_audit.data.validate import kind
from shortcut_audit.errors import InputError, UsageError

FIRST = 5
"""Samples that are named of those that are new, that are gone, and that differ in a column."""
PATHS = ("image", "mask", "footprint", "counterpart")


@dataclass(frozen=True, kw_only=True)
class Samples:
    """How many there are, and the ids of the first of them."""

    number: int
    first: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ChangedCell:
    """One sample's cell as text; None: blank."""

    sample: str
    before: str | None
    after: str | None


@dataclass(frozen=True, kw_only=True)
class ChangedColumn:
    """A column that differs in so many samples of both, and the first of them."""

    column: str
    number: int
    first: tuple[ChangedCell, ...]


@dataclass(frozen=True, kw_only=True)
class Changes:
    """A data set beside an earlier manifest of it.

    ``samples`` are in both, ``columns`` were compared (the id is none). ``beside`` names what else makes the two
    fingerprints differ, and is no change of the data: the order of rows, texts of the data card.
    """

    against: str
    samples: int
    columns: int
    new: Samples
    gone: Samples
    changed: tuple[ChangedColumn, ...]
    columns_new: tuple[str, ...]
    columns_gone: tuple[str, ...]
    beside: tuple[str, ...]
    fingerprint_before: str
    fingerprint: str

    @property
    def none(self) -> bool:
        """Whether every sample and every cell is as it was."""
        return not (self.new.number or self.gone.number or self.changed or self.columns_new or self.columns_gone)

    def refuse(self) -> None:
        """Stop where something changed.

        Raises:
            InputError: with the counts of what did.
        """
        if self.none:
            return
        counts = {
            "samples new": self.new.number, "samples gone": self.gone.number,
            "columns with other values": len(self.changed),
            "columns new": len(self.columns_new), "columns gone": len(self.columns_gone),
        }  # fmt: skip
        told = ", ".join(f"{what}: {number:,}" for what, number in counts.items() if number)
        raise InputError(
            f"the data set is not the one of {self.against} ({told}); find out what was changed, or, if it was meant, "
            "write a new manifest with 'audit data prepare'"
        )


def read_earlier(path: Path) -> Manifest:
    """Read the manifest in a folder that 'audit data prepare' wrote, or in a run; its manifest.csv will do as well.

    Raises:
        UsageError: there is none.
        InputError: it is not what we write.
    """
    folder = path.parent if path.name == "manifest.csv" else path
    if not (folder / "manifest.csv").is_file():
        raise UsageError(
            f"--against {path}: there is no manifest.csv; name a folder that 'audit data prepare --out FOLDER' wrote, "
            "or the folder of a run"
        )
    return read_manifest(folder)


def changes_since(before: Manifest, now: Manifest, *, against: str) -> Changes:
    """Compare a data set with an earlier manifest.

    Args:
        before: the earlier one.
        now: the data set as it is read.
        against: how messages name the earlier one.

    Raises:
        InputError: no sample is in both.
    """
    old, new = before.frame, now.frame
    rows = (
        new.select("sample_id", now=pl.int_range(pl.len()))
        .join(old.select("sample_id", before=pl.int_range(pl.len())), on="sample_id", maintain_order="left")
    )  # fmt: skip
    if rows.is_empty() and old.height and new.height:
        raise InputError(
            f"{against}: none of its {old.height:,} samples ('{old['sample_id'][0]}') is in '{now.card.name}' "
            f"('{new['sample_id'][0]}'); name the manifest of this data set, or with --root the folder that it was "
            f"made from ({before.root} then)"
        )
    shared = [name for name in new.columns if name in old.columns and name != "sample_id"]
    pairs = ((old[name].gather(rows["before"]), new[name].gather(rows["now"])) for name in shared)
    changed = [_changed(a, b, rows["sample_id"], (before.root, now.root)) for a, b in pairs]
    return Changes(
        against=against,
        samples=rows.height,
        columns=len(shared),
        new=_only(new, old),
        gone=_only(old, new),
        changed=tuple(one for one in changed if one),
        columns_new=tuple(name for name in new.columns if name not in old.columns),
        columns_gone=tuple(name for name in old.columns if name not in new.columns),
        beside=tuple(_beside(before, now, shared, in_order=rows["before"].is_sorted())),
        fingerprint_before=before.fingerprint,
        fingerprint=now.fingerprint,
    )


def _only(these: pl.DataFrame, those: pl.DataFrame) -> Samples:
    ids = these.join(those, on="sample_id", how="anti", maintain_order="left")["sample_id"]
    return Samples(number=len(ids), first=tuple(ids.head(FIRST).to_list()))


def _changed(before: pl.Series, now: pl.Series, ids: pl.Series, roots: tuple[Path, Path]) -> ChangedColumn | None:
    """Return how a column changed, cells in the order of the ids; None where it did not."""
    differ = _differ(before, now)
    if differ.any() and kind(before.name) in PATHS:
        before, now = _from_roots(before, now, roots)
        differ = before.ne_missing(now)
    at = differ.arg_true()
    if not len(at):
        return None
    before, now = before.gather(at), now.gather(at)
    rows = zip(ids.gather(at.head(FIRST)), before.head(FIRST), now.head(FIRST), strict=True)
    first = tuple(ChangedCell(sample=sample, before=_text(old), after=_text(new)) for sample, old, new in rows)
    return ChangedColumn(column=before.name, number=len(at), first=first)


def _differ(before: pl.Series, now: pl.Series) -> pl.Series:
    if before.dtype == now.dtype:
        return before.ne_missing(now)
    # An attribute is text as soon as one cell of it is: those that are numbers still are the same numbers.
    numbers = [column.cast(pl.Float64, strict=False) for column in (before, now)]
    return numbers[0].ne_missing(numbers[1]) | (before.is_null() != now.is_null())


def _from_roots(before: pl.Series, now: pl.Series, roots: tuple[Path, Path]) -> tuple[pl.Series, pl.Series]:
    """Return the cells of a column with paths from their own root.

    A root may have been named as the folder that holds it: all of ``small/1.png``, ``small/2.png`` are ``1.png``,
    ``2.png`` where the other root is ``small``. A root that is the same holds nothing but itself.
    """
    old, new = (root.resolve() for root in roots)
    before, now = _without(before, str(old)), _without(now, str(new))
    if old == new:
        return before, now
    inner = _without(before, new.name), _without(now, old.name)
    if _all_differ(before, inner[0]):
        return inner[0], now
    return (before, inner[1]) if _all_differ(now, inner[1]) else (before, now)


def _all_differ(cells: pl.Series, without: pl.Series) -> bool:
    """Whether every cell, but for blanks and masks that are empty, lost the folder that it began with."""
    return bool(((cells != without) | (cells == EMPTY)).fill_null(True).all())


def _without(cells: pl.Series, folder: str) -> pl.Series:
    """Return cells of paths, or of masks in several parts, without the folder that they begin with."""
    return cells.str.replace_all(rf"(^|[|:]\s*){re.escape(folder)}/", "${1}")


def _text(cell: float | str | None) -> str | None:
    return repr(cell).removesuffix(".0") if isinstance(cell, float) else cell


def _beside(before: Manifest, now: Manifest, shared: list[str], *, in_order: bool) -> list[str]:
    """Return what is no change of the data, but of the fingerprint."""
    told = [] if in_order else ["the order of rows"]
    if [name for name in before.frame.columns if name in shared] != shared:
        told.append("the order of columns")
    cards = asdict(before.card), asdict(now.card)
    if texts := [name for name in cards[0] if cards[0][name] != cards[1][name]]:
        told.append(f"the data card ({', '.join(texts)})")
    return told
