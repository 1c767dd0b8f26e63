"""The plan of an audit: questions, limits, operating point and test ids, fixed before the results are seen.

A plan is YAML for people. Its section ``evaluate`` has the keys of the configuration; ``limits`` are verdicts
of their own (:mod:`shortcut_audit.audit.plans.limits`). Test ids, labels and attributes are held by hash
(:mod:`shortcut_audit.audit.plans.images`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

from shortcut_audit.audit.plans.images import PlannedIds, PlannedValues
from shortcut_audit.audit.plans.limits import MetricLimit
from shortcut_audit.config import EvaluateConfig, read_checked
from shortcut_audit.data.manifest import Pairs, TestDesign

PICTURES = frozenset({"saliency_images", "gallery"})
"""Keys of ``evaluate`` that change what is shown and no verdict."""
MAX_BYTES = 50_000_000


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlannedData(_Part):
    """How the test rows came about."""

    pairs: Pairs
    test_design: TestDesign


class Plan(_Part):
    """A plan file, checked.

    ``models`` is None where any model may be audited by it. ``test_values`` is None in plans frozen before
    labels and attributes were held: such a plan stays in force, and the report says what it does not hold.
    """

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
    test_values: PlannedValues | None = None

    def settings(self) -> dict[str, Any]:
        """Return what the plan says of the configuration, by dotted key."""
        evaluate = {
            f"evaluate.{name}": value
            for name, value in self.evaluate.model_dump(mode="json").items() if name not in PICTURES
        }  # fmt: skip
        return {**evaluate, **{f"dataset.{name}": value for name, value in self.dataset.model_dump().items()}}


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
# Which images are tested, and their labels and attributes. 'digests' name an image that was changed; short ids, and
# with an id its label, can be guessed from them. Take both keys out where the plan leaves the house: a change is then
# seen, and not of which image.
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
        *_digests(ids.digests),
        *_values(plan.test_values),
    ]
    return "".join(lines)


def _values(values: PlannedValues | None) -> list[str]:
    if values is None:
        return []
    held = [_line("  sha256", values.sha256, "of the sorted pairs of id and value, as JSON")]
    return ["test_values:\n", *held, *_digests(values.digests)]


def _digests(text: str) -> list[str]:
    return ["  digests: |-\n", *(f"    {line}\n" for line in text.splitlines())]


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
