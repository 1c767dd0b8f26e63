"""P and N on a scale of standard deviations: the shifts of two groups that would make the gap.

Binormal model of a reader that does not see the attribute. On some monotone scale of its score

    negatives without the attribute ~ N(0, 1)        negatives with it ~ N(y, 1)    (more suspicious)
    positives without the attribute ~ N(d, 1)        positives with it ~ N(d + x, 1)    (more severe)

so that A_ij = Phi((d + i x - j y) / sqrt 2). With q_ij = sqrt 2 Phi^-1(A_ij) = d + i x - j y:

    x = 1/2 [(q10 - q00) + (q11 - q01)]        y = 1/2 [(q00 - q01) + (q10 - q11)]

These are P and N (``checks/gap.py``) with A replaced by q, x + y = q10 - q01 is the gap on that scale, and
they are the least-squares solution where the four q do not fit the model exactly. The unit is one SD of
the score among patients of one kind. Severity goes with the score at a correlation of at most 1, so
positives have to differ in severity by x of its own SD at least.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from shortcut_audit.audit.statistics.estimate import Contrast, Estimate, Undefined
from shortcut_audit.audit.statistics.linearised import linearised
from shortcut_audit.audit.table.question import Question
from shortcut_audit.shapes import Floats

SEVERITY = {(1, 0): 0.5, (0, 0): -0.5, (1, 1): 0.5, (0, 1): -0.5}
SUSPICION = {(0, 0): 0.5, (0, 1): -0.5, (1, 0): 0.5, (1, 1): -0.5}
"""Coefficients of the q_ij in x and y."""


def shifts(question: Question) -> tuple[Estimate | Undefined, Estimate | Undefined]:
    """Return x and y, each of patients with the attribute less those without it.

    The attribute's own values count: where the training association is negative, x and y of the model above
    (in which 1 suggests the finding) change their sign.
    """
    return _shift(question, SEVERITY), _shift(question, SUSPICION)


def _shift(question: Question, coefficients: dict[tuple[int, int], float]) -> Estimate | Undefined:
    pairs = {key: question.pair(*key) for key in coefficients}
    whole = question.gap() + question.pair(1, 1) + question.pair(0, 0)
    outside = (_out_of_scale(question, key, pair) for key, pair in pairs.items())
    reason = whole.reason or next((said for said in outside if said), None)
    if reason is not None:
        return Undefined(reason=reason, tally=whole.tally)
    direction = -1 if question.association.sign == -1 else 1
    value, influence = 0.0, np.zeros(question.sampling.n_clusters)
    for key, coefficient in coefficients.items():
        place, moved = _on_probit(pairs[key])
        value += direction * coefficient * place
        influence += direction * coefficient * moved
    return linearised(
        value, influence, df=min(part.df for pair in pairs.values() for _, part in pair.parts), tally=whole.tally,
        sampling=question.sampling, confidence=question.limits.confidence,
    )  # fmt: skip


def _out_of_scale(question: Question, key: tuple[int, int], pair: Contrast) -> str | None:
    if 0 < pair.value < 1:
        return None
    i, j = (question.original(state) for state in key)
    return f"A{i}{j} is {pair.value:g}, which no finite shift explains"


def _on_probit(pair: Contrast) -> tuple[float, Floats]:
    """Return q = sqrt 2 Phi^-1(A) and its influence (P,)."""
    score = float(ndtri(pair.value))
    density = np.exp(-(score**2) / 2) / np.sqrt(2 * np.pi)
    return float(np.sqrt(2) * score), np.sqrt(2) / density * pair.influence
