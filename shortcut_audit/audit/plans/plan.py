"""The plan of an audit: questions, limits, operating point and test ids, fixed before the results are seen.

A plan is YAML for people. Its section ``evaluate`` has the keys of the configuration; ``limits`` are verdicts
of their own (:mod:`shortcut_audit.audit.plans.limits`). The test ids are one SHA-256 over all of them, and 32 bits
of a salted hash of each, in the order of the ids: enough to name an id that was changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

from shortcut_audit.audit.plans.limits import MetricLimit
from shortcut_audit.audit.table.scores import ScoresTable
from shortcut_audit.config import EvaluateConfig, read_checked
from shortcut_audit.data.manifest import Pairs, TestDesign
from shortcut_audit.errors import InputError
from shortcut_audit.provenance import fingerprint

PICTURES = frozenset({"saliency_images", "gallery"})
"""Keys of ``evaluate`` that change what is shown and no verdict."""
MAX_BYTES = 50_000_000
DIGEST_LENGTH = 8
PER_LINE = 12


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlannedData(_Part):
    """How the test rows came about."""

    pairs: Pairs
    test_design: TestDesign


class PlannedIds(_Part):
    """The test ids by hash.

    ``rows`` counts the test rows of a table (models x findings x images); None where the plan was made of
    images or before there were scores. ``digests`` may be taken out: changed ids are then only counted.
    """

    images: int
    rows: int | None = None
    sha256: str
    digests: str = ""


class Plan(_Part):
    """A plan file, checked. ``models`` is None where any model may be audited by it."""

    plan: Literal[1]
    frozen: str = ""
    version: str = ""
    intended_use: str = ""
    evaluate: EvaluateConfig
    dataset: PlannedData
    findings: tuple[str, ...]
    models: tuple[str, ...] | None = None
    limits: tuple[MetricLimit, ...] = ()
    test_ids: PlannedIds

    def settings(self) -> dict[str, Any]:
        """Return what the plan says of the configuration, by dotted key."""
        evaluate = {
            f"evaluate.{name}": value
            for name, value in self.evaluate.model_dump(mode="json").items() if name not in PICTURES
        }  # fmt: skip
        return {**evaluate, **{f"dataset.{name}": value for name, value in self.dataset.model_dump().items()}}


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What an audit is about, besides its configuration: findings, models, test ids (sorted), test rows."""

    findings: tuple[str, ...]
    models: tuple[str, ...] | None
    ids: Sequence[str]
    rows: int | None


def scope_of_table(table: ScoresTable, *, scored: bool = True) -> Scope:
    """Return the scope of a table of scores; controls are left out.

    Args:
        table: the table.
        scored: False where it has no scores yet: any model may then be audited.

    Raises:
        InputError: there are no test rows.
    """
    rows = table.frame.filter(table.frame["role"] == "model")
    test = rows.filter(rows["split"] == "test")
    if not test.height:
        raise InputError("the table of scores has no rows with split = test; the audit looks at those alone")
    return Scope(
        findings=tuple(rows["finding"].unique(maintain_order=True)),
        models=tuple(rows["model"].unique(maintain_order=True)) if scored else None,
        ids=sorted(test["sample_id"].unique().to_list()),
        rows=test.height if scored else None,
    )


def plan_ids(scope: Scope) -> PlannedIds:
    """Return the test ids by hash: SHA-256 of their sorted list as JSON, and a digest of each."""
    sha256 = fingerprint(list(scope.ids))
    digests = [digest_of(name, sha256) for name in scope.ids]
    lines = [" ".join(digests[start : start + PER_LINE]) for start in range(0, len(digests), PER_LINE)]
    return PlannedIds(images=len(scope.ids), rows=scope.rows, sha256=sha256, digests="\n".join(lines))


def digest_of(name: str, salt: str) -> str:
    """Return 32 bits of the SHA-256 of an id after a salt, as hexadecimal digits."""
    return hashlib.sha256(f"{salt}:{name}".encode()).hexdigest()[:DIGEST_LENGTH]


def read_plan(path: Path) -> Plan:
    """Read a plan.

    Raises:
        UsageError: a file that cannot be read, an unknown key, a value of the wrong kind.
    """
    return read_checked(path, Plan, option="--plan", max_bytes=MAX_BYTES)


_HEAD = """\
# Plan of an audit, frozen before its results are looked at.
# 'audit evaluate --plan FILE' takes its values from here. Whatever else is asked ends with exit code 2 and is
# named; --allow-deviation REASON lets it pass, and the report says so on its first screen.
# Complete 'intended_use' and 'limits' now. Then keep the file where its date is known: every audit made by it
# prints its SHA-256.
"""
_LIMITS = """\
# Limits are verdicts of their own, on any number of the audit: FAIL where the whole interval misses the limit,
# PASS where it holds it, else INSUFFICIENT. 'model', 'finding' and 'attribute' may narrow one down. As in
# limits:
#   - {metric: auroc_pair, group: "pair:0:0", at_least: 0.8}
#   - {metric: auroc_gap, at_most: 0.1}
"""
_IDS = """\
# Which images are tested. 'digests' name an id that was changed; short ids can be guessed from them. Take that
# key out where the plan leaves the house: changed ids are then counted, not named.
"""
_MEANINGS = {
    "spurious": "attributes asked about",
    "summarizer": "how a mask becomes a score",
    "controls": "printed beside the models, without a verdict",
    "ask": "gap, reliance or both",
    "association": "its sign, where no training row tells it",
    "per": "one score per image, study or patient",
    "attribute_quality": "of the attribute's labels, where it is known",
    "confidence": "of every interval",
    "margin": "the largest gap or reliance that counts as none",
    "min_skill": "AUROC below which nothing can be said",
    "min_cell_patients": "fewer in a cell: the gap stays open",
    "min_pass_images": "fewer in a cell: no PASS",
    "operating_point": "how the threshold is chosen",
    "prevalence": "of the finding in the place of use",
    "attribute_rates": "of the attribute in the place of use",
}


def plan_text(plan: Plan) -> str:
    """Return a plan as commented YAML."""
    evaluate = {name: value for name, value in plan.evaluate.model_dump(mode="json").items() if name not in PICTURES}
    ids = plan.test_ids
    lines = [
        _HEAD,
        _line("plan", plan.plan, "format of this file"),
        _line("frozen", plan.frozen, "when"),
        _line("version", plan.version, "of shortcut-audit"),
        _line("intended_use", plan.intended_use, "what the model is for, in a sentence; shown in the report"),
        "\nevaluate:  # what is asked, with every limit a verdict hangs on; keys of the configuration\n",
        *(_line(f"  {name}", value, _MEANINGS.get(name)) for name, value in evaluate.items()),
        "\ndataset:\n",
        _line("  pairs", plan.dataset.pairs, "exact or edited, where images are scored in both states"),
        _line("  test_design", plan.dataset.test_design, "natural, balanced or reversed"),
        "\n",
        _line("findings", plan.findings, "what the labels are about"),
        _line("models", plan.models, "which are audited; null: any"),
        "\n",
        _LIMITS,
        _line("limits", [limit.model_dump(exclude_none=True) for limit in plan.limits], None),
        "\n",
        _IDS,
        "test_ids:\n",
        _line("  images", ids.images, None),
        _line("  rows", ids.rows, "models x findings x images; null: not counted"),
        _line("  sha256", ids.sha256, "of the sorted ids, as a JSON list"),
        "  digests: |-\n",
        *(f"    {line}\n" for line in ids.digests.splitlines()),
    ]
    return "".join(lines)


def _line(key: str, value: Any, comment: str | None) -> str:
    """Return one key with its value on one line, and a comment."""
    # PyYAML writes the line break NEL raw where Unicode is allowed, and reads it back as a blank.
    listed = yaml.safe_dump(
        [_plain(value)], default_flow_style=True, width=float("inf"), allow_unicode="\\x85" not in repr(value),
        sort_keys=False,
    )  # fmt: skip
    text = f"{key}: {listed.strip()[1:-1]}"
    return f"{text}  # {comment}\n" if comment else f"{text}\n"


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
