"""Whether an audit does what its plan says: every difference is named, and none passes in silence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shortcut_audit.audit.plans.departure import Departure
from shortcut_audit.audit.plans.images import Scope
from shortcut_audit.audit.plans.images_changed import changed_ids, changed_values
from shortcut_audit.audit.plans.plan import Plan, read_plan
from shortcut_audit.audit.result.judgement import Deviation, PlanRecord
from shortcut_audit.config import Config, lay_under
from shortcut_audit.errors import UsageError
from shortcut_audit.provenance import sha256_file


@dataclass(frozen=True, kw_only=True)
class PlanInForce:
    """A plan with the file it stands in, where the audit departs from it, and the reason given for that."""

    plan: Plan
    path: Path
    sha256: str
    reason: str | None
    departures: tuple[Departure, ...] = ()

    def checked(self, scope: Scope) -> PlanInForce:
        """Return the plan with the departures of findings, models and test images added.

        Raises:
            UsageError: there are departures and no reason was given; every one is named.
        """
        found = (*self.departures, *_departures_of(self.plan, scope))
        if found and self.reason is None:
            raise UsageError(
                f"{self.path}: this audit is not the one that was planned: {'; '.join(one.told for one in found)}. "
                "Ask what the plan says, or give a reason with --allow-deviation REASON (in Python: allow_deviation), "
                "which the report shows first"
            )
        return replace(self, departures=found)

    @property
    def record(self) -> PlanRecord:
        """What ``audit.json`` keeps of the plan."""
        return PlanRecord(
            file=self.path.name, sha256=self.sha256, frozen=self.plan.frozen, intended_use=self.plan.intended_use,
            deviations=tuple(one.record for one in self.departures),
            reason=self.reason if self.departures else None,
            holds_values=self.plan.test_values is not None,
        )  # fmt: skip

    @property
    def banners(self) -> tuple[str, ...]:
        """What the first screen says of departures; nothing where there are none."""
        if not self.departures:
            return ()
        said = "; ".join(f"{one.what}: {one.asked}, planned {one.planned}" for one in self.record.deviations)
        return (f"This audit deviates from its plan {self.path.name}. {said}. Reason given: {self.reason}",)


def follow_plan(config: Config, path: Path, reason: str | None) -> tuple[Config, PlanInForce]:
    """Read a plan and take its values where nothing else was asked for.

    Args:
        config: what was typed and configured.
        path: the plan.
        reason: why it may be departed from; None: it may not.

    Raises:
        UsageError: a plan that cannot be read, or a blank reason.
    """
    if reason is not None and not reason.strip():
        raise UsageError("--allow-deviation needs a reason in words; the report shows it on its first screen")
    plan = read_plan(path)
    planned = plan.settings()
    followed, differing = lay_under(config, planned)
    tree = config.model_dump(mode="json")
    departures = []
    for key in differing:
        section, name = key.split(".")
        asked, origin = tree[section][name], config.origin(key)
        record = Deviation(what=key, planned=_words(planned[key]), asked=_words(asked))
        told = f"'{key}' is {_words(asked)} ({_origin_words(origin)}), the plan says {_words(planned[key])}"
        departures.append(Departure(record=record, told=told))
    return followed, PlanInForce(
        plan=plan, path=path, sha256=sha256_file(path), reason=reason, departures=tuple(departures)
    )


def _origin_words(origin: str) -> str:
    return {"config": "configuration", "default": "one of its keys"}.get(origin, origin)


def _words(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(str(one) for one in value)}]"
    return "not set" if value is None else str(value)


def _departures_of(plan: Plan, scope: Scope) -> list[Departure]:
    found = [_of_names("findings", plan.findings, scope.findings)]
    if plan.models is not None and scope.models is not None:
        found.append(_of_names("models", plan.models, scope.models))
    found.append(changed_ids(plan.test_ids, scope))
    if plan.test_values is not None:
        found.append(changed_values(plan.test_values, plan.test_ids, scope))
    return [departure for departure in found if departure is not None]


def _of_names(what: str, planned: Sequence[str], asked: Sequence[str]) -> Departure | None:
    if set(planned) == set(asked):
        return None
    new = [f"'{name}' is not in the plan" for name in asked if name not in planned]
    gone = [f"'{name}' is planned and not here" for name in planned if name not in asked]
    record = Deviation(what=what, planned=_words(planned), asked=_words(asked))
    return Departure(record=record, told=f"{what}: {', '.join([*new, *gone])}")
