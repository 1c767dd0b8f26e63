"""Stage that rules on an audit by a policy."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from shortcut_audit.audit.plans.limits import refuse_unknown
from shortcut_audit.audit.plans.policy import Gate, Policy, apply_policy, read_policy
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.provenance import write_atomic
from shortcut_audit.report.machine import junit_of_gate
from shortcut_audit.report.vocabulary import METRICS

JUNIT = "policy.junit.xml"


def load_policy(path: Path) -> Policy:
    """Read a policy, whose limits must be on numbers that there are."""
    policy = read_policy(path)
    refuse_unknown(policy.limits, METRICS, where=str(path))
    return policy


def apply_gate(policy: Policy, path: Path, result: AuditResult, folder: Path) -> Gate:
    """Rule on an audit by a policy read from ``path``, and write ``policy.junit.xml`` into the audit's folder."""
    gate = apply_policy(policy, result, path=path, today=datetime.now(UTC).date())
    write_atomic(folder / JUNIT, junit_of_gate(result, gate))
    return gate
