"""Every audit takes its plan here, whether it is of a table, of a frame or of films."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shortcut_audit.audit.plans.deviations import PlanInForce, follow_plan
from shortcut_audit.audit.plans.limits import refuse_unknown
from shortcut_audit.config import Config
from shortcut_audit.report.vocabulary import METRICS


@dataclass(frozen=True, kw_only=True)
class ByPlan:
    """The plan that an audit is to keep to, and the reason why it may not."""

    path: Path
    reason: str | None


def take_plan(config: Config, by: ByPlan | None) -> tuple[Config, PlanInForce | None]:
    """Return the configuration with the plan's values under what was asked, and the plan.

    Raises:
        UsageError: a plan that cannot be read or sets a limit on a number that does not exist; a blank reason.
    """
    if by is None:
        return config, None
    config, plan = follow_plan(config, by.path, by.reason)
    refuse_unknown(plan.plan.limits, METRICS, where=str(by.path))
    return config, plan
