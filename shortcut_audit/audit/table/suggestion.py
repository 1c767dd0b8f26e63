"""What attributes of any kind suggest about the finding: e(a) = P(y=1 | attributes), learnt on training rows.

One definition for all attributes: an image is in conflict with what was learnt if it is positive and e(a)
lies under the base rate of the training rows, or negative and e(a) lies above it. For one binary attribute
of either sign that is the robust set of Saab et al. 2022.

* One value of a category, or 0 and 1: counts, with one further row at the base rate. A value that fewer than
  ``LEAST_ROWS`` training rows have suggests nothing.
* A number with more than ``FEW_VALUES`` values: logistic regression on a restricted cubic spline, constant
  beyond the training rows.
* Several attributes: naive Bayes, the log-odds against the base rate added up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from scipy.special import logit

from shortcut_audit.audit.statistics.overlap import fit_propensity, spline_terms
from shortcut_audit.audit.table.groups import attribute_values, composite_terms, require_attribute
from shortcut_audit.audit.table.scores import ScoresTable
from shortcut_audit.errors import UsageError
from shortcut_audit.shapes import Bools, Floats

LEAST_ROWS = 10
FEW_VALUES = 12
"""A column of numbers with no more values than this is taken as categories."""
CURVED = 30
"""Training rows of the scarcer class from which a spline is bent; with fewer it is a straight line."""
NAMED = 6
"""Values named in the note on what an attribute suggests."""
Kind = Literal["binary", "categorical", "continuous"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Suggestion:
    """What the attributes asked about suggest for each row.

    Attributes:
        values: (N,) 1 where e(a) is above the base rate, 0 where it is below, NaN where unknown or equal.
        source: in words, where that comes from and which values speak for and against the finding.
        categories: (N,) text, the value of a single categorical attribute; None for anything else.
        learnt: False where this finding has no training rows to learn from; ``values`` then are all unknown.
    """

    values: Floats
    source: str
    categories: pl.Series | None
    learnt: bool = True


def is_suggestion(attribute: str, table: ScoresTable) -> bool:
    """Return whether ``attribute`` is asked by e(a): ``A+B``, or one attribute that is not 0 and 1."""
    if attribute in table.attributes:
        return attribute_kind(table, attribute) != "binary"
    return len(composite_terms(attribute, table.attributes)) > 1


def attribute_kind(table: ScoresTable, name: str) -> Kind:
    """Return whether an attribute is 0 and 1, a category, or a number, by its values in the whole table."""
    known = table.known[name]
    if known.dtype == pl.String:
        return "categorical"
    if set(known.head(3).to_list()) <= {0.0, 1.0}:
        return "binary"
    return "categorical" if len(known) <= FEW_VALUES else "continuous"


def suggest(table: ScoresTable, frame: pl.DataFrame, attribute: str) -> Suggestion:
    """Learn e(a) on the rows of ``frame`` with split ``train`` and compare it with their base rate.

    Args:
        table: the whole table, which says of what kind an attribute is.
        frame: the rows asked about, N of them.
        attribute: as the user wrote it, ``is_suggestion``.

    Raises:
        UsageError: no such attribute or value; no finding has training rows of both classes to learn from.
    """
    train = (frame["split"] == "train").to_numpy()
    label = frame["label"].to_numpy() == 1
    terms = composite_terms(attribute, table.attributes)
    if not (label[train].any() and (~label[train]).any()):
        return _nothing_learnt(table, frame, attribute, terms)
    log_odds = total_log_odds(table, frame, terms, label, train)
    values = (log_odds > 0).astype(np.float64)
    # Rounding makes "says nothing" a number next to 0.
    values[np.isnan(log_odds) | (np.abs(log_odds) < 1e-9)] = np.nan
    source = f"what {'+'.join(terms)} suggests, learnt on {int(train.sum())} training rows"
    if len(terms) > 1:
        return Suggestion(values=values, source=source, categories=None)
    column = frame[f"attribute.{attribute}"]
    if attribute_kind(table, attribute) == "continuous":
        return Suggestion(values=values, source=source + _ranges(column, values), categories=None)
    categories = _plain_text(column)
    return Suggestion(values=values, source=source + _sides(categories, values), categories=categories)


def total_log_odds(
    table: ScoresTable, frame: pl.DataFrame, terms: Sequence[str], label: Bools, train: Bools
) -> Floats:  # fmt: skip
    """Return (N,) log-odds of e(a) less those of the base rate, NaN where one of the attributes is unknown.

    Args:
        table: the whole table.
        frame: N rows.
        terms: attributes, or ``NAME=VALUE``; naive Bayes adds them up.
        label: (N,) the finding.
        train: (N,) the rows it is learnt on; both classes are among them.
    """
    log_odds = np.zeros(frame.height)
    for term in terms:
        log_odds += _log_odds(table, frame, term, label, train)
    return log_odds


def _nothing_learnt(table: ScoresTable, frame: pl.DataFrame, attribute: str, terms: Sequence[str]) -> Suggestion:
    """Return a suggestion that says nothing, if other findings have what this one lacks."""
    labels = table.frame.filter(pl.col("split") == "train").group_by("model", "finding").agg(pl.col("label").n_unique())
    if not (labels["label"] > 1).any():
        raise UsageError(_no_training(table, attribute))
    finding = frame["finding"][0]
    single = len(terms) == 1 and attribute_kind(table, attribute) == "categorical"
    return Suggestion(
        values=np.full(frame.height, np.nan),
        source=f"what {'+'.join(terms)} suggests is not known: there are no training rows with and without {finding}",
        categories=_plain_text(frame[f"attribute.{attribute}"]) if single else None,
        learnt=False,
    )


def _no_training(table: ScoresTable, attribute: str) -> str:
    learnt = "is learnt from rows with split = train, and the table has none with and without the finding"
    if attribute not in table.attributes:
        return f"'{attribute}' asks what several attributes together suggest, which {learnt}, or ask for one attribute"
    known = table.known[attribute].sort()
    values = ", ".join(str(value) for value in known.head(8).to_list())
    return (
        f"the attribute '{attribute}' is not 0 and 1 (it has: {values}); ask for one value against the rest, as in "
        f"'{attribute}={known[0]}', or for what it suggests, which {learnt}"
    )


def _log_odds(table: ScoresTable, frame: pl.DataFrame, term: str, label: Bools, train: Bools) -> Floats:
    """Return (N,) log-odds of e(term) less those of the base rate, NaN where the attribute is unknown."""
    if "=" in term and term not in table.attributes:
        column = pl.Series(attribute_values(table, frame, term)).fill_nan(None)
    else:
        column = frame[f"attribute.{require_attribute(table, term)}"]
        if attribute_kind(table, term) == "continuous":
            return _smooth(column.fill_null(float("nan")).to_numpy(), label, train)
    codes = column.rank("dense").cast(pl.Int64).fill_null(0).to_numpy() - 1
    seen = train & (codes >= 0)
    if not seen.any() or not 0 < label[seen].mean() < 1:
        return np.where(codes >= 0, 0.0, np.nan)
    base, size = float(label[seen].mean()), int(codes.max()) + 1
    rows = np.bincount(codes[seen], minlength=size)
    share = (np.bincount(codes[seen & label], minlength=size) + base) / (rows + 1)
    told = np.where(rows >= LEAST_ROWS, logit(share) - logit(base), 0.0)
    found: Floats = np.where(codes >= 0, told[codes], np.nan)
    return found


def _smooth(column: Floats, label: Bools, train: Bools) -> Floats:
    """Return (N,) log-odds of a smooth e(x) less those of the base rate, NaN where x is unknown."""
    seen = train & ~np.isnan(column)
    scarcer = min(int(label[seen].sum()), int((~label[seen]).sum()))
    if scarcer == 0 or seen.sum() < LEAST_ROWS:
        return np.where(np.isnan(column), np.nan, 0.0)
    known, base = column[seen], float(label[seen].mean())
    terms = spline_terms([known], curved=scarcer >= CURVED)
    fitted = fit_propensity(terms, label[seen], np.ones(len(known)))
    at, first = np.unique(known, return_index=True)
    smooth: Floats = np.interp(column, at, logit(fitted.share[first])) - logit(base)
    return smooth


def _plain_text(column: pl.Series) -> pl.Series:
    """Return categories as text, whole numbers without the point."""
    if column.dtype == pl.String:
        return column
    whole = column.cast(pl.Int64, strict=False)
    return whole.cast(pl.String) if (whole == column).all() else column.cast(pl.String)


def _sides(categories: pl.Series, values: Floats) -> str:
    names = categories.fill_null("").to_numpy()
    said = []
    for value, words in ((1, "speaks for the finding"), (0, "speaks against it")):
        found = sorted(set(names[values == value].tolist()))
        said.append(f"{words} at {_listed(found)}")
    silent = sorted(set(names[np.isnan(values)].tolist()) - {""})
    nothing = f"; says nothing at {_listed(silent)} (under {LEAST_ROWS} training rows, or at the base rate)"
    return f"; it {said[0]}, {said[1]}{nothing if silent else ''}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return (", ".join(names[:NAMED]) or "no value") + more


def _ranges(column: pl.Series, values: Floats) -> str:
    """Say from where to where a number speaks for the finding."""
    numbers = column.fill_null(float("nan")).to_numpy()
    known = ~np.isnan(values)
    order = np.argsort(numbers[known])
    at, side = numbers[known][order], values[known][order]
    if not len(at):
        return "; it says nothing"
    starts = np.flatnonzero(np.diff(side, prepend=1 - side[0]))
    ends = np.append(starts[1:], len(at)) - 1
    spans = [f"{at[a]:g} to {at[b]:g}" for a, b in zip(starts, ends, strict=True) if side[a] == 1]
    return f"; it speaks for the finding from {_listed(spans)}" if spans else "; it speaks for the finding nowhere"
