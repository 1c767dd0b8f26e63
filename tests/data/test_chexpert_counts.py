"""Tables of the published size say where one label was changed, whichever finding it is."""

import polars as pl
import pytest

from shortcut_audit.data import chexpert_counts
from shortcut_audit.data.datasets import candid_ptx

TABLES = {
    "train": chexpert_counts.TRAIN,
    "valid": chexpert_counts.VALID,
    "test": chexpert_counts.TEST,
    "mimic": chexpert_counts.MIMIC,
    "candid": candid_ptx.PUBLISHED,
    **{f"plus, {labels}": chexpert_counts.plus(labels) for labels in ("report", "impression", "findings")},
}
COUNTED = [(name, column) for name, published in TABLES.items() for column in published.values]


def whole(published, column):
    """A table of the published size of which one column is made of the counts; what they leave over is blank."""
    counts = published.values[column]
    cells = [float(value) for value, count in counts.items() for _ in range(count)]
    cells += [None] * (published.rows - len(cells))
    patients = pl.int_range(published.rows, eager=True) % (published.patients or published.rows)
    return pl.DataFrame({"patient_id": patients, column: pl.Series(cells, dtype=pl.Float64)})


@pytest.mark.parametrize(("name", "column"), COUNTED)
def test_one_label_flipped_in_a_table_of_the_published_size_is_said(name, column):
    published = TABLES[name]
    table = whole(published, column)
    told = [note for note in published.notes(table) if f": {column.partition('.')[2]} = " in note]
    assert told == []
    flipped = table.with_columns(pl.Series(column, [*table[column][:-1], 1.0 if table[column][-1] != 1 else 0.0]))
    count = published.values[column]["1"]
    found = count + (1 if table[column][-1] != 1 else -1)
    said = published.counted_by or "published"
    assert f"{published.table}: {column.partition('.')[2]} = 1 in {found:,} rows, {said}: {count:,}" in (
        published.notes(flipped)
    )


@pytest.mark.parametrize("name", TABLES)
def test_one_row_less_than_published_is_said(name):
    published = TABLES[name]
    table = whole(published, next(iter(published.values)))[:-1]
    assert f", 1 fewer than the {published.rows:,} published" in published.notes(table)[0]


BLANK = {
    "atelectasis": 170_161, "cardiomegaly": 161_028, "consolidation": 204_751, "edema": 161_994,
    "enlarged_cardiomediastinum": 205_990, "fracture": 221_996, "lung_lesion": 219_540, "lung_opacity": 169_402,
    "no_finding": 152_372, "pleural_effusion": 140_555, "pleural_other": 224_925, "pneumonia": 168_642,
    "pneumothorax": 173_979, "support_devices": 157_546,
}  # fmt: skip
"""Studies in which a finding is not mentioned, from the same table as the counts."""


@pytest.mark.parametrize("finding", BLANK)
def test_the_counts_of_a_finding_and_its_blanks_make_up_all_studies(finding):
    counts = chexpert_counts.MIMIC.values[f"label.{finding}"]
    assert sum(counts.values()) + BLANK[finding] == 227_827
