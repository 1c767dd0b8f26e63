"""Which groups are searched for the worst: values of other columns, alone and crossed with the attribute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from shortcut_audit.audit.table.groups import composite_terms
from shortcut_audit.audit.table.question import Question
from shortcut_audit.shapes import Bools

MOST_VALUES = 8
"""A column with more values makes groups too small to tell, and too many."""
MOST_GROUPS = 20
Groups = Mapping[str, Bools]
"""(N,) the test rows of each group, by its name: ``sex=F``, ``chest_tube=1,sex=F``."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """The groups that are searched, and the columns that are not, each with its reason."""

    groups: Groups
    left_out: Mapping[str, str]


def attribute_groups(question: Question) -> Groups:
    """Return the test rows of each value of the attribute: 1 and 0, its categories, or the sides of a composite."""
    if question.categories is not None:
        return category_groups(question)
    words = {1: "for the finding", 0: "against the finding"} if question.composite else {1: "1", 0: "0"}
    return {f"{question.attribute}={word}": question.test & (question.values == value) for value, word in words.items()}


def category_groups(question: Question) -> Groups:
    """Return the test rows of each category, those with the most first; nothing of any other attribute."""
    if question.categories is None:
        return {}
    tested = question.categories.filter(pl.Series(question.test)).drop_nulls()
    most = tested.value_counts(sort=True).sort("count", tested.name, descending=[True, False])[tested.name]
    return {
        f"{question.attribute}={value}": question.test & _equal(question.categories, value)
        for value in most[:MOST_GROUPS]
    }


def search(question: Question) -> Search:
    """Return the groups made by the other columns, at most ``MOST_GROUPS``.

    Every column gives its values alone (where it is not asked about itself: then they are groups of a question
    of their own) and crossed with the attribute. Columns come in the order of the table; one whose groups do
    not fit any more is left out as a whole.
    """
    groups: dict[str, Bools] = {}
    left_out: dict[str, str] = {}
    own = _own_columns(question, [question.attribute])
    for name, column in question.context.columns.items():
        if name in own:
            continue
        known = column.filter(pl.Series(question.test)).drop_nulls().unique().sort()
        reason = _unfit(known)
        found = {} if reason else _groups_of(question, name, column, known)
        if not reason and len(groups) + len(found) > MOST_GROUPS:
            reason = f"its {len(found)} groups would make more than the {MOST_GROUPS} that are searched"
        if reason:
            left_out[name] = reason
        else:
            groups.update(found)
    return Search(groups=groups, left_out=left_out)


def _unfit(known: pl.Series) -> str | None:
    """Return why a column makes no groups, None if it does."""
    if len(known) < 2:
        return "it has fewer than two values in the test rows"
    if len(known) > MOST_VALUES:
        return f"it has {len(known)} values, more than {MOST_VALUES}; give it in bands"
    return None


def _groups_of(question: Question, name: str, column: pl.Series, known: pl.Series) -> dict[str, Bools]:
    named = {
        f"{name}={value if isinstance(value, str) else format(value, 'g')}": question.test & _equal(column, value)
        for value in known
    }
    asked = _own_columns(question, question.limits.spurious)
    crossed = {
        f"{whose},{group}": rows & inside
        for whose, rows in attribute_groups(question).items()
        for group, inside in named.items()
    }
    return crossed if name in asked else {**named, **crossed}


def _own_columns(question: Question, attributes: Iterable[str]) -> set[str]:
    """Return the columns behind attributes as they were asked for."""
    known = question.context.columns
    terms = [term for attribute in attributes for term in composite_terms(attribute, known)]
    return {term if term in known else term.partition("=")[0] for term in terms}


def _equal(column: pl.Series, value: str | float) -> Bools:
    same: Bools = (column == value).fill_null(value=False).to_numpy()
    return same
