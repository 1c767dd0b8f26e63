"""Four findings on 4,374 films of NIH ChestX-ray14 as radiologists agreed on them (Majkowska et al. 2020), by Google.

Three radiologists read each film, and again until they agreed, at most five times; then the majority decided. Google
publishes two tables; torchxrayvision ships both as one. Other films have no such label: they are left out.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from shortcut_audit.data.places import find_file, need_file, stem
from shortcut_audit.data.published import Published
from shortcut_audit.data.tables import need_column, read_text_table
from shortcut_audit.data.validate import check_ids
from shortcut_audit.errors import InputError

FINDINGS = ("Fracture", "Pneumothorax", "Airspace opacity", "Nodule or mass")
FOLDER = "four_findings_expert_labels"
PARTS = ("validation_labels.csv", "test_labels.csv")
BOTH = "google2019_nih-chest-xray-labels.csv"
WORDS = {"YES": 1.0, "NO": 0.0}
NOTE = "labels: google, four findings as radiologists agreed on them (Majkowska et al. 2020, Radiology 294(2))"
PUBLISHED = Published(table="the table of expert labels", rows=4_374, source="Google Cloud Healthcare API")


def with_expert_labels(frame: pl.DataFrame, root: Path) -> tuple[pl.DataFrame, list[str]]:
    """Return the rows of films that experts labelled, with these labels in place of the others, and notes.

    Raises:
        UsageError: no table of Google under ``root``, or a column is missing.
        InputError: a film that stands twice, or a cell that is neither YES nor NO.
    """
    tables = [_labels(path) for path in _tables(root)]
    experts = pl.concat(tables)
    check_ids(experts["sample_id"], where="expert labels")
    others = [name for name in frame.columns if name.startswith("label.")]
    kept = frame.drop(others).join(experts, on="sample_id", how="inner", maintain_order="left")
    lost = frame.height - kept.height
    return kept, [
        NOTE,
        *PUBLISHED.notes(experts),
        f"{lost:,} films without an expert label are left out",
    ]


def _tables(root: Path) -> list[Path]:
    parts = [[f"{FOLDER}/{name}", f"{FOLDER}_{name}"] for name in PARTS]
    found = [path for names in parts if (path := find_file(root, names))]
    return found or [need_file(root, [*(names[0] for names in parts), BOTH], dataset="the expert labels of Google")]


def _labels(path: Path) -> pl.DataFrame:
    table, where = read_text_table(path), str(path)
    images = need_column(table, ["Image Index"], where=where)
    check_ids(images, where=where)
    labels = {}
    for finding in FINDINGS:
        words = need_column(table, [finding], where=where)
        wrong = ~words.is_in(list(WORDS)).fill_null(value=False)
        if wrong.any():
            row = wrong.arg_max() or 0
            raise InputError(
                f"{path}: row {row + 1}, column '{finding}' holds '{words[row] or ''}'; expected YES or NO"
            )
        labels["label." + finding.lower().replace(" ", "_")] = words.replace_strict(WORDS, return_dtype=pl.Float64)
    ids = pl.Series("sample_id", [stem(name) for name in images], dtype=pl.String)
    return pl.DataFrame({"sample_id": ids, **labels})
