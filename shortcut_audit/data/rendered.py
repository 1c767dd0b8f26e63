"""What the synthetic sets share: options, films that are there already, rendering on all cores, errors of labels."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.manifest import Manifest, read_manifest
from shortcut_audit.errors import BusyError, UsageError
from shortcut_audit.runtime import end_with_parent, progress, uninterrupted

Row = dict[str, Any]
Plan = TypeVar("Plan")
Options = TypeVar("Options", bound=BaseModel)
CHUNK = 25
ERROR_STREAM = 11
"""Sets the random numbers of label errors apart from all others."""


def options_of(model: type[Options], config: DatasetConfig) -> Options:
    """Return ``dataset.options`` as typed knobs.

    Raises:
        UsageError: an unknown key or an impossible value, named.
    """
    try:
        return model.model_validate(config.options)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        known = ", ".join(model.model_fields)
        raise UsageError(f"dataset.options.{key}: {first['msg']}; known keys here: {known}") from error


def rendered_before(root: Path, release: str) -> Manifest | None:
    """Return the manifest of films of the same options under ``root``, wherever the folder was moved to.

    Raises:
        BusyError: there are films of other options.
    """
    if not (root / "manifest.csv").is_file():
        return None
    found = read_manifest(root)
    if found.card.release != release:
        raise BusyError(f"{root} holds synthetic films of other options; name another folder with --out or --root")
    return replace(found, root=root)


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
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
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
