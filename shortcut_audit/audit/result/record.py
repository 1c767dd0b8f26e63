"""What every record of ``audit.json`` shares: frozen, no unknown keys, no NaN."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Finite = Annotated[float, Field(allow_inf_nan=False)]


class Record(BaseModel):
    """A part of the audit result."""

    model_config = ConfigDict(frozen=True, extra="forbid")
