"""Does a bootstrap of patients confirm the analytic intervals?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.measures.decisions import Numbers, changes, decisions
from shortcut_audit.audit.measures.resampled import resampled
from shortcut_audit.audit.measures.subgroups import ByGroup, group_numbers
from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.table.question import Question
from shortcut_audit.audit.table.subgroups import attribute_groups, search
from shortcut_audit.audit.versions.contrasts import aligned_auroc, robust_auroc
from shortcut_audit.shapes import Ints


@CHECKS.register("cross_check")
def cross_check(question: Question) -> Findings:
    """Does a bootstrap of patients confirm the analytic intervals?

    AUROC, robust AUROC, aligned AUROC and gap, decisions at the threshold and the worst groups once more, each
    with the percentile interval of a stratified patient bootstrap (1,000 replicates, fixed seed; strata: of the
    AUROC the classes, of a PPV none, of the others the cells). It shares nothing with the analytic interval but
    the scores. It decides nothing.
    """
    known = ~np.isnan(question.values)
    classes = np.where(question.test, question.label, -1)
    # Images in no cell are strata of their own: they count among the decisions and in searched groups.
    states = np.where(question.test, 2 * question.label + np.where(known, question.values == 1, 4), -1).astype(int)
    cells = np.where(known, states, -1)
    of_cells: Numbers = {
        ("robust_auroc", "robust"): robust_auroc(question),
        ("aligned_auroc", "aligned"): aligned_auroc(question),
        ("auroc_gap", "all"): question.gap(),
    }
    metrics = [*_numbers(question, classes, {("auroc", "all"): question.overall}), *_numbers(question, cells, of_cells)]
    if question.role == "model":
        shares = {**decisions(question), **changes(question)}
        # How many of the flagged are positives varies with the sizes of the classes, so these are no strata of a PPV.
        predictive = {key: shares.pop(key) for key in list(shares) if key[0] == "ppv"}
        metrics += _numbers(question, np.where(question.test, 0, -1), predictive)
        metrics += _numbers(question, states, shares)
        metrics += _worst(question, states, _searches(question))
    return Findings(metrics=tuple(metrics))


def _numbers(question: Question, strata: Ints, numbers: Numbers) -> Iterator[Metric]:
    drawn = resampled(question, strata, numbers.values())
    for (name, group), contrast in numbers.items():
        yield question.record(f"{name}_by_bootstrap", drawn.estimate(contrast), group)


def _searches(question: Question) -> dict[tuple[str, str], ByGroup]:
    """Return the groups that a lowest is sought over, by number and search."""
    searched = {f"groups:{question.attribute}": attribute_groups(question), "groups:searched": search(question).groups}
    return {
        (f"worst_group_{number}", where): by_group
        for where, groups in searched.items()
        if groups
        for number, by_group in group_numbers(question, groups).items()
    }


def _worst(question: Question, strata: Ints, searches: Mapping[tuple[str, str], ByGroup]) -> Iterator[Metric]:
    drawn = resampled(question, strata, [one for groups in searches.values() for one in groups.values()])
    for (name, where), groups in searches.items():
        yield question.record(f"{name}_by_bootstrap", drawn.lowest(groups), where)
