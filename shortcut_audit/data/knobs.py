"""Knobs of the synthetic sets (``dataset.options``): read, and refused in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from shortcut_audit.config import DatasetConfig
from shortcut_audit.errors import UsageError, did_you_mean

Options = TypeVar("Options", bound=BaseModel)
BOUNDS = {
    "minimum": "of at least {:g}", "exclusiveMinimum": "above {:g}",
    "maximum": "and at most {:g}", "exclusiveMaximum": "and below {:g}",
}  # fmt: skip
"""What JSON Schema calls them, and words for them."""


def options_of(model: type[Options], config: DatasetConfig) -> Options:
    """Return ``dataset.options`` as typed knobs.

    Raises:
        UsageError: an unknown key or an impossible value, named.
    """
    try:
        return model.model_validate(config.options)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])
        start = f"dataset.options.{key}:"
        if key not in model.model_fields:
            raise UsageError(
                f"{start} the data set '{config.name}' has no such option{did_you_mean(key, model.model_fields)}; "
                f"it has: {', '.join(model.model_fields)}"
            ) from error
        if first["type"] == "value_error":  # one of ours, in words already
            raise UsageError(f"{start} {first['ctx']['error']}") from error
        raise UsageError(f"{start} '{config.options[key]}' is not {expected(model)[key]}") from error


def expected(model: type[BaseModel]) -> dict[str, str]:
    """Return what each knob takes, in words: its description, else the kind of number with its bounds."""
    return {key: _in_words(schema) for key, schema in model.model_json_schema()["properties"].items()}


def _in_words(schema: Mapping[str, Any]) -> str:
    if "description" in schema:
        return str(schema["description"])
    kind = "a whole number" if schema["type"] == "integer" else "a number"
    return " ".join([kind, *(words.format(schema[name]) for name, words in BOUNDS.items() if name in schema)])
