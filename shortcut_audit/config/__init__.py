"""The configuration of a run: one YAML file, complete, without inheritance.

Precedence: defaults, then ``--config FILE``, then ``--set key.sub=value``, then named options.
Unknown keys are refused with the nearest known one. ``Config.origin`` tells where a value came from.
"""

from shortcut_audit.config.checked_yaml import MAX_BYTES, read_checked
from shortcut_audit.config.config import Config
from shortcut_audit.config.data import (
    BlankPolicy,
    DatasetConfig,
    ImageConfig,
    TableColumns,
    TableConfig,
    UncertainPolicy,
)
from shortcut_audit.config.evaluate import Ask, AttributeQuality, EvaluateConfig, Per
from shortcut_audit.config.load import lay_over, lay_under, load_config
from shortcut_audit.config.networks import ClassifierConfig, ExplainConfig, PseudoMaskConfig, SegmenterConfig
from shortcut_audit.config.operating_point import ThresholdRule, parse_threshold_rule
from shortcut_audit.config.section import Origin

__all__ = [
    "MAX_BYTES",
    "Ask",
    "AttributeQuality",
    "BlankPolicy",
    "ClassifierConfig",
    "Config",
    "DatasetConfig",
    "EvaluateConfig",
    "ExplainConfig",
    "ImageConfig",
    "Origin",
    "Per",
    "PseudoMaskConfig",
    "SegmenterConfig",
    "TableColumns",
    "TableConfig",
    "ThresholdRule",
    "UncertainPolicy",
    "lay_over",
    "lay_under",
    "load_config",
    "parse_threshold_rule",
    "read_checked",
]
