"""The 14 findings of the CheXpert labeler, which CheXpert, MIMIC-CXR-JPG and CheXpert Plus share."""

from __future__ import annotations

import numpy as np
import polars as pl

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.labels import apply_label_policy
from shortcut_audit.data.tables import first_column
from shortcut_audit.data.validate import typed_column
from shortcut_audit.errors import UsageError

FINDINGS = (
    "No Finding", "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion", "Edema",
    "Consolidation", "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion", "Pleural Other", "Fracture",
    "Support Devices",
)  # fmt: skip
NO_FINDING_OPTION = {"no_finding": ("as_written", "negative")}
"""Option of every data set of this labeler: whether *No Finding* makes the other findings negative."""
PROXY_NOTE = (
    "support_devices is a proxy: tubes, lines and pacemakers alike, read from reports; "
    "-1 counts as {uncertain}, a blank as {blank}"
)

_NAMED = 3


def finding_key(name: str) -> str:
    """Return the name that a finding has in a manifest."""
    return name.lower().replace(" ", "_")


def finding_labels(table: pl.DataFrame, where: str, *, every: bool = False) -> dict[str, pl.Series]:
    """Return ``label.<finding>`` for every finding of the table, whatever the case and signs of its columns.

    Args:
        table: text columns.
        where: how messages name the table.
        every: refuse a table that lacks one of the 14.

    Raises:
        UsageError: there is none, or one is lacking.
        InputError: a cell that is no label.
    """
    found = {finding: column for finding in FINDINGS if (column := first_column(table, [finding]))}
    if not found:
        raise UsageError(
            f"{where}: no column of a finding; expected some of {', '.join(FINDINGS)}; "
            f"the columns are: {', '.join(table.columns)}"
        )
    lacking = [finding for finding in FINDINGS if finding not in found]
    if every and lacking:
        raise UsageError(f"{where}: no column '{lacking[0]}'; the columns are: {', '.join(table.columns)}")
    return {
        "label." + finding_key(finding): typed_column(table[column], "label", where=where)
        for finding, column in found.items()
    }


def with_proxy(frame: pl.DataFrame, config: DatasetConfig) -> tuple[pl.DataFrame, list[str]]:
    """Return the table with ``attribute.support_devices`` made of the label, under the policy of labels, and a note."""
    if "label.support_devices" not in frame.columns:
        return frame, []
    values = frame["label.support_devices"].fill_null(np.nan).to_numpy()
    counted = apply_label_policy(values, uncertain=config.uncertain, blank=config.blank)
    proxy = pl.Series("attribute.support_devices", counted).fill_nan(None)
    # An attribute has no third class: what a classifier learns as one is not known of it.
    uncertain = "ignore" if config.uncertain == "multiclass" else config.uncertain
    return frame.with_columns(proxy), [PROXY_NOTE.format(uncertain=uncertain, blank=config.blank)]


def differing_studies(rows: pl.DataFrame, table: str) -> list[str]:
    """Return a note where images of one study have different labels: one of them was changed.

    A study is labelled as a whole, from its report or by radiologists (Irvin et al. 2019): in
    ``train.csv`` the labels are the same in each of the 33,994 studies of several images.
    """
    study = rows["sample_id"].str.extract(r"^(patient\d+_study\d+)_")
    labels = rows.select(pl.col("^label\\..*$"))
    kinds = labels.with_columns(study=study).unique().select("study")
    several = kinds.filter(kinds.is_duplicated())["study"].unique().sort()
    if several.is_empty():
        return []
    first = ", ".join(several.head(_NAMED).to_list()) + (", ..." if len(several) > _NAMED else "")
    told = f"{table}: studies whose images have different labels: {len(several):,} ({first})"
    return [f"{told}; a study is labelled as a whole, so look what changed them"]


def with_no_finding(frame: pl.DataFrame, choice: str) -> tuple[pl.DataFrame, list[str]]:
    """Return the table with other findings 0 where *No Finding* is 1 if ``choice`` is ``negative``, and a note.

    Support devices stay as they are: a film with a tube may have no finding. As torchxrayvision reads CheXpert; it
    matters where blanks are not counted as negative anyway (``dataset.blank: ignore``).
    """
    if choice != "negative" or "label.no_finding" not in frame.columns:
        return frame, []
    none = (frame["label.no_finding"] == 1).fill_null(False)
    others = [f"label.{finding_key(name)}" for name in FINDINGS if name not in ("No Finding", "Support Devices")]
    others = [name for name in others if name in frame.columns]
    concerned = frame.filter(none).select(others)
    blank = sum(concerned.null_count().row(0))
    written = sum(int((concerned[name] != 0).sum()) for name in others)
    note = (
        f"no_finding: negative: in {int(none.sum()):,} rows with No Finding = 1, {blank:,} blanks and {written:,} "
        "labels of 1 or -1 count as 0, support devices as written"
    )
    return frame.with_columns(frame[name].set(none, 0.0) for name in others), [note]
