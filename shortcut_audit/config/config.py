"""The whole configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import PrivateAttr, field_validator, model_validator

from shortcut_audit.config.data import DatasetConfig, ImageConfig
from shortcut_audit.config.evaluate import EvaluateConfig
from shortcut_audit.config.finetune import FinetuneConfig
from shortcut_audit.config.networks import ClassifierConfig, ExplainConfig, PseudoMaskConfig, SegmenterConfig
from shortcut_audit.config.section import Origin, Section


class Config(Section):
    """Everything that decides what a run computes."""

    name: str = "run"
    seed: int = 0
    dataset: DatasetConfig = DatasetConfig()
    image: ImageConfig = ImageConfig()
    classes: dict[str, str] = {}
    classifier: ClassifierConfig = ClassifierConfig()
    explain: ExplainConfig = ExplainConfig()
    pseudo_mask: PseudoMaskConfig = PseudoMaskConfig()
    segmenter: SegmenterConfig = SegmenterConfig()
    finetune: FinetuneConfig = FinetuneConfig()
    evaluate: EvaluateConfig = EvaluateConfig()

    _origins: dict[str, Origin] = PrivateAttr(default_factory=dict)

    @field_validator("classes", mode="before")
    @classmethod
    def _classes_are_text(cls, value: Any) -> Any:
        return {str(k): str(v) for k, v in value.items()} if isinstance(value, Mapping) else value

    @model_validator(mode="after")
    def _table_belongs_to_table(self) -> Config:
        if (self.dataset.name == "table") != (self.dataset.table is not None):
            raise ValueError("dataset.table goes with dataset.name: table, and the other way round")
        return self

    def origin(self, key: str) -> Origin:
        """Return where the value of a dotted key comes from."""
        return self._origins.get(key, "default")

    def origins(self, section: str) -> dict[str, Origin]:
        """Return where the value of each key of a section comes from."""
        return {name: self.origin(f"{section}.{name}") for name in type(getattr(self, section)).model_fields}
