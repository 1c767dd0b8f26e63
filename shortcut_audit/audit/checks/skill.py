"""Is there anything to audit? A model that ranks by chance has gaps by chance."""

from __future__ import annotations

from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.plans.planning import patients_by_scaling
from shortcut_audit.audit.result.judgement import Answer, Evidence
from shortcut_audit.audit.statistics.estimate import Contrast, Estimate
from shortcut_audit.audit.table.question import Question


@CHECKS.register("skill")
def skill(question: Question) -> Findings:
    """Does the model rank this finding at all?

    Yes where the lower limit of the AUROC, overall, aligned or robust, is above the least skill. Where
    the test set is reversed by design, the validation AUROC is asked.
    """
    least, confidence = question.limits.min_skill, question.limits.confidence
    candidates = _candidates(question)
    known = {name: found for name, contrast in candidates.items()
             if isinstance(found := contrast.estimate(confidence), Estimate)}  # fmt: skip
    cell, patients = question.scarcer_class(~question.test if question.reversed else question.test)
    if not known:
        reason = f"there is no AUROC to look at: {next(iter(candidates.values())).reason}"
        needed = question.limits.min_pass_images
        return Findings(answers=(_answer(question, reason=reason, n_needed=needed, cell_needed=cell),))
    name = max(known, key=lambda candidate: known[candidate].low)
    best = known[name]
    shown = best.low > least
    reason = f"the best lower limit of the AUROC is {best.low:.3f}, {'above' if shown else 'not above'} {least:g}"
    if shown:
        return Findings(answers=(_answer(question, name, best, reason=reason),))
    half = (best.high - best.low) / 2
    needed = patients_by_scaling(patients, half=half, distance=best.value - least, confidence=confidence)
    return Findings(answers=(_answer(question, name, best, reason=reason, n_needed=needed, cell_needed=cell),))


def _candidates(question: Question) -> dict[str, Contrast]:
    if question.reversed:
        return {"auroc_validation": question.validation}
    return {"auroc": question.overall, "aligned_auroc": question.pair(1, 0), "robust_auroc": question.pair(0, 1)}


def _evidence(best: Estimate | None, least: float) -> Evidence:
    if best is None or best.low <= least < best.high:
        return "cannot tell"
    return "yes" if best.low > least else "no"


def _answer(
    question: Question, number: str | None = None, best: Estimate | None = None, *, reason: str,
    n_needed: int | None = None, cell_needed: str | None = None,
) -> Answer:  # fmt: skip
    least = question.limits.min_skill
    return Answer(
        check="skill", kind="performance", question="Does the model rank this finding at all?",
        model=question.model, finding=question.finding, attribute=question.attribute,
        evidence=_evidence(best, least),
        number=number, value=best.value if best else None, low=best.low if best else None,
        high=best.high if best else None, null=0.5, limit=least, limit_origin=question.setting.origin("min_skill"),
        reason=reason, n_needed=n_needed, cell_needed=cell_needed, decides=True,
    )  # fmt: skip
