"""What the probes look at: the rows of a manifest that can be read, and small pictures of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from shortcut_audit.data.images import load_pixels
from shortcut_audit.data.manifest import Manifest
from shortcut_audit.data.splits import hash_fractions
from shortcut_audit.shapes import Bytes8, Floats, Ints

SIDE = 64
"""Side of the small pictures in pixels."""
MOST_FILMS = 2_000
"""Of more films whole patients are taken by a hash of their id: the learner solves a system of this size."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """Films with what is known about them.

    Attributes:
        manifest: N rows whose images can be read.
        pixels: uint8 (N, 3, 64, 64); a grey film has three equal channels.
        notes: what was left out, in sentences.
    """

    manifest: Manifest
    pixels: Bytes8
    notes: tuple[str, ...]

    @cached_property
    def patients(self) -> Ints:
        """(N,) number of the patient, in the order of a hash of the ids."""
        frame = self.manifest.frame
        order = frame.select("patient_id", place=hash_fractions(frame["patient_id"])).unique().sort("place")
        codes = dict(zip(order["patient_id"].to_list(), range(order.height), strict=True))
        return np.array([codes[patient] for patient in frame["patient_id"].to_list()], dtype=np.int64)

    @cached_property
    def scaled(self) -> Floats:
        """The pictures as (N, 3, 64, 64) in [0, 1]."""
        return self.pixels / 255.0


def gather(manifest: Manifest) -> Material:
    """Choose the films to look at and read them.

    A test split that was reversed by design is left out: its associations are the designer's, and no model is
    trained on them.

    Raises:
        InputError: more than max(3, 1 %) of the images cannot be read.
    """
    if manifest.card.test_design != "reversed":
        return _read(manifest)
    return _read(
        manifest.select(pl.col("split") != "test"),
        "test films are left out: their associations were reversed by design",
    )


def gather_reversed(manifest: Manifest) -> list[Material]:
    """Read the test films that :func:`gather` left out, if it did: they too may be copies of training films.

    Raises:
        InputError: more than max(3, 1 %) of the images cannot be read.
    """
    left_out = manifest.split("test")
    return [_read(left_out)] if manifest.card.test_design == "reversed" and len(left_out) else []


def _read(manifest: Manifest, *notes: str) -> Material:
    told = list(notes)
    if len(manifest) > MOST_FILMS:
        whole = len(manifest)
        manifest = manifest.select(_some(manifest.frame))
        told.append(f"{len(manifest)} of {whole} films, whole patients chosen by a hash of their id")
    pixels, quarantine = load_pixels(manifest, size=SIDE, channels=3)
    if note := quarantine.note():
        told.append(note)
    return Material(manifest=manifest.select(quarantine.kept), pixels=pixels, notes=tuple(told))


def _some(frame: pl.DataFrame) -> np.ndarray:
    """Return which rows are kept: patients in the order of their hash as long as their films fit, at least one."""
    films = frame.group_by("patient_id").len("films")
    films = films.with_columns(place=hash_fractions(films["patient_id"])).sort("place", "patient_id")
    kept = films.filter((pl.col("films").cum_sum() <= MOST_FILMS) | (pl.int_range(pl.len()) == 0))
    return frame["patient_id"].is_in(kept["patient_id"].to_list()).to_numpy()
