"""What lint found: the contract of ``lint.json`` (format 1). It holds no ids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import model_validator

from shortcut_audit.audit.result.record import Finite, Record
from shortcut_audit.errors import BusyError
from shortcut_audit.provenance import Provenance, need_folder, write_json

FILE = "lint.json"
Said = Literal["given away", "trace", "not shown", "not known"]


class ClueRecord(Record):
    """One clue to one finding; where it is not known, ``value`` and all that follows from it are None."""

    finding: str
    probe: str
    clue: str
    said: Said
    value: Finite | None
    low: Finite | None
    high: Finite | None
    n: int
    n_pos: int
    n_neg: int
    n_patients: int
    method: str
    null_mean: Finite | None
    null_high: Finite | None
    permutations: int
    p: Finite | None
    q: Finite | None
    reason: str | None

    @model_validator(mode="after")
    def _number_or_reason(self) -> ClueRecord:
        if (self.value is None) == (self.reason is None):
            raise ValueError("a clue has a number, or a reason why it has none")
        return self


class NearRecord(Record):
    """Pairs of films in two splits that look alike; ``expected`` of the ``compared`` ones would by chance.

    Where no split has two patients, how many would is not known.
    """

    found: int
    compared: int
    expected: Finite | None
    expected_low: Finite | None
    expected_high: Finite | None


class Leakage(Record):
    """Images and patients looked at, and those that stand on both sides of a split."""

    n: int
    n_patients: int
    patients_in_several_splits: int
    copied_files: int
    copied_across_splits: int
    alike_across_splits: NearRecord

    @property
    def found(self) -> bool:
        """Whether a split is judged on what another one learnt from."""
        return self.patients_in_several_splits > 0 or self.copied_across_splits > 0


class LintResult(Record):
    """All of ``lint.json``."""

    lint: Literal[1] = 1
    dataset: str
    confidence: Finite
    margin: Finite
    notes: tuple[str, ...]
    leakage: Leakage
    clues: tuple[ClueRecord, ...]
    provenance: Provenance

    @property
    def given_away(self) -> tuple[ClueRecord, ...]:
        """Clues that tell a label."""
        return tuple(clue for clue in self.clues if clue.said == "given away")


def save_lint(result: LintResult, folder: Path) -> Path:
    """Write ``lint.json`` and return its path."""
    path = folder / FILE
    write_json(path, result.model_dump(mode="json"))
    return path


def refuse_other(folder: Path, manifest: str) -> None:
    """Refuse a folder that cannot be written to, or holds the ``lint.json`` of other data.

    Raises:
        BusyError: what is there is of another manifest, or is not ours.
        OutputError: it is a file, or read-only.
    """
    need_folder(folder)
    path = folder / FILE
    if not path.exists():
        return
    try:
        same = json.loads(path.read_text())["provenance"]["inputs"]["manifest"] == manifest
    except (OSError, ValueError, KeyError, TypeError):
        same = False
    if not same:
        raise BusyError(f"{path} is of other data; choose another folder with --out")
