"""In which group does the model rank and decide worst?"""

from __future__ import annotations

from collections.abc import Iterator

from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.measures.subgroups import group_numbers
from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.statistics.simultaneous import joint_estimates
from shortcut_audit.audit.table.question import Question
from shortcut_audit.audit.table.subgroups import Groups, attribute_groups, search

OF_GROUPS = ("auroc", "sensitivity", "specificity")


@CHECKS.register("worst_group")
def worst_group(question: Question) -> Findings:
    """In which group does the model rank and decide worst?

    The lowest AUROC, sensitivity, specificity and accuracy of a cell within the values of the attribute and, where
    the table has other columns of few values, within these and their crossings with the attribute. Intervals hold
    for all groups of a search at once. It describes and decides nothing.
    """
    own, name = attribute_groups(question), f"groups:{question.attribute}"
    if not own:
        # A category that is blank in every test row has no value to group by.
        nobody = question.undefined(f"no test image has a known {question.attribute}")
        metrics = [question.metric(f"worst_group_{number}", nobody, name) for number in group_numbers(question, own)]
    else:
        metrics = list(_joint(question, own, name))
    if question.role == "control":
        return Findings(metrics=tuple(metrics))
    found = search(question)
    if found.groups:
        metrics += _joint(question, found.groups, "groups:searched")
    metrics += [
        question.metric(f"subgroup_{number}", question.undefined(f"not searched: {reason}"), f"subgroup:{name}")
        for name, reason in found.left_out.items()
        for number in OF_GROUPS
    ]
    return Findings(metrics=tuple(metrics))


def _joint(question: Question, groups: Groups, search: str) -> Iterator[Metric]:
    """Yield the lowest of each number, and the number of every group."""
    for number, contrasts in group_numbers(question, groups).items():
        found = joint_estimates(contrasts, question.limits.confidence)
        yield question.record(f"worst_group_{number}", found.lowest, search)
        if number in OF_GROUPS:
            for name, one in found.groups.items():
                yield question.record(f"subgroup_{number}", one, f"subgroup:{name}")
