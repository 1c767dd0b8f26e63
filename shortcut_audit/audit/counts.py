"""What went into an audit: rows by split, the cells of every question, what was left out and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from shortcut_audit.audit.result.setting import Counts
from shortcut_audit.audit.table.question import Question
from shortcut_audit.audit.table.scores import ScoresTable
from shortcut_audit.config import Per


def count_rows(table: ScoresTable, questions: Sequence[Question], excluded: Mapping[str, int], per: Per) -> Counts:
    """Count what an audit looked at and what it left out.

    Args:
        table: the rows as audited.
        questions: all that was asked of it.
        excluded: images left out before the table was made, by reason.
        per: what one row stands for.
    """
    films = table.frame.unique("sample_id", maintain_order=True)
    test = films.filter(pl.col("split") == "test")
    by_split = {split: int((films["split"] == split).sum()) for split in ("train", "val", "test")}
    cells = {
        (question.finding, question.attribute): (*question.cells, *question.unknown_cells)
        for question in reversed(questions)
    }
    unknown = {}
    for question in questions:
        left_out = int((question.test & np.isnan(question.values)).sum())
        if left_out:
            unknown[f"{question.attribute} unknown ({question.finding}): in no cell"] = left_out
    return Counts(
        images=test.height,
        patients=test["patient_id"].n_unique(),
        clustered_by=table.unit,
        by_split={split: count for split, count in by_split.items() if count},
        excluded={**excluded, **unknown},
        cells=tuple(cell for group in reversed(cells.values()) for cell in group),
        per=per,
        composites=tuple(dict.fromkeys(question.attribute for question in questions if question.composite)),
    )
