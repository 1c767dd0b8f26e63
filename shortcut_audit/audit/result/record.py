"""What every record of ``audit.json`` shares: frozen, no unknown keys, no NaN."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Finite = Annotated[float, Field(allow_inf_nan=False)]


def need_one(of: str, *, known: bool, reason: str | None) -> None:
    """Raise ValueError unless there is either what was to be found or the reason why it is not known.

    Args:
        of: what it is, as in "metric 'auroc' must have either a value".
        known: whether it was found.
        reason: why not.
    """
    if known == (reason is not None):
        raise ValueError(f"{of} or a reason")


class Record(BaseModel):
    """A part of the audit result."""

    model_config = ConfigDict(frozen=True, extra="forbid")
