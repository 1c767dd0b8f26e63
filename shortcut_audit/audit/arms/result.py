"""Ways to fine-tune, compared: the contract of ``arms.json`` (schema 1) and of the file of each training."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from shortcut_audit.audit.result.record import Finite, Record
from shortcut_audit.errors import OutputError
from shortcut_audit.provenance import Provenance

LONG = "scratch_same_compute"
"""From scratch, for the steps of pre-training and fine-tuning together."""
NumberName = Literal[
    "dice",
    "iou",
    "painted_empty",
    "dice_less_scratch",
    "iou_less_scratch",
    "dice_less_same_compute",
    "iou_less_same_compute",
]


class CheckRecord(Record):
    """Steps taken, seconds of training until then, and the mean validation Dice."""

    step: int
    seconds: Finite
    dice: Finite | None


class Pixels(Record):
    """Of one class, counts of pixels of each test film: in both masks, predicted, drawn; None where none was drawn."""

    both: tuple[int, ...]
    predicted: tuple[int, ...]
    drawn: tuple[int | None, ...]


class Trained(Record):
    """What was trained on what: the films and patients it learnt from, and how many numbers of it learnt."""

    arm: str
    fraction: Finite
    seed: int
    learning_rate: Finite
    steps: int
    images: int
    patients: int
    learnt: int
    chosen: str


class Training(Trained):
    """One training: ``arms/NAME.json``. Test films stand in the order of the manifest."""

    checks: tuple[CheckRecord, ...]
    test: dict[str, Pixels]

    @property
    def best(self) -> float | None:
        """The best validation Dice."""
        return max((check.dice for check in self.checks if check.dice is not None), default=None)

    @property
    def seconds(self) -> float:
        """Seconds of training, validation left out."""
        return self.checks[-1].seconds


class ArmNumber(Record):
    """A number of one arm at one share of the labels, with its interval; the mean over seeds where several are."""

    arm: str
    structure: str
    fraction: Finite
    name: NumberName
    value: Finite | None
    low: Finite | None
    high: Finite | None
    confidence: Finite
    n: int
    n_patients: int
    left_out: int
    """Test films without a number: no mask was drawn, or (of an overlap) the drawn mask is empty."""
    seeds: tuple[int, ...]
    seed_sd: Finite | None
    method: str
    reason: str | None = None

    @model_validator(mode="after")
    def _value_or_reason(self) -> ArmNumber:
        if (self.value is None) == (self.reason is None):
            raise ValueError(f"number '{self.name}' must have either a value or a reason")
        return self


class Reach(Record):
    """When the validation Dice first reached a level; None with the reason where it did not."""

    arm: str
    fraction: Finite
    seed: int
    level: Finite
    step: int | None
    seconds: Finite | None
    reason: str | None


class Rate(Record):
    """A learning rate that was tried for an arm, its best validation Dice, and whether it was taken."""

    arm: str
    learning_rate: Finite
    dice: Finite | None
    taken: bool


class Learnt(Trained):
    """One training as the report lists it."""

    seconds: Finite
    best: Finite | None


class ArmsResult(Record):
    """All that the page and ``arms.json`` need."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    status: None = None
    title: str
    provenance: Provenance
    pretrained: str
    pretraining_steps: int | None
    test_images: int
    test_patients: int
    numbers: tuple[ArmNumber, ...]
    reaches: tuple[Reach, ...]
    rates: tuple[Rate, ...]
    trainings: tuple[Learnt, ...]
    notes: tuple[str, ...]

    model_config = Record.model_config | {"populate_by_name": True}


def read_training(path: Path) -> Training:
    """Read what one training left.

    Raises:
        OutputError: not ours, or altered.
    """
    try:
        return Training.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise OutputError(f"{path} is not what a training of an arm leaves; remove it and run again") from error
