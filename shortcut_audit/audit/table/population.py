"""The place of use: how common the finding is there, and the attribute with and without it."""

from __future__ import annotations

import numpy as np

from shortcut_audit.audit.result.setting import Population
from shortcut_audit.audit.table.question import Question
from shortcut_audit.audit.table.scores import ScoresTable
from shortcut_audit.config import EvaluateConfig
from shortcut_audit.errors import UsageError
from shortcut_audit.shapes import Bools


def population(question: Question) -> Population:
    """Return the place of use: what the user named, and the rest as in the (weighted) test rows.

    The attribute's shares are counted where it is known, by its own values.
    """
    limits, known = question.limits, question.test & ~np.isnan(question.values)
    present = question.values == 1
    asked = {
        "prevalence": limits.prevalence,
        "given_finding": limits.attribute_rates.given_finding,
        "given_none": limits.attribute_rates.given_none,
    }
    own = {
        "prevalence": _share(question, question.test, question.label),
        "given_finding": _share(question, known & question.label, present),
        "given_none": _share(question, known & ~question.label, present),
    }
    return Population(
        model=question.model, finding=question.finding, attribute=question.attribute,
        named=tuple(name for name, value in asked.items() if value is not None),  # type: ignore[misc]
        **{name: own[name] if value is None else value for name, value in asked.items()},
    )  # fmt: skip


def refuse_rates_of_several(table: ScoresTable, settings: EvaluateConfig) -> None:
    """Refuse one prevalence for several findings, and rates of one attribute for several.

    Raises:
        UsageError: the rates would be taken for something they are not about.
    """
    findings = table.values("finding")
    if settings.prevalence is not None and len(findings) > 1:
        raise UsageError(
            f"evaluate.prevalence is {settings.prevalence:g}, but the table has {len(findings)} findings "
            f"({', '.join(findings[:5])}); audit one finding at a time, or leave it out"
        )
    rates, asked = settings.attribute_rates, dict.fromkeys(settings.spurious)
    if len(asked) > 1 and (rates.given_finding, rates.given_none) != (None, None):
        raise UsageError(
            f"evaluate.attribute_rates says how common one attribute is, but {len(asked)} are asked for "
            f"({', '.join(list(asked)[:5])}); ask for one at a time, or leave it out"
        )


def _share(question: Question, among: Bools, of: Bools) -> float | None:
    weights = question.sampling.weights
    return float(weights[among & of].sum() / weights[among].sum()) if among.any() else None
