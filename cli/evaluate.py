"""``audit evaluate``: the audit of a run, of a model file, or of a table of scores."""

from __future__ import annotations

import typer

from .evaluate_options import EvaluateOptions
from .options import takes
from .planning import show_frozen, show_size
from .verdict import exit_code, show


@takes(EvaluateOptions)
def evaluate(options: EvaluateOptions) -> None:
    """The audit: does performance hold where the attribute and the finding disagree, and is it the attribute?

    Reads the newest run under ./runs, a run, a model file or scores.
    Leaves audit.json, scores.csv and report.html. Exit code 1 on FAIL.

    Example: audit evaluate --scores scores.csv --spurious chest_tube --out tube

    Before you look: audit evaluate --scores scores.csv --spurious chest_tube --freeze plan.yaml
    """
    from shortcut_audit import pipeline
    from shortcut_audit.stages.by_plan import ByPlan
    from shortcut_audit.stages.gate import apply_gate, load_policy

    options.refuse_contradictions()
    config = options.load()
    if options.size_for is not None:
        show_size(config, options.size_for, scores=options.scores, as_json=options.as_json)
        return
    if options.freeze is not None:
        show_frozen(options, config, options.freeze)
        return
    rules = load_policy(options.policy) if options.policy else None
    by = ByPlan(path=options.plan, reason=options.allow_deviation) if options.plan else None
    if options.scores is not None:
        outcome = pipeline.evaluate_scores(config, options.scores, out=options.out, by=by)
    else:
        outcome = pipeline.evaluate(config, run=options.run, out=options.out, model=options.model, by=by)
    result, policy = outcome.result, options.policy
    gate = apply_gate(rules, policy, result, outcome.run) if rules and policy and result else None
    show(outcome, as_json=options.as_json, gate=gate)
    if result is not None:
        code = gate.code if gate else exit_code(result, options.fail_on or "fail")
        raise typer.Exit(0 if options.exit_zero else code)
