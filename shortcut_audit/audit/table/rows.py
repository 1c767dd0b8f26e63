"""The rows of one model and one finding: what all questions about them share, cut out of the table once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from shortcut_audit.audit.statistics.metrics import Ranking, Sampling, dense_ranks
from shortcut_audit.audit.table.context import Context, build_context
from shortcut_audit.audit.table.scores import OPTIONAL, ScoresTable
from shortcut_audit.shapes import Bools, Floats, Ints

Role = Literal["model", "control"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """All M rows of one model and finding, and of the N that are not training rows the columns of every question.

    Attributes:
        frame: the M rows, of all splits.
        train: (M,) those of the training split.
        all_patients: (M,) numbers of the patients.
        used: the N rows of the splits val and test.
        test, label, score: (N,).
        ranking: the ranks of the scores, which all questions share.
        reference, severity, covariates: (N,) NaN where not known; None or left out where the column is missing.
        context: what the table tells beside the questions.
    """

    model: str
    finding: str
    role: Role
    frame: pl.DataFrame
    train: Bools
    all_patients: Ints
    used: pl.DataFrame
    sampling: Sampling
    test: Bools
    label: Bools
    score: Floats
    ranking: Ranking
    reference: Floats | None
    severity: Floats | None
    covariates: Mapping[str, Floats]
    context: Context


def cut(table: ScoresTable, model: str, finding: str, asked: Sequence[str]) -> Rows:
    """Cut the rows of one model and finding out of a table; ``asked`` are all attributes asked about."""
    chosen = table.frame.select((pl.col("model") == model) & (pl.col("finding") == finding)).to_series()
    # By number: a filter keeps memory for as many rows as the whole table has.
    frame = table.frame[chosen.arg_true()]
    train = (frame["split"] == "train").to_numpy()
    used = frame.filter(~train)
    weights = used["weight"].to_numpy() if "weight" in used.columns else np.ones(used.height)
    patients = _dense(frame["patient_id"])
    clusters = _dense(used["patient_id"]) if train.any() else patients
    count = int(clusters.max()) + 1 if used.height else 0
    score = used["score"].to_numpy()
    return Rows(
        model=model, finding=finding, role=_role(frame), frame=frame, train=train, all_patients=patients, used=used,
        sampling=Sampling(clusters=clusters, weights=weights, n_clusters=count, unit=table.unit),
        test=(used["split"] == "test").to_numpy(), label=(used["label"] == 1).to_numpy(),
        score=score, ranking=Ranking(scores=score, ranks=dense_ranks(score)[0]),
        reference=numbers(used, "reference_score"),
        severity=_severity(table, used, finding),
        covariates={
            name: column for name in table.names("covariate")
            if (column := numbers(used, f"covariate.{name}")) is not None
        },
        context=build_context(table, frame, train, asked),
    )  # fmt: skip


def numbers(frame: pl.DataFrame, name: str) -> Floats | None:
    """Return a column with NaN for blanks, None if it is not there or wholly blank."""
    if name not in frame.columns or frame[name].null_count() == frame.height:
        return None
    return frame[name].fill_null(float("nan")).to_numpy()


def _dense(names: pl.Series) -> Ints:
    return names.rank("dense").cast(pl.Int64).to_numpy() - 1


def _severity(table: ScoresTable, frame: pl.DataFrame, finding: str) -> Floats | None:
    """Return the finding's severity; a table that names no finding may call its only one what it likes."""
    named = table.names("severity")
    if len(named) == 1 and table.values("finding") == (OPTIONAL["finding"],):
        return numbers(frame, f"severity.{named[0]}")
    return numbers(frame, f"severity.{finding}")


def _role(frame: pl.DataFrame) -> Role:
    return "control" if frame.height and frame["role"][0] == "control" else "model"
