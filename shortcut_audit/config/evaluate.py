"""What is asked of the models, and every limit that a verdict hangs on."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shortcut_audit.config.section import Section

Ask = Literal["gap", "reliance", "both"]


class EvaluateConfig(Section):
    """What is asked of the models, and every limit that a verdict hangs on.

    Sources: ``docs/concepts.md``. ``margin`` is m of both questions.
    """

    spurious: list[str] = []
    summarizer: str = "mean_probability"
    controls: list[str] = []
    ask: Ask = "both"
    association: Literal["positive", "negative"] | None = None
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    margin: float = Field(default=0.05, gt=0, lt=0.5)
    min_skill: float = Field(default=0.60, ge=0.5, lt=1)
    min_cell_patients: int = Field(default=10, ge=2)
    min_pass_images: int = Field(default=30, ge=2)
    saliency_images: int = Field(default=200, ge=0)
    gallery: int = Field(default=24, ge=0, le=120)
