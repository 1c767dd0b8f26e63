"""Reading a configuration from files, ``--set`` pairs and named options, and laying one over another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from shortcut_audit.config.checked_yaml import dotted_place, explain, flat, read_yaml
from shortcut_audit.config.config import Config
from shortcut_audit.config.section import Origin
from shortcut_audit.errors import UsageError

_OF_ONE_SET = ("root", "table", "options", "title", "source", "licence", "test_design", "pairs")
"""Keys of ``dataset`` that speak of one data set; the others (policies, rules, tables to join) hold for any."""


def load_config(
    files: Sequence[Path] = (),
    sets: Sequence[str] = (),
    named: Mapping[str, Any] | None = None,
    *,
    by: Origin = "command line",
) -> Config:
    """Merge defaults, files, ``--set`` pairs and named options into one checked configuration.

    Where pairs or options name another data set than the files do, what the files say of theirs (root, table,
    options, title, ...) is not taken over.

    Args:
        files: YAML files, later ones over earlier ones.
        sets: ``key.sub=value`` texts; the value is read as YAML.
        named: dotted keys of named options; None values are left out.
        by: where pairs and named options come from.

    Raises:
        UsageError: a file that cannot be read, an unknown key, a value of the wrong kind.
    """
    merged: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    sources: dict[str, str] = {}
    for path in files:
        tree = read_yaml(path, option="--config")
        _merge(merged, tree)
        for key in flat(tree):
            origins[key], sources[key] = "config", str(path)
    assigned = [_parse_set(text) for text in sets]
    assigned += [(key, value) for key, value in (named or {}).items() if value is not None]
    _leave_out(merged, origins, dict(assigned).get("dataset.name"))
    for key, value in assigned:
        _assign(merged, key, value)
        for leaf in flat({key: value}):
            origins[leaf], sources[leaf] = by, f"the {by}"
    try:
        config = Config.model_validate(merged)
    except ValidationError as error:
        raise UsageError(_explain(error, sources)) from error
    config._origins.update(origins)  # noqa: SLF001 (the constructor of this type)
    return config


def _leave_out(merged: dict[str, Any], origins: dict[str, Origin], name: str | None) -> None:
    """Leave out what belongs to the data set of the files, if ``name`` is another one."""
    section = merged.get("dataset")
    if name is None or not isinstance(section, dict) or section.get("name", name) == name:
        return
    for key in _OF_ONE_SET:
        section.pop(key, None)
        for leaf in [leaf for leaf in origins if f"{leaf}.".startswith(f"dataset.{key}.")]:
            del origins[leaf]


def lay_over(base: Config, typed: Config) -> Config:
    """Return ``base`` with what was typed for ``typed`` (its files, ``--set`` and named options) laid over it.

    Another data set, or another table, replaces the whole ``dataset`` section, and typed classes replace all
    classes. What ``base`` does not share with the defaults counts as coming from its configuration.
    """
    tree = base.model_dump(mode="json")
    plain = flat(Config().model_dump(mode="json"))
    origins: dict[str, Origin] = {key: "config" for key, value in flat(tree).items() if plain.get(key) != value}
    typed_keys = typed._origins  # noqa: SLF001 (the constructor of this type)
    renamed = "dataset.name" in typed_keys and typed.dataset.name != base.dataset.name
    if renamed or "dataset.table.file" in typed_keys:
        tree["dataset"] = {}
    if typed.classes:
        tree["classes"] = {}
    values = flat(typed.model_dump(mode="json"))
    for key, origin in typed_keys.items():
        if key in values:
            _assign(tree, key, values[key])
            origins[key] = origin
    laid = Config.model_validate(tree)
    laid._origins.update(origins)  # noqa: SLF001 (the constructor of this type)
    return laid


def lay_under(config: Config, planned: Mapping[str, Any]) -> tuple[Config, tuple[str, ...]]:
    """Return ``config`` with the values of a plan where nobody said otherwise, and the keys where somebody did.

    Args:
        config: what was typed and configured.
        planned: values by dotted key, a section being one value. Lists are compared whatever their order.
    """
    tree = config.model_dump(mode="json")
    said = config._origins  # noqa: SLF001 (the constructor of this type)
    origins = dict(said)
    differing = []
    for key, value in planned.items():
        if _unordered(_value_at(tree, key)) == _unordered(value):
            origins[key] = "plan"
        elif any(name == key or name.startswith(f"{key}.") for name in said):
            differing.append(key)
        else:
            _assign(tree, key, value)
            origins[key] = "plan"
    laid = Config.model_validate(tree)
    laid._origins.update(origins)  # noqa: SLF001 (the constructor of this type)
    return laid, tuple(differing)


def _value_at(tree: Mapping[str, Any], dotted: str) -> Any:
    value: Any = tree
    for part in dotted.split("."):
        value = value[part]
    return value


def _unordered(value: Any) -> Any:
    return sorted(value, key=str) if isinstance(value, list) else value


def _merge(into: dict[str, Any], tree: Mapping[str, Any]) -> None:
    for key, value in tree.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value


def _parse_set(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"--set {text}: expected key.sub=value, as in --set classifier.epochs=5")
    try:
        return key.strip(), yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise UsageError(f"--set {text}: the value is not readable as YAML") from error


def _assign(tree: dict[str, Any], dotted: str, value: Any) -> None:
    *parents, last = dotted.split(".")
    for parent in parents:
        child = tree.setdefault(parent, {})
        if not isinstance(child, dict):
            raise UsageError(f"'{dotted}': '{parent}' is a value, not a section")
        tree = child
    tree[last] = value


def _explain(error: ValidationError, sources: Mapping[str, str]) -> str:
    """Turn the first pydantic error into one message that names file, key and what to do."""
    dotted = dotted_place(error)
    origin = next((sources[key] for key in sources if key == dotted or key.startswith(dotted + ".")), None)
    return f"{origin}: {explain(error, Config)}" if origin else explain(error, Config)
