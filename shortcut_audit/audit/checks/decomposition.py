"""What is the AUROC made of, and what would it be at a site with other rates of the attribute?"""

from __future__ import annotations

from typing import Literal

from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.measures.decomposition import CELLS, Decomposition
from shortcut_audit.audit.measures.paired import shortcut_inflation
from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.table.question import Question

RATES: dict[int, Literal["p(a|y=0)", "p(a|y=1)"]] = {0: "p(a|y=0)", 1: "p(a|y=1)"}


@CHECKS.register("decomposition")
def decomposition(question: Question) -> Findings:
    """What is the AUROC made of, and what would it be at another site?

    AUROC = sum of weight times A_ij, exactly. The inflation by the association is the AUROC less that at one
    rate of the attribute in both labels: once the rate of the negatives, once that of the positives; which of
    the two is in the field ``q``. The projection takes the scores to be independent of the site given label
    and attribute. All this describes and decides nothing.
    """
    parts = Decomposition(question=question)
    rates = [question.metric("attribute_rate", rate, f"label:{label}") for label, rate in parts.rates.items()]
    pairs = [
        question.metric(name, number, f"pair:{i}:{j}")
        for i, j in CELLS
        for name, number in (
            ("pair_weight", parts.weights[i, j]), ("pair_contribution", parts.contribution((i, j)))
        )
    ]  # fmt: skip
    inflations = [
        question.metric("association_inflation", parts.association_inflation(label)).model_copy(update={"q": q})
        for label, q in RATES.items()
    ]
    return Findings(
        metrics=(
            question.metric("auroc_known", parts.auroc), *rates, *pairs, *inflations, _at_training_rates(parts),
            question.metric("shortcut_inflation", shortcut_inflation(question)),
        ),
        curves=(parts.projection(),),
    )  # fmt: skip


def _at_training_rates(parts: Decomposition) -> Metric:
    question, rates = parts.question, parts.question.context.training
    if rates is not None:
        return question.metric("auroc_at_training_rates", parts.surface(*rates))
    missing = f"there are no training rows of both classes whose {question.attribute} is known"
    return question.metric("auroc_at_training_rates", question.undefined(missing))
