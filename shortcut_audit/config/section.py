"""What all sections of a configuration share."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Origin = Literal["default", "config", "command line", "plan"]


class Section(BaseModel):
    """A part of a configuration: frozen, and without keys that nobody knows."""

    model_config = ConfigDict(extra="forbid", frozen=True)
