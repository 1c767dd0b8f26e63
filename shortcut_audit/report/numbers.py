"""How numbers are written: three decimals, a real minus sign, never a bare number without its n."""

from __future__ import annotations

from typing import Protocol

from markupsafe import Markup

from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.report.markup import tag

MINUS = "\u2212"
NBSP = "\u00a0"


class Estimated(Protocol):
    """What a metric and a comparison have in common: a value with its interval, or a reason."""

    @property
    def value(self) -> float | None:
        """The number."""

    @property
    def low(self) -> float | None:
        """Lower limit of the interval."""

    @property
    def high(self) -> float | None:
        """Upper limit of the interval."""

    @property
    def confidence(self) -> float:
        """Level of the interval, such as 0.95."""

    @property
    def reason(self) -> str | None:
        """Why there is no value."""


def number(value: float) -> str:
    """Return a number with 3 decimals, from 10 on with 4 significant digits, and U+2212 for minus."""
    size = abs(value)
    text = f"{round(value, 3) + 0.0:.3f}" if size < 10 else f"{value:.4g}" if size < 1000 else f"{value:,.0f}"
    return text.replace("-", MINUS)


def signed(value: float) -> str:
    """Return a difference with its sign."""
    text = number(value)
    return text if text.startswith(MINUS) or value == 0 else f"+{text}"


def count(value: int) -> str:
    """Return a count with commas between thousands."""
    return f"{value:,}"


def counted(value: int, one: str, many: str | None = None) -> str:
    """Return "1 image" or "3 images"."""
    return f"{count(value)} {one if value == 1 else many or one + 's'}"


def interval(estimate: Estimated) -> str:
    """Return "95 % CI a to b", with the sides that are known, or "no interval"."""
    level = f"{100 * estimate.confidence:g}{NBSP}% CI"
    low, high = estimate.low, estimate.high
    if low is not None and high is not None:
        return f"{level} {number(low)}{NBSP}to{NBSP}{number(high)}"
    if low is not None:
        return f"{level} from {number(low)}"
    return f"{level} up to {number(high)}" if high is not None else "no interval"


def missing(reason: str | None) -> str:
    """Return the words that stand where a number is not defined."""
    return f"not computed ({reason or 'not part of this audit'})"


def in_words(estimate: Estimated | None) -> str:
    """Return value and interval as text, or why there is none."""
    if estimate is None or estimate.value is None:
        return missing(estimate.reason if estimate else None)
    return f"{number(estimate.value)} ({interval(estimate)})"


def sample_size(metric: Metric) -> str:
    """Return the counts behind a metric, patients where they are not the images themselves."""
    return f"n{NBSP}{count(metric.n)} · {counted(metric.n_patients, 'patient')}"


def estimate(found: Estimated | None) -> Markup:
    """Return value and interval as a table cell's content, or why there is none."""
    if found is None or found.value is None:
        return tag("span", missing(found.reason if found else None), class_="missing")
    return tag("span", number(found.value), class_="value") + " " + tag("span", interval(found), class_="ci")
