"""YAML files that people write, read into a checked type; what does not fit is told with file and key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from shortcut_audit.errors import UsageError, did_you_mean

MAX_BYTES = 1_000_000
Checked = TypeVar("Checked", bound=BaseModel)


def read_yaml(path: Path, *, option: str, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Read a YAML file of keys and values.

    Args:
        path: the file.
        option: how the file is named on the command line (``--config``), for messages.
        max_bytes: a larger file is refused.

    Raises:
        UsageError: a file that cannot be read, is too large, is not YAML or holds no keys.
    """
    what = option.removeprefix("--").replace("config", "configuration")
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); name an existing file with {option}") from error
    if len(raw) > max_bytes:
        raise UsageError(f"{path}: {len(raw)} bytes; a {what} has at most {max_bytes}")
    try:
        tree = yaml.safe_load(raw)
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: not readable as YAML: {error}") from error
    if not isinstance(tree, dict):
        raise UsageError(f"{path}: holds {type(tree).__name__}; expected keys and values such as 'seed: 0'")
    return tree


def read_checked(path: Path, kind: type[Checked], *, option: str, max_bytes: int = MAX_BYTES) -> Checked:
    """Read a YAML file into a checked type; errors as in :func:`read_yaml` and :func:`explain`."""
    tree = read_yaml(path, option=option, max_bytes=max_bytes)
    try:
        return kind.model_validate(tree)
    except ValidationError as error:
        raise UsageError(f"{path}: {explain(error, kind)}") from error


def explain(error: ValidationError, root: type[BaseModel]) -> str:
    """Return the first pydantic error in words that name the key and, for an unknown one, the nearest known."""
    first = error.errors()[0]
    dotted = dotted_place(error)
    if first["type"] == "extra_forbidden":
        section = _section_at(first["loc"][:-1], root)
        known = sorted(section.model_fields) if section else []
        guess = did_you_mean(str(first["loc"][-1]), known)
        return f"unknown key '{dotted}'{guess}; known keys here: {', '.join(known)}"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "missing":
        return f"there is no key '{dotted}', which is needed"
    return f"'{dotted}' is {first['input']!r}: {message}" if dotted else message


def dotted_place(error: ValidationError) -> str:
    """Return the key of the first pydantic error, with dots between its parts."""
    return ".".join(str(part) for part in error.errors()[0]["loc"])


def _section_at(location: Sequence[int | str], root: type[BaseModel]) -> type[BaseModel] | None:
    model = root
    for part in location:
        if isinstance(part, int):  # a place in a list, whose type has been entered already
            continue
        info = model.model_fields.get(part)
        candidates = (info.annotation, *get_args(info.annotation)) if info else ()
        nested = [c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)]
        if not nested:
            return None
        model = nested[0]
    return model


def flat(tree: Mapping[str, Any], start: str = "") -> dict[str, Any]:
    """Return the leaves of a tree by dotted key; an empty mapping is a leaf."""
    leaves: dict[str, Any] = {}
    for key, value in tree.items():
        dotted = f"{start}{key}"
        leaves |= flat(value, f"{dotted}.") if isinstance(value, Mapping) and value else {dotted: value}
    return leaves
