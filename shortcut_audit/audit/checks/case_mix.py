"""Does the gap stay among patients who are alike in severity and covariates?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.checks.gap import sides
from shortcut_audit.audit.measures.case_mix import Side, Standardised, standardise
from shortcut_audit.audit.measures.margin import against_margin
from shortcut_audit.audit.plans.planning import patients_by_scaling
from shortcut_audit.audit.result.judgement import Answer, Evidence
from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.statistics.estimate import Contrast, Estimate, Tally, Undefined
from shortcut_audit.audit.statistics.linearised import by_patient, linearised
from shortcut_audit.audit.statistics.metrics import count_patients
from shortcut_audit.audit.statistics.overlap import effective_influence, effective_size, mean_difference
from shortcut_audit.audit.table.question import Question
from shortcut_audit.shapes import Floats, Ints


@CHECKS.register("case_mix")
def case_mix(question: Question) -> Findings:
    """Does the gap stay among patients who are alike in severity and covariates?

    Overlap weights make positives with and without the attribute alike in ``severity.*`` and
    ``covariate.*``, negatives in ``covariate.*``. The answer describes and decides nothing: what nobody
    measured may still differ. ``gap`` reads the standardised sides.
    """
    standardised = standardise(question)
    return Findings(
        answers=(_answer(question, standardised),),
        metrics=(
            *_standardised(question, standardised),
            *(metric for side in standardised.sides for metric in _balance(question, side)),
        ),
    )


def _standardised(question: Question, cells: Standardised) -> Iterator[Metric]:
    robust, aligned = cells.pair(0, 1), cells.pair(1, 0)
    yield question.metric("auroc_gap_standardised", aligned - robust)
    yield question.metric("robust_auroc_standardised", question.signed(robust), "robust")
    yield question.metric("aligned_auroc_standardised", question.signed(aligned), "aligned")
    for name, side in zip(("positive", "negative"), sides(cells), strict=True):
        yield question.metric(f"gap_{name}_side_standardised", side)


def _balance(question: Question, side: Side) -> Iterator[Metric]:
    """Yield how unlike the two cells of a side are in each column, and what they are worth after weighting."""
    for name, column in side.columns.items():
        group = f"covariate:{side.label}:{name}"
        inside = question.test & (question.label == bool(side.label)) & ~np.isnan(question.values)
        known = np.flatnonzero(inside & ~np.isnan(column))
        yield question.record("smd_before", _difference(question, column, known), group)
        yield question.record("smd_after", _difference(question, column, side.rows, side), group)
    for name, reason in side.unused.items():
        nothing = Undefined(reason=reason, tally=_tally(question, np.flatnonzero(question.test & False)))
        for metric in ("smd_before", "smd_after"):
            yield question.record(metric, nothing, f"covariate:{side.label}:{name}")
    if side.columns:
        for state in (1, 0):
            yield _effective(question, side, state)


def _difference(question: Question, column: Floats, rows: Ints, side: Side | None = None) -> Estimate | Undefined:
    """Return the standardised mean difference, with less without the attribute, before or after weighting."""
    present, base, tally = question.values[rows] == 1, question.sampling.weights[rows], _tally(question, rows)
    if side is not None and side.propensity is None:
        return Undefined(reason=str(side.reason), tally=tally)
    if present.all() or not present.any():
        return Undefined(reason=f"one group has no known value of {question.attribute} and the column", tally=tally)
    weights = base if side is None or side.propensity is None else side.propensity.weights
    found = mean_difference(column[rows], present, weights, base=None if side is None else base)
    if found is None:
        return Undefined(reason="the column does not vary within the groups", tally=tally)
    return linearised(
        found.value, by_patient(found.influence, rows, question.sampling), df=tally.n_patients - 2, tally=tally,
        sampling=question.sampling, confidence=question.limits.confidence,
    )  # fmt: skip


def _effective(question: Question, side: Side, state: int) -> Metric:
    """Return Kish's effective patients of one cell; as a count it varies even where all weights are equal."""
    group = f"cell:{side.label}:{question.original(state)}"
    rows, sampling = side.rows[side.present == state], question.sampling
    tally = _tally(question, rows)
    if side.propensity is None:
        return question.record("effective_patients", Undefined(reason=str(side.reason), tally=tally), group)
    sums = by_patient(side.propensity.weights[side.present == state], rows, sampling)
    found = linearised(
        effective_size(sums), effective_influence(sums), df=tally.n_patients - 1, tally=tally, sampling=sampling,
        confidence=question.limits.confidence,
    )  # fmt: skip
    if isinstance(found, Estimate):
        found = replace(found, low=max(found.low, 0.0))
    return question.record("effective_patients", found, group)


def _tally(question: Question, rows: Ints) -> Tally:
    positives = int(question.label[rows].sum())
    patients = count_patients(rows, question.sampling)
    return Tally(n_pos=positives, n_neg=len(rows) - positives, n_patients=patients)


def _read(question: Question, gap: Contrast) -> tuple[Estimate | None, Evidence, str]:
    found = gap.estimate(question.limits.confidence)
    if isinstance(found, Estimate) and question.reversed:
        return found, "cannot tell", "the test set is reversed by design; the designed shift stands in for the gap"
    evidence, reason = against_margin(found, question.limits.margin)
    return (found if isinstance(found, Estimate) else None), evidence, reason


def _patients_for_weighting(question: Question, cells: Standardised) -> tuple[int | None, str | None]:
    """Return about how many patients the cell that is worth too few would need, and its name."""
    if not cells.measured:
        return None, None
    groups = [(side, state) for side in cells.sides for state in (1, 0)]
    side, state = min(groups, key=lambda group: group[0].sizes[group[1]] / group[0].least)
    worth = side.sizes[state] / side.least
    if not 0 < worth < 1:
        return None, None
    patients = count_patients(side.rows[side.present == state], question.sampling)
    return math.ceil(patients / worth), question.cell_name(side.label, state)


def _answer(question: Question, cells: Standardised) -> Answer:
    found, evidence, reason = _read(question, cells.pair(1, 0) - cells.pair(0, 1))
    margin = question.limits.margin
    needed, cell = _patients_for_weighting(question, cells)
    if found and found.against(margin) == "across":
        cell, patients = question.smallest_cell
        half, distance = (found.high - found.low) / 2, abs(found.value) - margin
        needed = patients_by_scaling(patients, half=half, distance=distance, confidence=found.confidence)
    return Answer(
        check="case_mix", kind="performance", model=question.model, finding=question.finding,
        attribute=question.attribute, evidence=evidence, number="auroc_gap_standardised",
        question="Does the gap stay among patients who are alike in severity and covariates?",
        value=found.value if found else None, low=found.low if found else None, high=found.high if found else None,
        null=0.0, limit=margin, limit_origin=question.setting.origin("margin"),
        reason=f"{reason}; this describes and decides nothing", n_needed=needed, cell_needed=cell,
    )  # fmt: skip
