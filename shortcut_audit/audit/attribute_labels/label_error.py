"""What errors in the labels of an attribute do to the four A_ij, and how they are taken out again.

a is the attribute, a* its label, Se = P(a*=1 | a=1), Sp = P(a*=0 | a=0). Where the error does not depend on
the score given (y, a), the scores of a labelled cell are a mixture of those of the two true cells, with the
weights M_y[a*, a] = P(a | a*, y). An AUROC is linear in each of its two sides, so A* = M_1 A M_0' and

    A = M_1^-1 A* M_0^-T,    M_y^-1[a, a*] = C^-1[a, a*] P(a* | y) / P(a | y),    C[a*, a] = P(a* | a)

with P(a=1 | y) = (P(a*=1 | y) + Sp - 1) / (Se + Sp - 1) (Rogan and Gladen 1978). P(a* | y) is estimated on
the same rows; intervals hold that too, by the delta method.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from shortcut_audit.audit.statistics.estimate import Contrast
from shortcut_audit.audit.statistics.metrics import Part, patient_sums
from shortcut_audit.audit.table.question import Question
from shortcut_audit.audit.table.scores import ScoresTable
from shortcut_audit.audit.table.suggestion import is_suggestion
from shortcut_audit.config import EvaluateConfig
from shortcut_audit.errors import UsageError, did_you_mean
from shortcut_audit.shapes import Bools, Floats

SIGN = np.array([-1.0, 1.0])
"""How P(a*=0 | y) and P(a*=1 | y) move with the latter."""


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Sensitivity and specificity of an attribute's labels, the same among positives and negatives."""

    sensitivity: float
    specificity: float

    @property
    def youden(self) -> float:
        """Se + Sp - 1; at 0 and below the labels say nothing, or the opposite."""
        return self.sensitivity + self.specificity - 1

    @property
    def swapped(self) -> Quality:
        """The same of the attribute's absence."""
        return Quality(sensitivity=self.specificity, specificity=self.sensitivity)


def refuse_other_qualities(table: ScoresTable, settings: EvaluateConfig) -> None:
    """Raise UsageError where the quality of labels is given of what nobody asks about, or of a composite."""
    for name in settings.attribute_quality:
        if name not in settings.spurious:
            raise UsageError(
                f"evaluate.attribute_quality names '{name}'{did_you_mean(name, settings.spurious)}, which is not "
                f"asked about; asked for: {', '.join(settings.spurious)}"
            )
        if is_suggestion(name, table):
            raise UsageError(
                f"evaluate.attribute_quality names '{name}', which is asked by what it suggests and has no sensitivity "
                "and specificity of its own; take it out, or ask about an attribute of 0 and 1 or one value "
                "(NAME=VALUE) and give those of its labels"
            )


def unmixing(rate: float, quality: Quality) -> tuple[Floats, Floats]:
    """Return M^-1 (2, 2), rows a, columns a*, and its derivative by the labelled rate P(a*=1 | y).

    Args:
        rate: P(a*=1 | y), strictly between 1 - Sp and Se, or on them where they are 0 and 1.
        quality: with Se + Sp above 1.
    """
    se, sp, youden = quality.sensitivity, quality.specificity, quality.youden
    inverse = np.array([[se, se - 1], [sp - 1, sp]]) / youden
    labelled = np.array([1 - rate, rate])
    true = np.array([se - rate, rate + sp - 1]) / youden
    matrix = inverse * labelled / true[:, None]
    slope = inverse * (SIGN / true[:, None] - labelled * SIGN[:, None] / (youden * true[:, None] ** 2))
    return matrix, slope


@dataclass(frozen=True, kw_only=True, eq=False)
class _Side:
    """One class: M^-1 with its derivative, influence of the rate (P,), and what share of a cell's n is left (2,)."""

    matrix: Floats
    slope: Floats
    influence: Floats
    share: Floats


def corrected_pair(question: Question, i: int, j: int, quality: Quality) -> Contrast:
    """Return A_ij as it would be with perfect labels of the attribute, 1 for the value that suggests the finding.

    For a question that is no composite. Undefined where Se + Sp <= 1, where a labelled cell is empty, and where
    the labelled rate of a class does not lie clearly (by its interval) between 1 - Sp and Se: then the errors
    alone could have made one cell.
    """
    known = question.test & ~np.isnan(question.values)
    rows = known & question.label, known & ~question.label
    if question.association.sign == -1:
        quality = quality.swapped
    pairs = {(up, down): question.pair(up, down) for up in (0, 1) for down in (0, 1)}
    reason = _objection(quality) or next((pair.reason for pair in pairs.values() if pair.reason), None)
    sides = [] if reason else [_side(question, inside, quality) for inside in rows]
    reason = reason or next((side for side in sides if isinstance(side, str)), None)
    if reason:
        return Contrast(sampling=question.sampling, reason=reason, rows=rows)
    positives, negatives = (side for side in sides if isinstance(side, _Side))
    parts = {place: pair.parts[0][1] for place, pair in pairs.items()}
    part = _corrected(parts, positives, negatives, (i, j))
    return Contrast(sampling=question.sampling, parts=((1.0, part),), rows=rows)


def _objection(quality: Quality) -> str | None:
    if quality.youden <= 0:
        return (
            f"sensitivity {quality.sensitivity:g} and specificity {quality.specificity:g} sum to 1 or less: "
            "such labels say nothing about the attribute"
        )
    return None


def _side(question: Question, inside: Bools, quality: Quality) -> _Side | str:
    """Return what one class contributes, or why its rate does not fit the error rates."""
    rows, labelled = np.flatnonzero(inside), question.expected[inside]
    rate = float(np.average(labelled, weights=question.sampling.weights[rows]))
    influence, _ = patient_sums(labelled - rate, rows, question.sampling)
    reach = float(ndtri((1 + question.limits.confidence) / 2)) * float(np.sqrt(influence @ influence))
    least, most = 1 - quality.specificity, quality.sensitivity
    # At a limit of 0 or 1 there is no error that could make the cell by itself.
    if (least > 0 and rate - reach <= least) or (most < 1 and rate + reach >= most):
        who = "positives" if question.label[inside][0] else "negatives"
        return (
            f"among {who} the attribute's label {question.original(1)} has a share of {rate:.3f}, not clearly between "
            f"{least:.3g} and {most:.3g} as these error rates demand"
        )
    matrix, slope = unmixing(rate, quality)
    shares = np.array([1 - rate, rate])
    # Kish's effective size of signed weights, relative to the labelled cell alone.
    left = 1 / (shares * (matrix**2 / shares).sum(axis=1))
    return _Side(matrix=matrix, slope=slope, influence=influence, share=left)


def _corrected(parts: dict[tuple[int, int], Part], up: _Side, down: _Side, place: tuple[int, int]) -> Part:
    i, j = place
    value, influence = 0.0, np.zeros_like(up.influence)
    for (k, m), part in parts.items():
        value += up.matrix[i, k] * down.matrix[j, m] * part.value
        influence += up.matrix[i, k] * down.matrix[j, m] * part.influence
        influence += up.slope[i, k] * down.matrix[j, m] * part.value * up.influence
        influence += up.matrix[i, k] * down.slope[j, m] * part.value * down.influence
    left = float(min(up.share[i], down.share[j]))
    main = parts[i, j]
    return Part(
        # Chance can carry the solution of the equations outside what an AUROC can be.
        value=float(np.clip(value, 0, 1)),
        influence=influence,
        df=main.df * left,
        smaller=max(int(main.smaller * left), 1),
        unseen=main.unseen,
    )
