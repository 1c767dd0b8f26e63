"""The text of ``evaluate.operating_point``: how the threshold is chosen above which an image is flagged."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator

EXPECTED = (
    "expected 'youden', 'sensitivity=S' or 'specificity=S' with S above 0 and up to 1 (as in sensitivity=0.9), "
    "or the threshold itself as a number (as in 0.5)"
)


@dataclass(frozen=True, kw_only=True)
class ThresholdRule:
    """How a threshold is chosen; ``value`` is the sensitivity or specificity to reach, or the threshold itself."""

    kind: Literal["youden", "sensitivity", "specificity", "fixed"]
    value: float | None = None


def parse_threshold_rule(text: str) -> ThresholdRule:
    """Read ``youden``, ``sensitivity=0.9``, ``specificity=0.95`` or a number.

    Raises:
        ValueError: the text is none of these.
    """
    words = text.strip()
    if words == "youden":
        return ThresholdRule(kind="youden")
    name, equals, number = (part.strip() for part in words.partition("="))
    if not equals:
        return ThresholdRule(kind="fixed", value=_finite(words))
    value = _finite(number)
    if name not in {"sensitivity", "specificity"} or not 0 < value <= 1:
        raise ValueError(EXPECTED)
    return ThresholdRule(kind="sensitivity" if name == "sensitivity" else "specificity", value=value)


def _finite(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(EXPECTED) from None
    if not math.isfinite(value):
        raise ValueError(EXPECTED)
    return value


def _as_text(value: Any) -> Any:
    """Let YAML's number 0.5 stand for the text '0.5'; anything else is left for the next check."""
    return repr(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _checked(text: str) -> str:
    parse_threshold_rule(text)
    return text


OperatingPointText = Annotated[str, BeforeValidator(_as_text), AfterValidator(_checked)]
"""A text that :func:`parse_threshold_rule` reads; a plain number becomes one."""
