"""What the synthetic sets share: films that are there already, rendering on all cores, errors of labels."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import polars as pl

from shortcut_audit.data.manifest import DataCard, Manifest, read_manifest
from shortcut_audit.errors import BusyError
from shortcut_audit.provenance import write_json
from shortcut_audit.runtime import end_with_parent, progress, uninterrupted, usable_cores

Row = dict[str, Any]
Plan = TypeVar("Plan")
CHUNK = 25
MARKER = "unfinished.json"
"""Who a folder belongs to until its manifest is written."""
ELSEWHERE = "name another folder with --out or --root"
NOBODYS = (f".{MARKER}.", ".DS_Store", "lost+found")
"""Beginnings of names that do not make a folder somebody's: a marker that has not its name yet, and the machine's."""
SHOWN = 3
"""Names told of what lies in a folder."""
ERROR_STREAM = 11
"""Sets the random numbers of label errors apart from all others."""


def films(root: Path, card: DataCard, make: Callable[[], list[Row]]) -> Manifest:
    """Return the films that are under ``root`` already, wherever the folder was moved to, else render them there.

    Until the manifest is written, a marker says whose the folder is: what was stopped goes on with the same options.

    Args:
        root: the folder; it may be new, empty, or hold films of the same options.
        card: of these films; its release is the fingerprint of their options.
        make: writes the images into ``images``, ``switched`` and ``masks`` and returns the manifest's rows.

    Raises:
        BusyError: the folder holds films of other options, finished or not, or anything else.
    """
    if all((root / name).is_file() for name in ("manifest.csv", "manifest.json")):
        found = read_manifest(root)
        if found.card.release != card.release:
            raise BusyError(f"{root} holds synthetic films of other options; {ELSEWHERE}")
        (root / MARKER).unlink(missing_ok=True)  # stopped between the manifest and this
        return replace(found, root=root)
    _claim(root, card.release)
    for folder in ("images", "switched", "masks"):
        (root / folder).mkdir(exist_ok=True)
    frame = pl.DataFrame(make(), infer_schema_length=None)
    manifest = Manifest.from_frame(frame, card=card, root=root, where=str(root / "manifest.csv"))
    manifest.save(root)
    (root / MARKER).unlink(missing_ok=True)
    return manifest


def _claim(root: Path, release: str) -> None:
    """Mark the folder as one that films of these options are rendered into; where it is refused nothing is written."""
    claimed = _claimed_for(root / MARKER)
    if claimed == release:
        return
    if claimed is not None:
        raise BusyError(
            f"{root} holds synthetic films of other options, whose rendering was stopped; {ELSEWHERE}, "
            "or give the options they were begun with to finish them"
        )
    there = [path.name for path in root.iterdir()] if root.exists() else []
    held = sorted(name for name in there if not name.startswith(NOBODYS))
    if held:
        more = f" and {len(held) - SHOWN} more" if len(held) > SHOWN else ""
        raise BusyError(
            f"{root} is not empty and holds no synthetic films ({', '.join(held[:SHOWN])}{more}); films are rendered "
            f"into a new or an empty folder: {ELSEWHERE}"
        )
    write_json(root / MARKER, {"release": release})


def _claimed_for(marker: Path) -> str | None:
    """Return the release in a marker; None where there is none of ours."""
    try:
        return str(json.loads(marker.read_text())["release"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def render_all(
    plans: Sequence[Plan], write: Callable[[Plan, Path, int], Row], root: Path, size: int, *, what: str
) -> list[Row]:
    """Render and write all films on all cores; return their manifest rows in order.

    Args:
        plans: one a film.
        write: a function of a module (other processes import it): plan, folder and side to a row.
        root: the folder.
        size: side in pixels.
        what: the work in words.
    """
    chunks = [plans[start : start + CHUNK] for start in range(0, len(plans), CHUNK)]
    rows: list[Row] = []
    workers = usable_cores()
    with (
        ProcessPoolExecutor(workers, get_context("spawn"), end_with_parent) as pool,
        progress(what, len(plans), "films") as bar,
    ):
        given: list[Future[list[Row]]] = []
        try:
            with uninterrupted():
                given += [pool.submit(_render_chunk, chunk, write, root, size) for chunk in chunks]
            for future in given:
                done = future.result()
                rows += done
                bar.advance(len(done))
        finally:
            for future in given:
                future.cancel()  # stopped: what is not begun is not wanted
    return rows


def _render_chunk(plans: Sequence[Plan], write: Callable[[Plan, Path, int], Row], root: Path, size: int) -> list[Row]:
    return [write(plan, root, size) for plan in plans]


def with_errors(rows: list[Row], *, labels: float, attributes: float, seed: int) -> list[Row]:
    """Return rows in which labels and attributes are wrong at these rates, independently of everything.

    Pixels, masks and footprints stay what they are: they tell the truth. Where a label is wrong its severity is
    blank; where an attribute is wrong its counterpart is, for "switched" would mean the opposite.
    """
    rng = np.random.default_rng((seed, ERROR_STREAM))
    rates = {"label": labels, "attribute": attributes}
    falling = {"label": "severity", "attribute": "counterpart"}
    changed = []
    for row in rows:
        wrong = dict(row)
        for column in row:
            prefix, _, name = column.partition(".")
            if prefix in rates and rng.random() < rates[prefix]:
                wrong[column] = str(1 - int(row[column]))
                if f"{falling[prefix]}.{name}" in row:
                    wrong[f"{falling[prefix]}.{name}"] = None
        changed.append(wrong)
    return changed


def error_notes(*, labels: float, attributes: float) -> tuple[str, ...]:
    """Return what the data card says of :func:`with_errors`."""
    label = f"labels are wrong at a rate of {labels:g}; where one is, its severity is blank (label_error)"
    attribute = (
        f"attributes are wrong at a rate of {attributes:g}, each apart; where one is, its counterpart is blank "
        "(attribute_error)"
    )
    return (*((label,) if labels else ()), *((attribute,) if attributes else ()))
