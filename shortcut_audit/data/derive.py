"""Attributes made of what a data set already says: ``dataset.attributes`` in a config, name -> rule.

old: age >= 65                  1, 0; unknown where the age is not known
bedside: view = AP
ruler: attribute.ruler >= 0.5   a model's probability, cut
projection: view                as it is: a category, or a number
devices: label.support_devices  a finding as an attribute, -1 and blanks as dataset.uncertain and .blank say
marks: footprint.marks          1 where its mask has a pixel, 0 where it has none; unknown where nobody drew
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.decode import BadImageError
from shortcut_audit.data.drawn import read_drawn
from shortcut_audit.data.labels import apply_label_policy
from shortcut_audit.data.manifest import PLAIN, Manifest
from shortcut_audit.data.validate import typed_column
from shortcut_audit.errors import UsageError

_RULE = re.compile(r"(?P<source>[^\s=<>!]+)(?:\s*(?P<sign>>=|<=|!=|=|>|<)\s*(?P<value>.+))?")
_ORDER: Mapping[str, Callable[[pl.Series, float], pl.Series]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
_SOURCES = ("attribute", "label", "mask", "footprint")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What an attribute is made of; ``sign`` None takes the source as it is."""

    name: str
    source: str
    sign: str | None = None
    value: str = ""


def derive_attributes(manifest: Manifest, config: DatasetConfig) -> Manifest:
    """Return the manifest with one ``attribute.NAME`` for every rule of ``dataset.attributes``, and a note on each.

    Raises:
        UsageError: a text that is no rule, a source that is not there, an attribute that is there already.
    """
    for name, text in config.attributes.items():
        rule = parse_rule(name, text)
        if name in manifest.attributes and rule.source != f"attribute.{name}":
            raise UsageError(
                f"dataset.attributes.{name}: the data set '{manifest.card.name}' already has an attribute '{name}'; "
                "choose another name"
            )
        column = _compared(_source(manifest, rule, config), rule).alias(f"attribute.{name}")
        note = f"{name} is {text}; not known of {column.null_count()} of {len(manifest)} images"
        card = replace(manifest.card, notes=(*manifest.card.notes, note))
        manifest = replace(manifest, card=card, frame=manifest.frame.with_columns(column))
    return manifest


def parse_rule(name: str, text: str) -> Rule:
    """Read one rule.

    Raises:
        UsageError: the text is no rule.
    """
    match = _RULE.fullmatch(text.strip())
    if match is None:
        raise UsageError(
            f"dataset.attributes.{name}: '{text}' is no rule; write a source such as view or footprint.tube, "
            "or compare one, as in 'age >= 65'"
        )
    return Rule(name=name, source=match["source"], sign=match["sign"], value=(match["value"] or "").strip())


def _source(manifest: Manifest, rule: Rule, config: DatasetConfig) -> pl.Series:
    prefix, _, name = rule.source.partition(".")
    if rule.source in PLAIN and rule.source in manifest.frame.columns:
        return typed_column(manifest.frame[rule.source], "attribute", where=f"dataset.attributes.{rule.name}")
    if prefix not in _SOURCES or not name:
        have = [column for column in PLAIN if column in manifest.frame.columns]
        raise UsageError(
            f"dataset.attributes.{rule.name}: there is no '{rule.source}'; take one of "
            f"{', '.join([*have, *(f'{source}.NAME' for source in _SOURCES)])}"
        )
    column = manifest.require(prefix, name)
    if prefix == "attribute":
        return manifest.frame[column]
    if prefix == "label":
        labels = manifest.labels((name,))[:, 0]
        counted = apply_label_policy(labels, uncertain=config.uncertain, blank=config.blank)
        return pl.Series(counted).fill_nan(None)
    return _drawn(manifest, prefix, name)


def _drawn(manifest: Manifest, prefix: str, name: str) -> pl.Series:
    """Return 1 where a mask has a pixel, 0 where it has none; null where nobody drew, or it cannot be read."""
    found: list[float | None] = []
    for cell, image in zip(manifest.drawn(prefix, name), manifest.images(), strict=True):
        try:
            found.append(None if cell is None else float(read_drawn(cell, image=image).foreground.any()))
        except BadImageError:
            found.append(None)
    return pl.Series(found, dtype=pl.Float64)


def _compared(column: pl.Series, rule: Rule) -> pl.Series:
    if rule.sign is None:
        return column
    where = f"dataset.attributes.{rule.name}"
    if rule.sign in ("=", "!="):
        same = _equal(column, rule, where)
        return (same if rule.sign == "=" else ~same).cast(pl.Float64)
    if not column.dtype.is_numeric():
        raise UsageError(f"{where}: '{rule.source}' holds text; compare it with = or !=")
    return _ORDER[rule.sign](column, _number(rule, where)).cast(pl.Float64)


def _equal(column: pl.Series, rule: Rule, where: str) -> pl.Series:
    if column.dtype.is_numeric():
        return column == _number(rule, where)
    values = column.drop_nulls().unique().sort().to_list()
    if rule.value not in values:
        raise UsageError(f"{where}: no image has {rule.source} '{rule.value}'; there are: {', '.join(values[:10])}")
    return column == rule.value


def _number(rule: Rule, where: str) -> float:
    try:
        number = float(rule.value)
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise UsageError(f"{where}: '{rule.source}' holds numbers, and '{rule.value}' is none")
    return number
