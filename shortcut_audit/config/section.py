"""What all sections of a configuration share."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Origin = Literal["default", "config", "command line", "argument", "plan"]
"""Where a value comes from; an argument is one of a call from Python."""


class Section(BaseModel):
    """A part of a configuration: frozen, and without keys that nobody knows."""

    model_config = ConfigDict(extra="forbid", frozen=True)
