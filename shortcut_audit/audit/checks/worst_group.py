"""In which group does the model rank worst?"""

from __future__ import annotations

from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.statistics.simultaneous import Joint, joint_estimates
from shortcut_audit.audit.table.question import Question
from shortcut_audit.audit.table.subgroups import Groups, attribute_groups, group_auroc, search


@CHECKS.register("worst_group")
def worst_group(question: Question) -> Findings:
    """In which group does the model rank worst?

    ``worst_group_auroc`` is the lowest AUROC within the values of the attribute and, where the table has other
    columns of few values, within these and their crossings with the attribute. Intervals hold for all groups of
    a search at once. It describes and decides nothing.
    """
    own, name = attribute_groups(question), f"groups:{question.attribute}"
    # A category that is blank in every test row has no value to group by.
    nobody = question.undefined(f"no test image has a known {question.attribute}")
    lowest = _joint(question, own).lowest if own else nobody.estimate(question.limits.confidence)
    metrics = [question.record("worst_group_auroc", lowest, name)]
    if question.role == "control":
        return Findings(metrics=tuple(metrics))
    found = search(question)
    if found.groups:
        searched = _joint(question, found.groups)
        metrics.append(question.record("worst_group_auroc", searched.lowest, "groups:searched"))
        metrics += [question.record("subgroup_auroc", one, f"subgroup:{name}") for name, one in searched.groups.items()]
    metrics += [
        question.metric("subgroup_auroc", question.undefined(f"not searched: {reason}"), f"subgroup:{name}")
        for name, reason in found.left_out.items()
    ]
    return Findings(metrics=tuple(metrics))


def _joint(question: Question, groups: Groups) -> Joint:
    contrasts = {name: group_auroc(question, name, rows) for name, rows in groups.items()}
    return joint_estimates(contrasts, question.limits.confidence)
