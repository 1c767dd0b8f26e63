"""What 'audit data check' found, in tables for people and as a record for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from .output import emit, emit_table, estimated

if TYPE_CHECKING:
    from shortcut_audit.data.checksums import Checksums
    from shortcut_audit.data.duplicates import NearPairs
    from shortcut_audit.data.quarantine import Loss, Quarantine
    from shortcut_audit.stages.associations import Association, Number, Severity
    from shortcut_audit.stages.contradictions import Contradictions
    from shortcut_audit.stages.data_check import DataCheck, SameFile
    from shortcut_audit.stages.drawings import DrawingCheck

SHOWN, FEW = 10, 5
DRAWN = ("drawn", "masks", "empty", "label 1: empty", "label 0: drawn", "label 1: no mask", "label 0: no mask", "e.g.")


def as_record(found: DataCheck) -> dict[str, Any]:
    """Return what was found as JSON."""
    lost = found.quarantine
    return {
        "images_opened": found.looked,
        "unreadable": lost.reasons,
        "unreadable_by_group": lost.by_group,
        "losses": [asdict(loss) for loss in lost.losses],
        "same_files": [asdict(same) for same in found.same_files],
        "near_pairs": None if found.near is None else asdict(found.near),
        "associations": [asdict(one) for one in found.associations],
        "severities": [asdict(one) for one in found.severities],
        "contradictions": None if found.contradictions is None else asdict(found.contradictions),
        "checksums": [asdict(one) for one in found.checksums],
        "drawings": [asdict(one) for one in found.drawings],
    }


def print_check(found: DataCheck) -> None:
    """Print what was found."""
    for sums in found.checksums:
        _print_checksums(sums)
    if found.contradictions is not None:
        _print_contradictions(found.contradictions)
    if found.associations:
        emit("how well an attribute alone ranks a finding (AUROC 0.5: not at all; unknown values left out):")
        header = ("finding", "attribute", "split", "with it, label 1", "with it, label 0", "AUROC (95 %)")
        emit_table(header, [_told_association(one) for one in found.associations])
    for one in found.severities:
        _print_severity(one)
    _print_drawings(found.drawings)
    if not found.looked:
        emit("no image was opened (--decode none): nothing is known of unreadable images and duplicates")
        return
    _print_quarantine(found.quarantine, found.looked)
    _print_same(found.same_files)
    if found.near is not None:
        _print_near(found.near, found.looked - len(found.quarantine))


def _told_association(one: Association) -> tuple[object, ...]:
    name = one.attribute if one.value in (None, "1") else f"{one.attribute} = {one.value}"
    shares: tuple[object, ...] = (f"of {one.positive}", f"of {one.negative}")
    if one.with_positive is not None:
        shares = (f"{one.with_positive} of {one.positive}", f"{one.with_negative} of {one.negative}")
    return one.finding, name, one.split, *shares, _told(one.auroc)


def _print_severity(one: Severity) -> None:
    value = "" if one.value == "1" else f" = {one.value}"
    emit(
        f"severity of {one.finding} ({one.source}) and {one.attribute}{value}, positives of all splits: "
        f"AUROC {_told(one.auroc)}, {one.auroc.n} images of {one.auroc.n_patients} patients"
    )
    rows = [
        (f"{part.smallest:.4g} to {part.largest:.4g}", f"{part.with_attribute} of {part.share.n}", _told(part.share))
        for part in one.parts
    ]
    if rows:
        emit_table(("severity", "with the attribute", "share (95 %)"), rows)


def _print_checksums(sums: Checksums) -> None:
    told = {"not as": sums.changed, "as": sums.same, "unpacked, so not compared with those": sums.unpacked}
    for word, names in told.items():
        if names:
            more = ", ..." if len(names) > FEW else ""
            emit(f"tables {word} {sums.file} lists them: {len(names):,}: {', '.join(names[:FEW])}{more}")
    if not any(told.values()):
        emit(f"{sums.file} lists no table that is here")


def _print_contradictions(labels: Contradictions) -> None:
    """Print how many images have No Finding and a finding, then which."""
    also = f"with another finding as well, seen or uncertain: {labels.contradicted:,}"
    emit(f"images labelled No Finding: {labels.images:,}; {also}")
    if labels.contradicted:
        which = ", ".join(f"{name} {count:,}" for name, count in labels.by_finding.items())
        more = ", ..." if labels.contradicted > len(labels.samples) else ""
        emit(f"  {which}; {', '.join(labels.samples)}{more}: look which label is wrong, or is no finding")


def _print_drawings(drawings: Sequence[DrawingCheck]) -> None:
    """Print what is drawn, then each structure that is drawn nowhere and why masks could not be read."""
    if not drawings:
        return
    emit("what is drawn, beside what is labelled:")
    emit_table(DRAWN, [_told_drawing(one) for one in drawings])
    for one in drawings:
        if one.read and one.empty == one.read:
            emit(
                f"  {one.name}: no mask has a pixel; if the cells name a number of a label map (map.png#2), look "
                "whether the maps hold it"
            )
        for sample, reason in islice(one.unreadable.items(), 1):
            emit(f"  {one.name}: {len(one.unreadable):,} cannot be read; {sample}: {reason}")


def _told_drawing(one: DrawingCheck) -> tuple[object, ...]:
    name = one.name if one.kind == "mask" else f"{one.name} (footprint)"
    if (told := one.labelled) is None:
        return name, one.read, one.empty, "", "", "", "", ""
    beside = f"{told.empty} of {told.positive}", f"{told.drawn} of {told.negative}"
    without = told.positive_without, told.negative_without
    return name, one.read, one.empty, *beside, *without, ", ".join(told.samples)


def _told(number: Number) -> str:
    if number.value is None:
        return f"not known: {number.reason}"
    return f"{number.value:.3f} ({number.low:.3f} to {number.high:.3f})"


def _print_same(same: Iterable[SameFile]) -> None:
    groups = list(same)
    if not groups:
        emit("no file occurs twice")
        return
    across, differ = sum(len(one.splits) > 1 for one in groups), sum(one.labels_differ for one in groups)
    emit(f"files that occur more than once: {len(groups)}; in two splits: {across}; with different labels: {differ}")
    for one in groups[:SHOWN]:
        emit(f"  {', '.join(one.samples)} ({', '.join(one.splits)})")
    _more(len(groups))


def _print_near(near: NearPairs, images: int) -> None:
    if not near.compared:
        emit("no two splits to look for near-duplicates across")
        return
    by_chance = "how many are so by chance is not known: no split has two patients"
    if near.expected is not None and near.expected_low is not None and near.expected_high is not None:
        low, high = estimated(near.expected_low), estimated(near.expected_high)
        by_chance = (
            f"by chance {estimated(near.expected)} would ({low} to {high}: "
            f"{near.chance_near} of {near.chance_pairs:,} pairs of two patients in one split are)"
        )
    emit(
        f"{near.found} of {near.compared:,} pairs across splits of the {images:,} images look alike; {by_chance}; "
        "mirrored, turned and cropped copies are not found"
    )
    for one, other, bits in near.pairs[:SHOWN]:
        emit(f"  {one} and {other}: {bits} of 256 bits differ")
    _more(near.found)


def _more(found: int) -> None:
    if found > SHOWN:
        emit(f"  and {found - SHOWN} more (--json)")


def _print_quarantine(lost: Quarantine, opened: int) -> None:
    """Print which images could not be read, and whether their loss goes with a label or an attribute."""
    emit(lost.note() or f"all {opened:,} images that were opened can be read")
    for sample, reason in islice(lost.reasons.items(), SHOWN):
        emit(f"  {sample}: {reason}")
    _more(len(lost))
    if lost.losses:
        header = ("group", "unreadable", "in all others", "difference of shares (95 %)", "")
        emit_table(header, [_told_loss(loss) for loss in lost.losses])


def _told_loss(loss: Loss) -> tuple[object, ...]:
    here = f"{loss.unreadable} of {loss.images}"
    if loss.difference is None:
        return loss.group, here, "no others", "", ""
    interval = f"{loss.difference:+.3f} ({loss.low:+.3f} to {loss.high:+.3f})"
    return loss.group, here, f"{loss.elsewhere_unreadable} of {loss.elsewhere}", interval, "goes with it" * loss.shown
