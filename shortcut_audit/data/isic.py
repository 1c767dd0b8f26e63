"""What the releases of the ISIC challenges share: names of files, masks of lesions, the artefact labels of others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from shortcut_audit.data.places import find_file, stem
from shortcut_audit.data.tables import need_column, read_text_table
from shortcut_audit.data.validate import check_ids, typed_column

ARTEFACTS = ("dark_corner", "hair", "gel_border", "gel_bubble", "ruler", "ink", "patches")
"""What Bissoto et al. (2020) looked for."""
BIAS = ("isic_bias.csv", "artefacts-annotation/isic_bias.csv")
_IMAGES = (".jpg", ".jpeg", ".png")
_BESIDE = ("_superpixels", "_segmentation", "_mask")
_MASKS = ("_segmentation", "_mask")


def index_lesions(folders: Sequence[Path], root: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return images and masks of lesions: id -> path under ``root``. Superpixels are neither.

    The id is the name without its ending: ``ISIC_0000000`` of ``ISIC_0000000_segmentation.png``, of
    ``ISIC_0000000_Segmentation.png`` (2016) and of ``ISIC_0000000_downsampled.jpg`` (2019).
    """
    images: dict[str, str] = {}
    masks: dict[str, str] = {}
    for folder in folders:
        for path in sorted(folder.rglob("ISIC_*")):
            name, place = stem(path.name), path.relative_to(root).as_posix()
            if path.suffix.lower() not in _IMAGES:
                continue
            ending = next((e for e in _BESIDE if name.lower().endswith(e)), None)
            if ending is None:
                images[name.removesuffix("_downsampled")] = place
            elif ending in _MASKS:
                masks[name[: -len(ending)]] = place
    return images, masks


def artefacts(ids: Sequence[str], root: Path) -> tuple[dict[str, pl.Series], list[str]]:
    """Return ``attribute.<artefact>`` of images from Bissoto's table, if it is under ``root``, and a note.

    The table calls images ``ISIC_0000000.png`` although they are JPEGs. Of an image without a row nothing is known.
    """
    path = find_file(root, BIAS)
    if path is None:
        return {}, []
    table = read_artefacts(path)
    place = {name: row for row, name in enumerate(table["sample_id"].to_list())}
    at = pl.Series([place.get(name) for name in ids], dtype=pl.UInt32)
    known = len(ids) - at.null_count()
    columns = {name: table[name].gather(at).alias(name) for name in table.columns if name.startswith("attribute.")}
    return columns, [f"{known:,} of {len(ids):,} images have artefact labels of Bissoto et al. ({path.name})"]


def read_artefacts(path: Path) -> pl.DataFrame:
    """Return ``sample_id``, ``label.malignant`` and ``attribute.<artefact>`` of a table of Bissoto's.

    Raises:
        UsageError: a column is missing.
        InputError: a repeated id, or a cell that is no label.
    """
    table, where = read_text_table(path), str(path)
    names = need_column(table, ["image"], where=where)
    check_ids(names, where=where)
    flags = {f"attribute.{name}": need_column(table, [name], where=where) for name in ARTEFACTS}
    typed = {name: typed_column(column, "label", where=where) for name, column in flags.items()}
    label = typed_column(need_column(table, ["label"], where=where), "label", where=where)
    return pl.DataFrame({"sample_id": [stem(name) for name in names], "label.malignant": label, **typed})
