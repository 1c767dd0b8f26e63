"""Small worlds with a known truth: films, labels, tubes and the scores of a model that may read the tube."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from shortcut_audit.audit.statistics.metrics import Sampling
from shortcut_audit.audit.table.question import Question, Setting, build_question
from shortcut_audit.audit.table.scores import ScoresTable
from shortcut_audit.config import EvaluateConfig


def logistic(x):
    return 1 / (1 + np.exp(-x))


def world(
    seed: int = 0,
    *,
    n: int = 1200,
    reads: float = 0.0,
    severity: float = 0.0,
    harder: float = 0.0,
    skill: float = 2.0,
    paired: bool = True,
    split: str = "test",
    model: str = "model",
    films_per_patient: int = 1,
) -> pl.DataFrame:
    """A model with AUROC of about .92; ``reads`` is the tube's weight in its logit, 0 for an honest one."""
    rng = np.random.default_rng(seed)
    label = rng.random(n) < 0.4
    tube = rng.random(n) < np.where(label, 0.7, 0.2)
    without = skill * label + severity * (label & tube) + harder * (~label & tube) + rng.normal(size=n)
    frame = pl.DataFrame(
        {
            "sample_id": [f"{split}{i}" for i in range(n)],
            "patient_id": [f"{split}-p{i // films_per_patient}" for i in range(n)],
            "model": model,
            "label": label.astype(int),
            "split": split,
            "score": logistic(without + reads * tube - 1),
            "attribute.tube": tube.astype(float),
        }
    )
    if not paired:
        return frame
    on, off = logistic(without + reads - 1), logistic(without - 1)
    return frame.with_columns(pl.Series("score_with.tube", on), pl.Series("score_without.tube", off))


def linked(
    seed: int = 0, *, n: int = 1200, severity: float = 2.0, age: float = 0.0, reads: float = 0.0, per_patient: int = 1
) -> pl.DataFrame:
    """Tubes go with severity among positives and with age among negatives (log-odds per SD).

    Both raise the score of an honest model: severity by 1, age (where it is linked) by half, tubes by ``reads``.
    """
    rng = np.random.default_rng(seed)
    label = rng.random(n) < 0.4
    size, old = rng.normal(size=(2, n))
    tube = rng.random(n) < logistic(np.where(label, 0.5 + severity * size, -1.2 + age * old))
    logit = 1.8 * label + size * label + 0.5 * bool(age) * old * ~label + reads * tube + rng.normal(size=n) - 1
    return pl.DataFrame(
        {
            "sample_id": [f"s{i}" for i in range(n)],
            "patient_id": [f"p{i // per_patient}" for i in range(n)],
            "label": label.astype(int),
            "score": logistic(logit),
            "attribute.tube": tube.astype(float),
            "severity.finding": pl.Series(np.where(label, size, np.nan)).fill_nan(None),
            "covariate.age": old,
        }
    )


def cells(counts: dict[tuple[int, int], int], *, seed: int = 0, skill: float = 2.0) -> pl.DataFrame:
    """A table with exactly ``counts[label, tube]`` films in each cell."""
    rng = np.random.default_rng(seed)
    rows = [(y, a) for (y, a), count in counts.items() for _ in range(count)]
    return pl.DataFrame(
        {
            "sample_id": [f"s{i}" for i in range(len(rows))],
            "label": [y for y, _ in rows],
            "score": [float(skill * y + rng.normal()) for y, _ in rows],
            "attribute.tube": [float(a) for _, a in rows],
        }
    )


def table(frame: pl.DataFrame) -> ScoresTable:
    return ScoresTable.from_frame(frame, where="scores.csv")


def question(
    frame: pl.DataFrame, attribute: str = "tube", *, pairs: Any = "exact", test_design: Any = "natural", **limits: Any
) -> Question:
    setting = Setting(
        limits=EvaluateConfig(spurious=[attribute], **limits), pairs=pairs, test_design=test_design, origins={}
    )
    checked = table(frame)
    return build_question(checked, checked.frame["model"][0], checked.frame["finding"][0], attribute, setting)


def sampling(clusters, weights=None) -> Sampling:
    clusters = np.asarray(clusters)
    return Sampling(
        clusters=clusters,
        weights=np.ones(len(clusters)) if weights is None else np.asarray(weights, float),
        n_clusters=int(clusters.max()) + 1,
        unit="patient",
    )
