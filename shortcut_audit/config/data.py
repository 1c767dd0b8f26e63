"""Which images, and how their labels are read."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from shortcut_audit.config.section import Section

UncertainPolicy = Literal["ignore", "ones", "zeros", "multiclass"]
BlankPolicy = Literal["negative", "ignore"]


class TableColumns(Section):
    """Which columns of a user's own table mean what; every name on the right is one of theirs."""

    image: str = "image"
    sample: str | None = None
    patient: str | None = None
    split: str | None = None
    site: str | None = None
    view: str | None = None
    sex: str | None = None
    age: str | None = None
    labels: dict[str, str] = {}
    attributes: dict[str, str] = {}
    masks: dict[str, str] = {}
    footprints: dict[str, str] = {}
    counterparts: dict[str, str] = {}
    severity: dict[str, str] = {}
    covariates: dict[str, str] = {}


class TableConfig(Section):
    """A user's own table. Without a ``separator``, the one most frequent in the header of a CSV is taken.

    ``splits`` lists for train, val and test the values of the split column that mean it; rows with another
    value are left out. ``require_mask_in_train`` names a structure: training and validation rows without
    its mask are left out, so that every model learns from the same images.
    """

    file: str
    separator: Literal[",", ";", "\t", "|"] | None = None
    columns: TableColumns = TableColumns()
    splits: dict[Literal["train", "val", "test"], list[str]] = {}
    require_mask_in_train: str | None = None


class DatasetConfig(Section):
    """Which data set, where it lies, and how its labels are read.

    ``attributes`` makes attributes of what is there, by the rules of ``data/derive.py``.
    """

    name: str = "synthetic_cxr"
    root: str | None = None
    title: str | None = None
    source: str = ""
    licence: str = ""
    test_design: Literal["natural", "balanced", "reversed"] | None = None
    pairs: Literal["exact", "edited"] | None = None
    attributes_file: str | None = None
    attributes: dict[str, str] = {}
    uncertain: UncertainPolicy = "ignore"
    blank: BlankPolicy = "negative"
    views: Literal["frontal", "all"] = "frontal"
    allow_shared_patients: bool = False
    table: TableConfig | None = None
    options: dict[str, Any] = {}


class ImageConfig(Section):
    """Working size of the square image, in pixels, and its channels (1 grey, 3 RGB)."""

    size: int = Field(default=96, ge=32, le=2048, multiple_of=32)
    channels: Literal[1, 3] = 1
