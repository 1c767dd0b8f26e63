"""What is asked of the models, and every limit that a verdict hangs on."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from shortcut_audit.config.operating_point import OperatingPointText
from shortcut_audit.config.section import Section

Ask = Literal["gap", "reliance", "both"]
Per = Literal["image", "study", "patient"]
Share = Annotated[float, Field(gt=0, le=1)]


def _as_range(value: Any) -> Any:
    return (value, value) if isinstance(value, int | float) else value


Rate = Annotated[tuple[Share, Share], BeforeValidator(_as_range)]
"""A rate that is known to lie in a range; one number is a range without width."""


class AttributeQuality(Section):
    """Sensitivity and specificity of the labels of an attribute, each one number or the two ends of a range."""

    sensitivity: Rate
    specificity: Rate

    @field_validator("sensitivity", "specificity")
    @classmethod
    def _low_to_high(cls, value: tuple[float, float]) -> tuple[float, float]:
        if value[0] > value[1]:
            raise ValueError("a range goes from its lower to its upper end")
        return value


class AttributeRates(Section):
    """How common the attribute is where the model is to be used; None: as in the test set.

    ``given_finding`` is its share among patients with the finding, ``given_none`` among those without it.
    """

    given_finding: float | None = Field(default=None, ge=0, le=1)
    given_none: float | None = Field(default=None, ge=0, le=1)


class EvaluateConfig(Section):
    """What is asked of the models, and every limit that a verdict hangs on.

    Sources: ``docs/concepts.md``. ``margin`` is m of both questions. ``operating_point`` says how the
    threshold is chosen; ``prevalence`` and ``attribute_rates`` describe the place of use, None: the test set.
    """

    spurious: list[str] = []
    summarizer: str = "mean_probability"
    controls: list[str] = []
    ask: Ask = "both"
    association: Literal["positive", "negative"] | None = None
    per: Per = "image"
    attribute_quality: dict[str, AttributeQuality] = {}
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    margin: float = Field(default=0.05, gt=0, lt=0.5)
    min_skill: float = Field(default=0.60, ge=0.5, lt=1)
    min_cell_patients: int = Field(default=10, ge=2)
    min_pass_images: int = Field(default=30, ge=2)
    operating_point: OperatingPointText = "youden"
    prevalence: float | None = Field(default=None, gt=0, lt=1)
    attribute_rates: AttributeRates = AttributeRates()
    saliency_images: int = Field(default=200, ge=0)
    gallery: int = Field(default=24, ge=0, le=120)
