"""Stage that says how many patients a study needs: it reads no score and writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shortcut_audit.audit.plans.planning import POWER
from shortcut_audit.audit.plans.study_size import CELLS, EQUAL, Cell, Design, Need, needs_of, shares_of_rates
from shortcut_audit.audit.run import ask_questions
from shortcut_audit.audit.table.question import Question, Setting
from shortcut_audit.audit.table.scores import read_scores
from shortcut_audit.config import Config
from shortcut_audit.errors import InputError, UsageError, did_you_mean

RATES = ("prevalence", "given_finding", "given_none")
DEFAULTS = {"auroc": 0.8, "pair_correlation": 0.9}
RANGES = {
    "gap": (0.0, 0.5), "auroc": (0.5, 1.0), "pair_correlation": (-1.0, 1.0), **dict.fromkeys(RATES, (0.0, 1.0))
}  # fmt: skip
"""What ``--size-for`` may name, and between which values (ends not included) it lies."""


@dataclass(frozen=True, kw_only=True)
class StudySize:
    """Needs under one mix of cells: ``mix`` says which, ``shares`` of patients by (label, attribute)."""

    mix: str
    shares: Mapping[Cell, float]
    needs: tuple[Need, ...]


def parse_wishes(text: str) -> dict[str, float]:
    """Read ``gap=.05,auroc=.9``.

    Raises:
        UsageError: an unknown name, a value that is no number or lies outside its range.
    """
    wishes = {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or name not in RANGES:
            raise UsageError(
                f"--size-for: '{part.strip()}' is not understood{did_you_mean(name, RANGES)}; "
                f"expected NAME=NUMBER with commas between, NAME one of {', '.join(RANGES)}"
            )
        low, high = RANGES[name]
        try:
            wishes[name] = float(value)
        except ValueError:
            raise UsageError(f"--size-for: {name} is '{value}', which is not a number") from None
        if not low < wishes[name] < high:
            raise UsageError(f"--size-for: {name} is {value}; expected a number between {low:g} and {high:g}")
    return wishes


def size_study(config: Config, wishes: Mapping[str, float], scores: Path | None) -> tuple[Design, list[StudySize]]:
    """Return what is planned for, and what it takes with equal cells and at the rates that are known.

    Args:
        config: margin (unless ``gap`` is wished), confidence, images for a PASS, attributes, rates of use.
        wishes: of :func:`parse_wishes`.
        scores: a table whose labels and attributes tell the rates; None: the rates named, if any are.

    Raises:
        UsageError: rates named in part only, or named and counted at once.
        InputError: a cell that nobody is in.
    """
    limits = config.evaluate
    named = _named_rates(config, wishes)
    if scores is not None and named:
        raise UsageError("the rates are named, and --scores would count them; give one of the two")
    mixes = {"as many in every cell": EQUAL}
    rows = max(len(limits.spurious), 1)
    if named:
        mixes["at the rates named"] = shares_of_rates(*(named[name] for name in RATES))
    if scores is not None:
        questions = _questions(config, scores)
        mixes |= {f"at the rates of {scores.name}: {name}": shares for name, shares in _counted(questions).items()}
        rows = len(questions)
    design = Design(
        gap=wishes.get("gap", limits.margin), auroc=wishes.get("auroc", DEFAULTS["auroc"]),
        pair_correlation=wishes.get("pair_correlation", DEFAULTS["pair_correlation"]), confidence=limits.confidence,
        rows=rows, least=limits.min_pass_images,
    )  # fmt: skip
    return design, [
        StudySize(mix=mix, shares=shares, needs=tuple(needs_of(design, shares))) for mix, shares in mixes.items()
    ]


def assumptions(design: Design) -> list[str]:
    """Return what the numbers rest on, in words."""
    least = f"at least {design.least} in a cell for a PASS"
    return [
        f"AUROC {design.auroc:g} in every pair of cells; where there is a gap, the robust AUROC is lower by it",
        f"pair_correlation {design.pair_correlation:g} between an image's scores with and without it, within a label",
        f"confidence {design.confidence:g}, power {POWER:g}, {design.rows} asked at once (Holm)",
        f"one image a patient; {least}",
        "variance of Hanley and McNeil 1982: an order of magnitude, not a study plan",
    ]


def _named_rates(config: Config, wishes: Mapping[str, float]) -> dict[str, float]:
    limits = config.evaluate
    said = {
        "prevalence": limits.prevalence, "given_finding": limits.attribute_rates.given_finding,
        "given_none": limits.attribute_rates.given_none, **{name: wishes[name] for name in RATES if name in wishes},
    }  # fmt: skip
    named = {name: value for name, value in said.items() if value is not None}
    if named and len(named) < len(RATES):
        missing = ", ".join(name for name in RATES if name not in named)
        raise UsageError(
            f"--size-for: the rates need {missing} too: prevalence of the finding, share with the attribute among "
            "patients with the finding (given_finding) and without it (given_none)"
        )
    return named


def _questions(config: Config, scores: Path) -> list[Question]:
    table = read_scores(scores, scored=False)
    return [question for question in ask_questions(table, Setting.of_table(config)) if question.role == "model"]


def _counted(questions: list[Question]) -> dict[str, dict[Cell, float]]:
    """Return the share of each cell by finding and attribute; models share their images."""
    found = {}
    for question in questions:
        patients: dict[Cell, int] = {(cell.label, int(cell.value)): cell.patients for cell in question.cells}
        empty = [cell for cell in CELLS if not patients[cell]]
        if empty:
            name = question.cell_name(empty[0][0], question.original(empty[0][1]))
            raise InputError(
                f"the table has no {name} ({question.finding}): at its rates no number of patients would do; "
                "name the rates instead, as in prevalence=.2,given_finding=.7,given_none=.1"
            )
        total = sum(patients.values())
        name = f"{question.finding}, {question.attribute}"
        found[name] = {cell: count / total for cell, count in patients.items()}
    return found
