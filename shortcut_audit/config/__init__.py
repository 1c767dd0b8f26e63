"""The configuration of a run: one YAML file, complete, without inheritance.

Precedence: defaults, then ``--config FILE``, then ``--set key.sub=value``, then named options.
Unknown keys are refused with the nearest known one. ``Config.origin`` tells where a value came from.
"""

from shortcut_audit.config.config import Config
from shortcut_audit.config.data import (
    BlankPolicy,
    DatasetConfig,
    ImageConfig,
    TableColumns,
    TableConfig,
    UncertainPolicy,
)
from shortcut_audit.config.evaluate import Ask, EvaluateConfig
from shortcut_audit.config.load import MAX_BYTES, lay_over, load_config
from shortcut_audit.config.networks import ClassifierConfig, ExplainConfig, PseudoMaskConfig, SegmenterConfig
from shortcut_audit.config.section import Origin

__all__ = [
    "MAX_BYTES",
    "Ask",
    "BlankPolicy",
    "ClassifierConfig",
    "Config",
    "DatasetConfig",
    "EvaluateConfig",
    "ExplainConfig",
    "ImageConfig",
    "Origin",
    "PseudoMaskConfig",
    "SegmenterConfig",
    "TableColumns",
    "TableConfig",
    "UncertainPolicy",
    "lay_over",
    "load_config",
]
