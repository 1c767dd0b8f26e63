"""The numbers that models are compared in, by name: what each is, and which way is worse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from shortcut_audit.audit.measures.paired import interventional_gap
from shortcut_audit.audit.statistics.estimate import Contrast
from shortcut_audit.audit.table.question import Question


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number of a question.

    ``null`` is the value of "nothing to see", from which either way is worse; None where lower is worse.
    ``signed``: its cells change places where the training association is negative.
    """

    name: str
    group: str
    of: Callable[[Question], Contrast]
    null: float | None = None
    signed: bool = True


def robust_auroc(question: Question) -> Contrast:
    """Return A_01, positives without the attribute against negatives with it; undefined without a sign."""
    return question.signed(question.pair(0, 1))


def aligned_auroc(question: Question) -> Contrast:
    """Return A_10, positives with the attribute against negatives without it; undefined without a sign."""
    return question.signed(question.pair(1, 0))


def shift_in_class(question: Question, label: int) -> Contrast:
    """Return the AUROC of the score for the attribute (its own values) among test films of one label."""
    same = question.test & (question.label == bool(label))
    return question.between(
        same & (question.values == 1), same & (question.values == 0),
        f"the {'positives' if label else 'negatives'} do not have both values of {question.attribute}",
    )  # fmt: skip


def unlike_cells(number: Number, questions: Sequence[Question]) -> str | None:
    """Return why a number of several questions is not one of the same cells, None if it is."""
    turned = [question for question in questions if question.association.sign == -1]
    if not number.signed or len(turned) in {0, len(questions)}:
        return None
    straight = next(question for question in questions if question.association.sign != -1)
    said = (f"{one.model}: {one.association.source}" for one in (straight, turned[0]))
    return f"the training associations are not of one sign ({'; '.join(said)})"


AUROC = Number(name="auroc", group="all", of=lambda question: question.overall, signed=False)
ROBUST = Number(name="robust_auroc", group="robust", of=robust_auroc)
ALIGNED = Number(name="aligned_auroc", group="aligned", of=aligned_auroc)
GAP = Number(name="auroc_gap", group="all", of=lambda question: question.gap(), null=0.0)
INTERVENTIONAL = Number(name="interventional_gap", group="all", of=interventional_gap, null=0.0)
SHIFTS = tuple(
    Number(
        name="score_shift", group=f"label:{label}", of=partial(shift_in_class, label=label),
        null=0.5, signed=False,
    )
    for label in (0, 1)
)  # fmt: skip
