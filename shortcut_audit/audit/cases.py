"""Which films the gallery shows, and the list from case number to id that is not to be shared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Literal

import numpy as np

from shortcut_audit.audit.result.examples import Shift
from shortcut_audit.audit.table.operating_point import operating_point
from shortcut_audit.audit.table.question import Question
from shortcut_audit.provenance import PRIVATE, write_table
from shortcut_audit.shapes import Bools, Floats, Ints


@dataclass(frozen=True, kw_only=True)
class ChosenCase:
    """One film of the gallery; ``case`` is its number, ``sample_id`` stays in ``cases.csv``."""

    case: str
    sample_id: str
    finding: str
    attribute: str
    label: Literal[0, 1]
    value: str
    chosen_because: str
    shifts: tuple[Shift, ...]


def choose_cases(questions: Sequence[Question], *, count: int, seed: int = 0) -> list[ChosenCase]:
    """Choose films for the gallery, taking turns among the reasons for choosing them.

    Reasons: the first model's decision flips when the attribute is switched (largest change first); the
    attribute and the finding disagree and the score follows the attribute (most fooled); most confident
    and right; drawn at random with ``seed``.

    Args:
        questions: of one finding and one attribute, one a model; the first one chooses.
        count: films at most.
        seed: of the random draw.
    """
    lead = questions[0]
    limit = threshold(lead)
    lists = [[(row, reason) for row in rows] for reason, rows in _ranked(lead, limit, seed).items()]
    chosen: dict[int, str] = {}
    for turn in zip_longest(*lists):
        for row, reason in filter(None, turn):
            chosen.setdefault(row, reason)
    return [
        _case(questions, row, reason, number) for number, (row, reason) in enumerate(list(chosen.items())[:count], 1)
    ]


def threshold(question: Question) -> float:
    """Return the threshold of the operating point; where there is none, the median of the test scores.

    The median only sorts films for the gallery; no number rests on it.
    """
    chosen = operating_point(question).threshold
    if chosen is not None:
        return chosen
    return float(np.median(question.score[question.test])) if question.test.any() else 0.0


def _ranked(question: Question, limit: float, seed: int) -> dict[str, Ints]:
    known = question.test & ~np.isnan(question.values)
    signed = np.where(question.label, question.score, -question.score)
    disagree = question.label != (question.expected == 1)
    right = (question.score >= limit) == question.label
    change = _change(question)
    flips = _flips(question, limit) & question.test
    shuffled = np.random.default_rng(seed).permutation(np.flatnonzero(question.test))
    return {
        "decision flips when the attribute is switched": _first(flips, -np.abs(np.nan_to_num(change))),
        "most fooled: the attribute and the finding disagree": _first(known & disagree & ~right, signed),
        "most confident and right": _first(question.test & right, -np.abs(question.score - limit)),
        "drawn at random": shuffled,
    }


def _first(where: Bools, key: Floats) -> Ints:
    rows = np.flatnonzero(where)
    return rows[np.argsort(key[rows], kind="stable")]


def _change(question: Question) -> Floats:
    blank = np.full(len(question.score), np.nan)
    return question.states.get("score_with", blank) - question.states.get("score_without", blank)


def _flips(question: Question, limit: float) -> Bools:
    decided = [question.states.get(name) for name in ("score_with", "score_without")]
    if decided[0] is None or decided[1] is None:
        return np.zeros(len(question.score), dtype=bool)
    flips: Bools = ~np.isnan(_change(question)) & ((decided[0] >= limit) != (decided[1] >= limit))
    return flips


def _case(questions: Sequence[Question], row: int, reason: str, number: int) -> ChosenCase:
    lead = questions[0]
    sample = lead.samples[int(row)]
    value = lead.values[row]
    return ChosenCase(
        case=f"case {number:04d}", sample_id=sample, finding=lead.finding, attribute=lead.attribute,
        label=1 if lead.label[row] else 0, value="unknown" if np.isnan(value) else f"{value:g}", chosen_because=reason,
        shifts=tuple(_shifts(questions, sample)),
    )  # fmt: skip


def _shifts(questions: Sequence[Question], sample: str) -> Iterator[Shift]:
    for question in questions:
        found = (question.samples == sample).arg_true()
        change = _change(question)
        if not len(found) or np.isnan(change[found[0]]):
            continue
        row, limit = int(found[0]), threshold(question)
        on, off = (float(question.states[name][row]) for name in ("score_with", "score_without"))
        yield Shift(
            model=question.model, score_with=on, score_without=off, threshold=limit,
            flips=bool((on >= limit) != (off >= limit)),
        )  # fmt: skip


def write_cases(cases: Sequence[ChosenCase], path: Path, *, rereads: Sequence[tuple[str, str]] = ()) -> None:
    """Write ``cases.csv``, case number to sample id, with mode 0600.

    Args:
        cases: of the gallery.
        path: of the file.
        rereads: case number and sample id of those to read again.
    """
    rows = [*((case.case, case.sample_id) for case in cases), *rereads]
    write_table(path, ("case", "sample_id"), rows, mode=PRIVATE)
