"""What a table tells beside the question itself: readers, other attributes, what the attributes tell alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl

from shortcut_audit.audit.table.groups import composite_terms
from shortcut_audit.audit.table.scores import ScoresTable
from shortcut_audit.audit.table.suggestion import attribute_kind, total_log_odds
from shortcut_audit.shapes import Bools, Floats

READER = "reader_score"
Scale = Literal["probability", "rank", "unknown"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Context:
    """Numbers of the N rows of the splits val and test that put a question into proportion.

    Attributes:
        readers: (N,) scores of each reader, NaN where the reader did not read.
        others: (N,) 1, 0 and NaN of each binary attribute that nobody asked about.
        alone: (N,) log-odds of the finding from the attributes asked about, None where ``no_alone`` says why.
        no_alone: why nothing is learnt from the attributes.
        training: P(a=1 | y=1) and P(a=1 | y=0) in the training rows, by the own values of one attribute.
        columns: (N,) every attribute as it stands in the table, null where unknown.
        scale: whether all test scores are probabilities, or some only rank.
    """

    readers: Mapping[str, Floats] = field(default_factory=dict)
    others: Mapping[str, Floats] = field(default_factory=dict)
    alone: Floats | None = None
    no_alone: str = "the attributes were not looked at"
    training: tuple[float, float] | None = None
    columns: Mapping[str, pl.Series] = field(default_factory=dict)
    scale: Scale = "unknown"


def build_context(table: ScoresTable, frame: pl.DataFrame, train: Bools, asked: Sequence[str]) -> Context:
    """Gather what a table tells beside the questions of one model and finding.

    Args:
        table: the whole table.
        frame: all rows of one model and finding.
        train: (rows of ``frame``,) those of the training split.
        asked: all attributes asked about.
    """
    label = frame["label"].to_numpy() == 1
    terms = _terms(table, asked)
    learnable = bool(label[train].any() and (~label[train]).any())
    used = frame.filter(~train)
    return Context(
        readers={name: used[f"{READER}.{name}"].fill_null(np.nan).to_numpy() for name in _readers(table, used)},
        others={
            name: used[f"attribute.{name}"].fill_null(np.nan).to_numpy()
            for name in table.attributes
            if attribute_kind(table, name) == "binary" and name not in terms
        },
        alone=total_log_odds(table, frame, terms, label, train)[~train] if learnable else None,
        no_alone="there are no training rows (split = train) of both classes to learn it from",
        columns={name: used[f"attribute.{name}"] for name in table.attributes},
        scale=_scale(used),
    )  # fmt: skip


def _scale(used: pl.DataFrame) -> Scale:
    if "scale" not in used.columns:
        return "unknown"
    found = set(used.filter(pl.col("split") == "test")["scale"].unique())
    if "rank" in found:
        return "rank"
    return "probability" if found == {"probability"} else "unknown"


def _readers(table: ScoresTable, used: pl.DataFrame) -> list[str]:
    """Return the readers who read anything of these rows."""
    return [name for name in table.names(READER) if used[f"{READER}.{name}"].null_count() < used.height]


def _terms(table: ScoresTable, asked: Sequence[str]) -> list[str]:
    """Return the attributes behind what is asked, each once: of ``view=ap+tube`` these are ``view`` and ``tube``."""
    parts = [part for name in asked for part in composite_terms(name, table.attributes)]
    return list(dict.fromkeys(part if part in table.attributes else part.partition("=")[0] for part in parts))
