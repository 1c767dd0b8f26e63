"""The audit of a table of scores in memory, in three lines of Python: it writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import polars as pl

from shortcut_audit.audit.plans.images import scope_of_table
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.audit.run import LIMITS, audit_table
from shortcut_audit.audit.table.question import Setting
from shortcut_audit.audit.table.scores import ScoresTable, refuse_one_class
from shortcut_audit.config import Ask, load_config
from shortcut_audit.data.manifest import Pairs, TestDesign
from shortcut_audit.errors import UsageError, did_you_mean
from shortcut_audit.provenance import collect_provenance, sha256_bytes
from shortcut_audit.stages.by_plan import ByPlan, take_plan

KNOWN = (*LIMITS, "operating_point", "prevalence", "attribute_rates", "per", "attribute_quality")
"""What a caller may name beside the questions: limits, the model's use, the rows, the attribute's labels."""


def audit_scores(
    frame: Any,
    *,
    spurious: str | Sequence[str] | None = None,
    association: Literal["positive", "negative"] | None = None,
    ask: Ask | None = None,
    pairs: Pairs | None = None,
    test_design: TestDesign | None = None,
    plan: str | Path | None = None,
    allow_deviation: str | None = None,
    **limits: Any,
) -> AuditResult:
    """Audit a table of scores in memory.

    What is None is as the plan says, and without a plan as by default.

    Args:
        frame: a polars or pandas frame with the columns of a scores table (see ``audit/table/scores.py``).
        spurious: the attribute asked about, or several.
        association: its sign in training, where the table has no training rows.
        ask: which of the two questions; by default both.
        pairs: ``exact`` where ``score_with`` and ``score_without`` differ in nothing but the attribute; by
            default ``edited``.
        test_design: ``reversed`` where the associations of the test set were turned round on purpose; by
            default ``natural``.
        plan: file that ``audit evaluate --freeze`` wrote. Anything that is not as it says is refused.
        allow_deviation: why the plan may be departed from; the result then holds what was changed and this reason.
        **limits: any limit of ``evaluate`` in the config, such as ``margin=0.03``; also ``operating_point``,
            ``prevalence``, ``attribute_rates``, ``per`` and ``attribute_quality``.

    Raises:
        UsageError: a column, attribute or limit that is not there; something is not as planned.
        InputError: a value that must not be guessed at; one class only.
    """
    for name in limits:
        if name not in KNOWN:
            raise UsageError(f"there is no limit '{name}'{did_you_mean(name, KNOWN)}; there are: {', '.join(KNOWN)}")
    if allow_deviation is not None and plan is None:
        raise UsageError("allow_deviation goes with plan; without it there is nothing to depart from")
    asked = {
        "spurious": [spurious] if isinstance(spurious, str) else spurious and list(spurious),
        "association": association, "ask": ask, **limits,
    }  # fmt: skip
    said = {"dataset.pairs": pairs, "dataset.test_design": test_design}
    config = load_config(named={f"evaluate.{name}": value for name, value in asked.items()} | said, by="argument")
    config, in_force = take_plan(config, ByPlan(path=Path(plan), reason=allow_deviation) if plan else None)
    table = ScoresTable.from_frame(_as_polars(frame), where="the table of scores")
    refuse_one_class(table, where="the table of scores")
    in_force = in_force.checked(scope_of_table(table)) if in_force else None
    setting = Setting.of_table(config)
    rows = {"pairs": setting.pairs, "test_design": setting.test_design}
    inputs = {"scores": sha256_bytes(table.frame.write_csv().encode())}
    return audit_table(
        table, setting, dataset={"name": "table of scores", **rows}, plan=in_force,
        provenance=collect_provenance(
            command="audit_scores", config={"evaluate": config.evaluate.model_dump(mode="json"), "dataset": rows},
            seed=None, inputs=inputs | ({"plan": in_force.sha256} if in_force else {}),
        ),
    )  # fmt: skip


def _as_polars(frame: Any) -> pl.DataFrame:
    if isinstance(frame, pl.DataFrame):
        return frame
    # A pandas frame, without pyarrow: column by column, its several kinds of blank to None.
    blanks = {name: frame[name].isna().to_numpy() for name in frame.columns}
    return pl.DataFrame(
        {
            str(name): [None if missing else value for value, missing in zip(frame[name].tolist(), gone, strict=True)]
            for name, gone in blanks.items()
        },
        strict=False,
    )
