"""Artefacts in images of ISIC, by Bissoto et al.: what people saw (2020), what a model thinks of ISIC 2019 (2022)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from shortcut_audit.data.isic import bare_id
from shortcut_audit.data.places import find_file
from shortcut_audit.data.published import Published
from shortcut_audit.data.tables import need_column, read_text_table
from shortcut_audit.data.validate import check_filled, check_ids, typed_column
from shortcut_audit.errors import InputError

ARTEFACTS = {
    "dark_corner": 960, "hair": 1518, "gel_border": 679, "gel_bubble": 1267, "ruler": 1284, "ink": 442, "patches": 187,
}  # fmt: skip
"""What Bissoto et al. (2020) looked for, and in how many of 2,594 images they saw it."""
BIAS = ("isic_bias.csv", "artefacts-annotation/isic_bias.csv")
INFERRED = ("isic_inferred_wocarcinoma.csv",)
THRESHOLD = 0.6
"""Where Bissoto et al. (2022) cut the probabilities: what is above has the artefact."""
PUBLISHED = Published(
    table=BIAS[0],
    rows=2_594,
    source="Bissoto et al. 2020",
    values={
        "label.malignant": {"1": 519, "0": 2_075},
        **{f"attribute.{name}": {"1": count, "0": 2_594 - count} for name, count in ARTEFACTS.items()},
    },
)


def with_artefacts(frame: pl.DataFrame, root: Path, *, threshold: float) -> tuple[pl.DataFrame, list[str]]:
    """Return the table with the columns of :func:`artefacts` and :func:`inferred_artefacts`, and their notes."""
    ids = frame["sample_id"].to_list()
    seen, seen_notes = artefacts(ids, root)
    guessed, guess_notes = inferred_artefacts(ids, root, threshold)
    return frame.with_columns(**seen, **guessed), [*seen_notes, *guess_notes]


def artefacts(ids: Sequence[str], root: Path) -> tuple[dict[str, pl.Series], list[str]]:
    """Return ``attribute.<artefact>`` of images from the table of 2020, if it is under ``root``, and notes.

    The table calls images ``ISIC_0000000.png`` although they are JPEGs. Of an image without a row nothing is known.

    Raises:
        UsageError: a column is missing.
        InputError: a repeated id, or a cell that is no label.
    """
    path = find_file(root, BIAS)
    if path is None:
        return {}, []
    table = read_artefacts(path)
    wanted = [f"attribute.{name}" for name in ARTEFACTS]
    columns, note = _joined(table, wanted, ids, f"artefact labels of Bissoto et al. ({path.name})")
    return columns, [*PUBLISHED.notes(table), note]


def malignant(ids: Sequence[str], root: Path) -> dict[str, pl.Series]:
    """Return ``label.malignant`` of the table of 2020: training images of tasks 1 and 2 of 2018."""
    path = find_file(root, BIAS)
    return _joined(read_artefacts(path), ["label.malignant"], ids, "")[0] if path else {}


def inferred_artefacts(ids: Sequence[str], root: Path, threshold: float) -> tuple[dict[str, pl.Series], list[str]]:
    """Return ``attribute.<artefact>_inferred``, 1 where a model's probability is above ``threshold``, and a note.

    The names are others than those of :func:`artefacts`: what a model thinks is not what somebody saw.

    Raises:
        UsageError: a column is missing.
        InputError: a repeated id, or a cell that is no probability.
    """
    path = find_file(root, INFERRED)
    if path is None:
        return {}, []
    table, where = read_text_table(path), str(path)
    known, cut = _ids(table, where), _cut(table, threshold, where)
    told = f"probabilities of artefacts by a model of Bissoto et al. 2022 ({path.name}), cut above {threshold:g}"
    columns, note = _joined(pl.DataFrame({"sample_id": known, **cut}), list(cut), ids, told)
    return columns, [note]


def read_artefacts(path: Path) -> pl.DataFrame:
    """Return ``sample_id``, ``label.malignant`` and ``attribute.<artefact>`` of a table of 2020.

    Raises:
        UsageError: a column is missing.
        InputError: a repeated id, a cell that is no label, or no word on malignancy.
    """
    table, where = read_text_table(path), str(path)
    known = _ids(table, where)
    flags = {f"attribute.{name}": need_column(table, [name], where=where) for name in ARTEFACTS}
    typed = {name: typed_column(column, "flag", where=where) for name, column in flags.items()}
    return pl.DataFrame({"sample_id": known, "label.malignant": _malignant(table, where), **typed})


def read_inferred(path: Path, threshold: float) -> pl.DataFrame:
    """Return ``sample_id``, ``label.malignant`` and ``attribute.<artefact>_inferred`` of a trap set of 2022.

    ``label_string`` is not asked: it says malignant of every image.

    Raises:
        UsageError: a column is missing.
        InputError: a repeated id, a cell that is no probability, or no word on malignancy.
    """
    table, where = read_text_table(path), str(path)
    return pl.DataFrame({
        "sample_id": _ids(table, where), "label.malignant": _malignant(table, where), **_cut(table, threshold, where),
    })  # fmt: skip


def _ids(table: pl.DataFrame, where: str) -> list[str]:
    names = need_column(table, ["image"], where=where)
    check_ids(names, where=where)
    return [bare_id(name) for name in names]


def _malignant(table: pl.DataFrame, where: str) -> pl.Series:
    told = need_column(table, ["label"], where=where)
    check_filled(told, where=where)
    return typed_column(told, "flag", where=where)


def _cut(table: pl.DataFrame, threshold: float, where: str) -> dict[str, pl.Series]:
    return {f"attribute.{name}_inferred": _above(table, name, threshold, where) for name in ARTEFACTS}


def _joined(
    table: pl.DataFrame, wanted: Sequence[str], ids: Sequence[str], told: str
) -> tuple[dict[str, pl.Series], str]:
    """Return columns in the order of ``ids``, none if no image has a row, and how many have one."""
    place = {name: row for row, name in enumerate(table["sample_id"].to_list())}
    at = pl.Series([place.get(bare_id(name)) for name in ids], dtype=pl.UInt32)
    known = len(ids) - at.null_count()
    columns = {name: table[name].gather(at).alias(name) for name in wanted} if known else {}
    return columns, f"{known:,} of {len(ids):,} images have {told}"


def _above(table: pl.DataFrame, name: str, threshold: float, where: str) -> pl.Series:
    values = typed_column(need_column(table, [name], where=where), "covariate", where=where)
    outside = ~values.is_between(0, 1).fill_null(True)
    if outside.any():
        row = outside.arg_max() or 0
        raise InputError(
            f"{where}: row {row + 1}, column '{name}' holds '{values[row]:g}'; expected a probability from 0 to 1"
        )
    return (values > threshold).cast(pl.Float64)
