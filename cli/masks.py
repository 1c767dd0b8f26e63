"""``audit masks``: looks after mask stores, and brings masks in and out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .cleaning import clean
from .options import DataOptions, PrintOptions, takes
from .output import emit, emit_json, emit_table

if TYPE_CHECKING:
    from shortcut_audit.masks.summary import Areas, Summary

app = typer.Typer(
    no_args_is_help=True,
    help="Look at a mask store, check it, clean it, or bring masks in and out.\n\n"
    "Example: audit masks info runs/RUN/masks.h5",
)
app.command(name="clean")(clean)
Store = Annotated[Path, typer.Argument(metavar="MASKS", help="A masks.h5, or the run folder that holds one.")]
OutFolder = Annotated[Path, typer.Option("--out", metavar="DIR", help="New folder to write to.")]
BAR = 30
AREAS = ("finding", "pairs", "say nothing", "empty", "min", "5 %", "25 %", "50 %", "75 %", "95 %", "max", "ignored")


@app.command()
@takes(PrintOptions)
def info(options: PrintOptions, *, store: Store) -> None:
    """What the masks were made from and how they turned out: errors, steps, areas, every constant.

    Reads a mask store. Leaves nothing.

    Example: audit masks info runs/20261120-1032-chexpert --json
    """
    from shortcut_audit.stages import keep_masks

    summary = keep_masks.info(store)
    if options.as_json:
        emit_json(asdict(summary))
    else:
        print_summary(summary)


@app.command()
@takes(PrintOptions)
def verify(
    options: PrintOptions,
    *,
    store: Store,
    manifest: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder with manifest.csv that it must be of.")
    ] = None,
) -> None:
    """Recompute every checksum and name the shards and pairs that are damaged.

    Reads a mask store, and a manifest if one is named. Leaves nothing.
    Exit code 74 where the store is not what was sealed, 4 where it is of
    another manifest.

    Example: audit masks verify runs/20261120-1032-chexpert --manifest prepared/chexpert
    """
    from shortcut_audit.stages import keep_masks

    found = keep_masks.verify(store, manifest)
    if options.as_json:
        emit_json(asdict(found))
        return
    of_manifest = ", of the manifest that was named" if found.of_manifest else ""
    emit(f"whole: {found.pairs} masks in {found.shards} shards, {found.bytes:,} bytes{of_manifest}")


@app.command()
@takes(DataOptions)
def export(
    options: DataOptions,
    *,
    store: Store,
    to: Annotated[str, typer.Option(metavar="FORMAT", help="png, nnunet or coco: 'audit list exports'.")],
    out: OutFolder,
) -> None:
    """Write the masks of a store as PNG files, for nnU-Net, or as COCO JSON.

    Reads a mask store; with --dataset also the films (nnU-Net needs them).
    Leaves a folder. Its names hold ids: keep it to yourself.

    Example: audit masks export runs/20261120-1032-chexpert --to coco --out exported
    """
    from shortcut_audit.stages import keep_masks

    named = options.config or options.sets or options.dataset or options.root
    exported = keep_masks.export(store, to, out, options.load() if named else None)
    if options.as_json:
        emit_json({"out": str(out), **asdict(exported)})
        return
    emit(f"{out}: {exported.masks} masks; its names hold ids, so keep it to yourself")
    for reason, count in exported.left_out.items():
        emit(f"  {count} left out: {reason}")
    for note in exported.notes:
        emit(f"  {note}")


@app.command("import")
@takes(DataOptions)
def import_(
    options: DataOptions,
    *,
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="Folder of FINDING/SAMPLE.png, or COCO JSON.")],
    kind: Annotated[str, typer.Option("--from", metavar="FORMAT", help="png or coco: 'audit list imports'.")],
    out: OutFolder,
    name: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="THEIRS=FINDING", help="What the source calls a finding. Repeatable."),
    ] = None,
    skip_unmatched: Annotated[
        bool, typer.Option("--skip-unmatched", help="Leave out masks whose film is not in the data set.")
    ] = False,
) -> None:
    """Make a mask store of masks made elsewhere, for 'audit pretrain --masks'.

    Reads PNG files or COCO JSON, and the data set's table; ids must fit byte
    for byte. Masks get the working size (image.size) by nearest neighbour.
    Leaves masks.h5 (mode 0600: it holds ids).

    Example: audit masks import drawn --from png --dataset chexpert --out imported
    """
    from shortcut_audit.stages import keep_masks

    brought = keep_masks.bring(source, kind, out, options.load(), names=name or [], skip_unmatched=skip_unmatched)
    path = brought.store.path
    if options.as_json:
        emit_json({"masks": str(path), "pairs": len(brought.store), "left_out": list(brought.left_out)})
        return
    emit(f"masks: {path} ({len(brought.store)} masks, {len(brought.left_out)} left out)")
    emit(f"next:  audit pretrain --masks {path} with the same data set")


def print_summary(summary: Summary) -> None:
    """Print a store in numbers, for people."""
    from shortcut_audit.masks.layout import PARTS

    emit(f"format:    {summary.version}, {summary.kind}")
    emit(f"manifest:  {summary.manifest}")
    emit(f"model:     {summary.model or 'none: made elsewhere'}")
    emit(f"pairs:     {sum(areas.pairs for areas in summary.findings.values())} masks of {summary.height} x "
         f"{summary.width} px on {summary.samples_with_pairs} of {summary.samples} films")  # fmt: skip
    size = summary.heatmap_size
    emit(f"heat maps: {f'{size[0]} x {size[1]} px, 8 bits' if size else 'none'}")
    if summary.parts:
        emit(f"view of:   {summary.parts} files in {PARTS}; keep them beside it")
    emit(f"made:      {', '.join(summary.conditions) or 'on a CPU: another run gives the same bytes'}"
         f"{': bytes may differ from those of another run' if summary.conditions else ''}")  # fmt: skip
    for section, values in summary.settings.items():
        if isinstance(values, dict):
            emit(f"{section}:")
            for key, value in values.items():
                emit(f"  {key}: {_said(value)}")
        else:
            emit(f"{section}: {_said(values)}")
    _print_histogram("completeness error up to:", summary.completeness)
    unset = "" if summary.settings.get("explain", {}).get("tolerance") else " (none was set)"
    emit(f"  {summary.over_tolerance} beyond the tolerance of {summary.tolerance:g}{unset}; "
         f"{summary.without_completeness} without one")  # fmt: skip
    _print_histogram("steps:", summary.steps)
    if summary.steps_of_quarters:
        few, many = summary.steps_of_quarters
        emit(f"  {few:.3g} in the mean for the cheapest quarter of the films, {many:.3g} for the dearest")
    emit("part of the image in the mask, by quantile:")
    emit_table(AREAS, [_areas_row(name, areas) for name, areas in summary.findings.items()])


def _said(value: object) -> str:
    """Return a constant as a person writes it."""
    if isinstance(value, dict):  # what was tuned for a finding
        return ", ".join(f"{key} {said:.3f}" if key == "dice" else f"{key} {said}" for key, said in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)


def _print_histogram(title: str, counts: Mapping[str, int]) -> None:
    emit(title)
    most = max(counts.values(), default=0)
    rows = [(name, count, "#" * round(BAR * count / most) if most else "") for name, count in counts.items()]
    emit_table(("", "pairs", ""), rows or [("none", 0, "")])


def _areas_row(name: str, areas: Areas) -> list[object]:
    shown = ["-"] * 7 if areas.quantiles is None else [f"{100 * value:.1f} %" for value in areas.quantiles]
    ignored = "-" if areas.ignored is None else f"{100 * areas.ignored:.1f} %"
    return [name, areas.pairs, areas.unknown, areas.empty, *shown, ignored]
