"""The configuration of a run: one YAML file, complete, without inheritance.

Precedence: defaults, then ``--config FILE``, then ``--set key.sub=value``, then named options.
Unknown keys are refused with the nearest known one. ``Config.origins`` tells where a value came from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator, model_validator

from shortcut_audit.errors import UsageError, did_you_mean
from shortcut_audit.provenance import fingerprint

Origin = Literal["default", "config", "command line", "plan"]
UncertainPolicy = Literal["ignore", "ones", "zeros"]
BlankPolicy = Literal["negative", "ignore"]
Ask = Literal["gap", "reliance", "both"]
MAX_BYTES = 1_000_000


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TableColumns(_Section):
    """Which columns of a user's own table mean what; every name on the right is one of theirs."""

    image: str = "image"
    sample: str | None = None
    patient: str | None = None
    split: str | None = None
    labels: dict[str, str] = {}
    attributes: dict[str, str] = {}
    masks: dict[str, str] = {}
    footprints: dict[str, str] = {}
    counterparts: dict[str, str] = {}
    severity: dict[str, str] = {}
    covariates: dict[str, str] = {}


class TableConfig(_Section):
    """A user's own CSV. Without a ``separator``, the one most frequent in the header is taken.

    ``splits`` lists for train, val and test the values of the split column that mean it; rows with another
    value are left out. ``require_mask_in_train`` names a structure: training and validation rows without
    its mask are left out, so that every model learns from the same images.
    """

    file: str
    separator: Literal[",", ";", "\t", "|"] | None = None
    columns: TableColumns = TableColumns()
    splits: dict[Literal["train", "val", "test"], list[str]] = {}
    require_mask_in_train: str | None = None


class DatasetConfig(_Section):
    """Which data set, where it lies, and how its labels are read."""

    name: str = "synthetic_cxr"
    root: str | None = None
    title: str | None = None
    source: str = ""
    licence: str = ""
    test_design: Literal["natural", "balanced", "reversed"] | None = None
    pairs: Literal["exact", "edited"] | None = None
    attributes_file: str | None = None
    uncertain: UncertainPolicy = "ignore"
    blank: BlankPolicy = "negative"
    views: Literal["frontal", "all"] = "frontal"
    allow_shared_patients: bool = False
    table: TableConfig | None = None
    options: dict[str, Any] = {}


class ImageConfig(_Section):
    """Working size of the square image, in pixels, and its channels (1 grey, 3 RGB)."""

    size: int = Field(default=96, ge=32, le=2048, multiple_of=32)
    channels: Literal[1, 3] = 1


class ClassifierConfig(_Section):
    """Which network learns the findings from image labels, and how."""

    architecture: str = "resnet10t"
    weights: str = "none"
    findings: list[str] = []
    epochs: int = Field(default=10, ge=1)
    batch_size: int = Field(default=32, ge=2)
    learning_rate: float = Field(default=2e-3, gt=0)
    weight_decay: float = Field(default=1e-2, ge=0)
    checkpoint: Literal["best", "last"] = "best"
    flip: bool = True


class ExplainConfig(_Section):
    """How the classifier is explained.

    ``steps`` are Gauss-Legendre nodes; ``baseline`` names what a film is compared with, in pixel units.
    """

    method: str = "integrated_gradients"
    steps: int = Field(default=12, ge=2)
    baseline: list[Literal["black", "white", "mean", "blur"]] = ["blur", "mean"]
    batch_size: int = Field(default=32, ge=2)
    only: Literal["positives", "all"] = "positives"


class PseudoMaskConfig(_Section):
    """How an attribution becomes a mask.

    ``mass`` takes the smallest set of pixels that holds ``share`` of the positive smoothed attribution,
    ``quantile`` the positive pixels above the ``share`` quantile of the image (which fixes the area).
    ``smooth_px`` is the sigma of a Gaussian at working size; components under ``min_area_px`` go.
    """

    rule: Literal["mass", "quantile"] = "mass"
    share: float = Field(default=0.6, gt=0, lt=1)
    smooth_px: float = Field(default=1.5, ge=0)
    min_area_px: int = Field(default=8, ge=0)


class SegmenterConfig(_Section):
    """Which network learns from masks, and how.

    ``activation``: ``sigmoid`` where structures may overlap, ``softmax`` where the classes exclude each
    other (a background class is then added). ``background_weight`` weighs background pixels in
    pre-training on pseudo-masks (0.1 in PSSL, the nearest published recipe).
    """

    architecture: Literal["unet"] = "unet"
    encoder: str = "tu-resnet10t"
    decoder_channels: list[int] = [64, 32, 16, 16, 8]
    activation: Literal["sigmoid", "softmax"] = "sigmoid"
    pretrain_epochs: int = Field(default=5, ge=1)
    epochs: int = Field(default=6, ge=1)
    batch_size: int = Field(default=32, ge=2)
    learning_rate: float = Field(default=2e-3, gt=0)
    weight_decay: float = Field(default=1e-2, ge=0)
    positive_weight: float = Field(default=5.0, gt=0)
    background_weight: float = Field(default=0.1, gt=0)
    dice: bool = True
    checkpoint: Literal["best", "last"] = "best"
    flip: bool = True
    permuted_twin: bool = False


class EvaluateConfig(_Section):
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


class Config(_Section):
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

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the resolved configuration."""
        return fingerprint(self.model_dump(mode="json"))

    def origin(self, key: str) -> Origin:
        """Return where the value of a dotted key comes from."""
        return self._origins.get(key, "default")


def load_config(
    files: Sequence[Path] = (),
    sets: Sequence[str] = (),
    named: Mapping[str, Any] | None = None,
) -> Config:
    """Merge defaults, files, ``--set`` pairs and named options into one checked configuration.

    Args:
        files: YAML files, later ones over earlier ones.
        sets: ``key.sub=value`` texts; the value is read as YAML.
        named: dotted keys of named options; None values are left out.

    Raises:
        UsageError: a file that cannot be read, an unknown key, a value of the wrong kind.
    """
    merged: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    sources: dict[str, str] = {}
    for path in files:
        tree = _read_yaml(path)
        _merge(merged, tree)
        for key in _flat(tree):
            origins[key], sources[key] = "config", str(path)
    assigned = [_parse_set(text) for text in sets]
    assigned += [(key, value) for key, value in (named or {}).items() if value is not None]
    for key, value in assigned:
        _assign(merged, key, value)
        for leaf in _flat({key: value}):
            origins[leaf], sources[leaf] = "command line", "the command line"
    try:
        config = Config.model_validate(merged)
    except ValidationError as error:
        raise UsageError(_explain(error, sources)) from error
    config._origins.update(origins)  # noqa: SLF001 (the constructor of this type)
    return config


def lay_over(base: Config, typed: Config) -> Config:
    """Return ``base`` with what was typed for ``typed`` (its files, ``--set`` and named options) laid over it.

    Another data set, or another table, replaces the whole ``dataset`` section, and typed classes replace all
    classes. What ``base`` does not share with the defaults counts as coming from its configuration.
    """
    tree = base.model_dump(mode="json")
    plain = _flat(Config().model_dump(mode="json"))
    origins: dict[str, Origin] = {key: "config" for key, value in _flat(tree).items() if plain.get(key) != value}
    typed_keys = typed._origins  # noqa: SLF001 (the constructor of this type)
    renamed = "dataset.name" in typed_keys and typed.dataset.name != base.dataset.name
    if renamed or "dataset.table.file" in typed_keys:
        tree["dataset"] = {}
    if typed.classes:
        tree["classes"] = {}
    values = _flat(typed.model_dump(mode="json"))
    for key, origin in typed_keys.items():
        if key in values:
            _assign(tree, key, values[key])
            origins[key] = origin
    laid = Config.model_validate(tree)
    laid._origins.update(origins)  # noqa: SLF001 (the constructor of this type)
    return laid


def _flat(tree: Mapping[str, Any], start: str = "") -> dict[str, Any]:
    """Return the leaves of a tree by dotted key; an empty mapping is a leaf."""
    leaves: dict[str, Any] = {}
    for key, value in tree.items():
        dotted = f"{start}{key}"
        leaves |= _flat(value, f"{dotted}.") if isinstance(value, Mapping) and value else {dotted: value}
    return leaves


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); name an existing file with --config") from error
    if len(raw) > MAX_BYTES:
        raise UsageError(f"{path}: {len(raw)} bytes; a configuration has at most {MAX_BYTES}")
    try:
        tree = yaml.safe_load(raw)
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: not readable as YAML: {error}") from error
    if not isinstance(tree, dict):
        raise UsageError(f"{path}: holds {type(tree).__name__}; expected keys and values such as 'seed: 0'")
    return tree


def _merge(into: dict[str, Any], tree: Mapping[str, Any]) -> None:
    for key, value in tree.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value


def _parse_set(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"--set {text}: expected key.sub=value, as in --set classifier.epochs=5")
    try:
        return key.strip(), yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise UsageError(f"--set {text}: the value is not readable as YAML") from error


def _assign(tree: dict[str, Any], dotted: str, value: Any) -> None:
    *parents, last = dotted.split(".")
    for parent in parents:
        child = tree.setdefault(parent, {})
        if not isinstance(child, dict):
            raise UsageError(f"'{dotted}': '{parent}' is a value, not a section")
        tree = child
    tree[last] = value


def _explain(error: ValidationError, sources: Mapping[str, str]) -> str:
    """Turn the first pydantic error into one message that names file, key and what to do."""
    first = error.errors()[0]
    dotted = ".".join(str(part) for part in first["loc"])
    origin = next((sources[key] for key in sources if key == dotted or key.startswith(dotted + ".")), None)
    where = f"{origin}: " if origin else ""
    if first["type"] == "extra_forbidden":
        section = _section_at(first["loc"][:-1])
        known = sorted(section.model_fields) if section else []
        guess = did_you_mean(str(first["loc"][-1]), known)
        return f"{where}unknown key '{dotted}'{guess}; known keys here: {', '.join(known)}"
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}'{dotted}' is {first['input']!r}: {message}" if dotted else f"{where}{message}"


def _section_at(location: Sequence[int | str]) -> type[BaseModel] | None:
    model: type[BaseModel] = Config
    for part in location:
        info = model.model_fields.get(str(part))
        candidates = (info.annotation, *get_args(info.annotation)) if info else ()
        nested = [c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)]
        if not nested:
            return None
        model = nested[0]
    return model
