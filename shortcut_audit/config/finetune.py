"""How ways of fine-tuning are compared."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from shortcut_audit.config.section import Section

ArmName = Literal["full", "frozen", "adapters", "encoder", "scratch"]
ARMS: tuple[ArmName, ...] = ("full", "frozen", "adapters", "encoder", "scratch")


class FinetuneConfig(Section):
    """Which arms learn from how many drawn masks, and for how long.

    Without ``arms`` a pre-trained segmenter is fine-tuned once, beside one from scratch. ``fractions`` are of
    the patients with drawn masks. Each arm takes the one of ``learning_rates`` whose validation Dice is best at
    ``tune_fraction`` with the first seed. At ``same_compute_fraction`` the arm from scratch is trained once
    more, for the steps of pre-training and fine-tuning together (null: not; nor is it where no other arm has that
    fraction). ``adapter_width`` is the width of an adapter's bottleneck as a share of the channels it adapts.
    """

    arms: list[ArmName] = []
    fractions: list[float] = [0.01, 0.05, 0.1, 0.25, 1.0]
    seeds: list[int] = [0]
    learning_rates: list[float] = [5e-4, 2e-3, 8e-3]
    tune_fraction: float = Field(default=0.25, gt=0, le=1)
    same_compute_fraction: float | None = Field(default=0.1, gt=0, le=1)
    steps: int = Field(default=200, ge=1)
    check_every: int = Field(default=20, ge=1)
    adapter_width: float = Field(default=0.25, gt=0, le=1)
    dice_levels: list[float] = [0.5, 0.7, 0.9]
    keep_weights: bool = False

    @field_validator("arms", "fractions", "seeds", "learning_rates", "dice_levels")
    @classmethod
    def _no_value_twice(cls, values: list[float]) -> list[float]:
        if len(set(values)) < len(values):
            raise ValueError("a value stands here twice")
        return values

    @field_validator("fractions", "seeds", "learning_rates")
    @classmethod
    def _at_least_one(cls, values: list[float]) -> list[float]:
        if not values:
            raise ValueError("at least one value is needed")
        return values

    @field_validator("fractions", "dice_levels")
    @classmethod
    def _shares(cls, values: list[float]) -> list[float]:
        if not all(0 < value <= 1 for value in values):
            raise ValueError("values lie above 0 and up to 1 (5 % is 0.05)")
        return values

    @field_validator("learning_rates")
    @classmethod
    def _positive(cls, values: list[float]) -> list[float]:
        if not all(value > 0 for value in values):
            raise ValueError("learning rates lie above 0")
        return values

    @model_validator(mode="after")
    def _whole_checks(self) -> FinetuneConfig:
        if self.steps % self.check_every:
            raise ValueError(f"steps must be a multiple of check_every, which is {self.check_every}")
        return self
