"""What 'audit data check --against' found, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .output import emit, emit_table

if TYPE_CHECKING:
    from shortcut_audit.data.changes import ChangedColumn, Changes, Samples


def print_changes(found: Changes | None) -> None:
    """Print what differs from an earlier manifest, where one was named."""
    if found is None:
        return
    if found.none:
        emit(
            f"against {found.against}: nothing differs: {found.samples:,} samples, {found.columns} columns; images and "
            "masks are compared by their paths, not their content"
        )
        emit(f"  {_told_fingerprints(found)}")
        return
    emit(f"against {found.against}, {found.samples:,} samples and {found.columns} columns of both:")
    emit(f"  fingerprint of {found.against}: {found.fingerprint_before}")
    _print_samples("new", found.new)
    _print_samples("gone", found.gone)
    if found.changed:
        emit_table(("column", "samples", "the first"), [_told_change(one) for one in found.changed])
    for word, names in (("new", found.columns_new), ("gone", found.columns_gone)):
        if names:
            emit(f"  columns {word}: {', '.join(names)}")
    if found.columns_new or found.columns_gone:
        emit("    (--attributes, --config and --set make columns: type those that the manifest was made with)")


def _print_samples(word: str, samples: Samples) -> None:
    if samples.number:
        more = ", ..." if samples.number > len(samples.first) else ""
        emit(f"  samples {word}: {samples.number:,}: {', '.join(samples.first)}{more}")


def _told_change(one: ChangedColumn) -> tuple[object, ...]:
    first = one.first[0]
    before, after = ("blank" if cell is None else cell for cell in (first.before, first.after))
    return one.column, f"{one.number:,}", f"{first.sample}: {before} -> {after}"


def _told_fingerprints(found: Changes) -> str:
    before, now = found.fingerprint_before, found.fingerprint
    if before == now:
        return f"fingerprint of both: {now}"
    why = " and ".join(found.beside) or "how paths or numbers are written"
    return f"the fingerprint was {before} and is {now}: what differs is {why}"
