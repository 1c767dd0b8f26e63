"""Reading a configuration from files, ``--set`` pairs and named options, and laying one over another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from shortcut_audit.config.config import Config
from shortcut_audit.config.section import Origin
from shortcut_audit.errors import UsageError, did_you_mean

MAX_BYTES = 1_000_000


def load_config(
    files: Sequence[Path] = (),
    sets: Sequence[str] = (),
    named: Mapping[str, Any] | None = None,
) -> Config:
    """Merge defaults, files, ``--set`` pairs and named options into one checked configuration.

    Args:
        files: YAML files, later ones over earlier ones.
        sets: ``key.sub=value`` texts; the value is read as YAML.
        named: dotted keys of named options; None values are left out.

    Raises:
        UsageError: a file that cannot be read, an unknown key, a value of the wrong kind.
    """
    merged: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    sources: dict[str, str] = {}
    for path in files:
        tree = _read_yaml(path)
        _merge(merged, tree)
        for key in _flat(tree):
            origins[key], sources[key] = "config", str(path)
    assigned = [_parse_set(text) for text in sets]
    assigned += [(key, value) for key, value in (named or {}).items() if value is not None]
    for key, value in assigned:
        _assign(merged, key, value)
        for leaf in _flat({key: value}):
            origins[leaf], sources[leaf] = "command line", "the command line"
    try:
        config = Config.model_validate(merged)
    except ValidationError as error:
        raise UsageError(_explain(error, sources)) from error
    config._origins.update(origins)  # noqa: SLF001 (the constructor of this type)
    return config


def lay_over(base: Config, typed: Config) -> Config:
    """Return ``base`` with what was typed for ``typed`` (its files, ``--set`` and named options) laid over it.

    Another data set, or another table, replaces the whole ``dataset`` section, and typed classes replace all
    classes. What ``base`` does not share with the defaults counts as coming from its configuration.
    """
    tree = base.model_dump(mode="json")
    plain = _flat(Config().model_dump(mode="json"))
    origins: dict[str, Origin] = {key: "config" for key, value in _flat(tree).items() if plain.get(key) != value}
    typed_keys = typed._origins  # noqa: SLF001 (the constructor of this type)
    renamed = "dataset.name" in typed_keys and typed.dataset.name != base.dataset.name
    if renamed or "dataset.table.file" in typed_keys:
        tree["dataset"] = {}
    if typed.classes:
        tree["classes"] = {}
    values = _flat(typed.model_dump(mode="json"))
    for key, origin in typed_keys.items():
        if key in values:
            _assign(tree, key, values[key])
            origins[key] = origin
    laid = Config.model_validate(tree)
    laid._origins.update(origins)  # noqa: SLF001 (the constructor of this type)
    return laid


def _flat(tree: Mapping[str, Any], start: str = "") -> dict[str, Any]:
    """Return the leaves of a tree by dotted key; an empty mapping is a leaf."""
    leaves: dict[str, Any] = {}
    for key, value in tree.items():
        dotted = f"{start}{key}"
        leaves |= _flat(value, f"{dotted}.") if isinstance(value, Mapping) and value else {dotted: value}
    return leaves


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); name an existing file with --config") from error
    if len(raw) > MAX_BYTES:
        raise UsageError(f"{path}: {len(raw)} bytes; a configuration has at most {MAX_BYTES}")
    try:
        tree = yaml.safe_load(raw)
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: not readable as YAML: {error}") from error
    if not isinstance(tree, dict):
        raise UsageError(f"{path}: holds {type(tree).__name__}; expected keys and values such as 'seed: 0'")
    return tree


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
    first = error.errors()[0]
    dotted = ".".join(str(part) for part in first["loc"])
    origin = next((sources[key] for key in sources if key == dotted or key.startswith(dotted + ".")), None)
    where = f"{origin}: " if origin else ""
    if first["type"] == "extra_forbidden":
        section = _section_at(first["loc"][:-1])
        known = sorted(section.model_fields) if section else []
        guess = did_you_mean(str(first["loc"][-1]), known)
        return f"{where}unknown key '{dotted}'{guess}; known keys here: {', '.join(known)}"
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}'{dotted}' is {first['input']!r}: {message}" if dotted else f"{where}{message}"


def _section_at(location: Sequence[int | str]) -> type[BaseModel] | None:
    model: type[BaseModel] = Config
    for part in location:
        info = model.model_fields.get(str(part))
        candidates = (info.annotation, *get_args(info.annotation)) if info else ()
        nested = [c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)]
        if not nested:
            return None
        model = nested[0]
    return model
