"""The tables of the ISIC challenges and of HAM10000: diagnoses, a column each, and facts on images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from shortcut_audit.data.published import Counts, positives
from shortcut_audit.data.tables import need_column, read_text_table
from shortcut_audit.data.validate import check_ids, typed_column
from shortcut_audit.errors import InputError

DIAGNOSES = {
    "MEL": "melanoma", "NV": "nevus", "BCC": "basal_cell_carcinoma", "AKIEC": "actinic_keratosis",
    "BKL": "benign_keratosis", "DF": "dermatofibroma", "VASC": "vascular_lesion", "AK": "actinic_keratosis",
    "SCC": "squamous_cell_carcinoma",
}  # fmt: skip
"""What the columns are called: AKIEC until 2018 holds Bowen's disease too."""
HAM_CODES = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")
HAM_COUNTS = (1_113, 6_705, 514, 327, 1_099, 115, 142)
"""Images of each in HAM10000 (Tschandl et al. 2018, table 1), which is the training set of task 3 of 2018."""
HAM_ROWS, HAM_LESIONS = 10_015, 7_470
HAM_MASKS = "HAM10000_segmentations_lesion_tschandl"
NONE_OF_THESE = "UNK"
LESION_NOTE = "who is whose is not known: images of one lesion count as one patient"


def diagnosed(codes: Sequence[str], counts: Sequence[int]) -> dict[str, Counts]:
    """Return how often each diagnosis was published, as :attr:`Published.values`."""
    return positives({DIAGNOSES[code]: count for code, count in zip(codes, counts, strict=True)})


def read_diagnoses(path: Path, codes: Sequence[str]) -> pl.DataFrame:
    """Return ``sample_id`` and ``label.<diagnosis>`` of a table with one column a diagnosis, one of them 1.

    A column ``UNK`` (none of these) counts as one of them and is no finding.

    Raises:
        UsageError: a column is missing.
        InputError: a repeated id, a cell that is no label, a row with no diagnosis or with several.
    """
    table, where = read_text_table(path), str(path)
    ids = need_column(table, ["image"], where=where)
    check_ids(ids, where=where)
    present = [*codes, *([NONE_OF_THESE] if NONE_OF_THESE in table.columns else [])]
    cells = pl.DataFrame(
        [typed_column(need_column(table, [code], where=where), "label", where=where) for code in present]
    )
    odd = cells.select(
        ~pl.all_horizontal(pl.all().is_in([0.0, 1.0]).fill_null(False)) | (pl.sum_horizontal(pl.all()) != 1)
    )
    if (wrong := odd.to_series()).any():
        row = wrong.arg_max() or 0
        told = [code for code in present if cells[code][row] == 1]
        raise InputError(
            f"{path}: row {row + 1}: '{ids[row]}' has {len(told)} diagnoses ({', '.join(told) or 'none'}); expected "
            f"1 in one of {', '.join(present)} and 0 in the others; mend the table"
        )
    return pl.DataFrame({"sample_id": ids, **{f"label.{DIAGNOSES[code]}": cells[code] for code in codes}})


def facts(ids: pl.Series, path: Path, columns: Mapping[str, str], *, key: str) -> dict[str, pl.Series]:
    """Return columns of a table of images, in the order of ``ids``; ``unknown`` is blank.

    Args:
        ids: of images; one without a row is blank in every column.
        path: the table.
        columns: our name -> the table's.
        key: its column of ids.

    Raises:
        UsageError: a column is missing.
        InputError: a repeated id.
    """
    table, where = read_text_table(path), str(path)
    names = need_column(table, [key], where=where)
    check_ids(names, where=where)
    place = {name: row for row, name in enumerate(names.to_list())}
    at = pl.Series([place.get(name) for name in ids.to_list()], dtype=pl.UInt32)
    read = {ours: need_column(table, [name], where=where).gather(at) for ours, name in columns.items()}
    return {ours: column.set(column == "unknown", None).alias(ours) for ours, column in read.items()}
