"""Two versions of a model on the same films: what changed, with intervals from the joint covariance over patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from shortcut_audit.audit.measures.seeds import combine
from shortcut_audit.audit.result.judgement import Evidence
from shortcut_audit.audit.statistics.estimate import Contrast, Estimate, Undefined, fields
from shortcut_audit.audit.statistics.metrics import count_patients
from shortcut_audit.audit.table.common_films import align, over_one_index
from shortcut_audit.audit.table.question import Question, Setting, ask_rows
from shortcut_audit.audit.table.rows import cut
from shortcut_audit.audit.table.scores import ScoresTable
from shortcut_audit.audit.versions.contrasts import ALIGNED, AUROC, GAP, INTERVENTIONAL, ROBUST, SHIFTS, Number
from shortcut_audit.audit.versions.not_worse import judge, worse_by
from shortcut_audit.audit.versions.update_result import Difference, Films, NotWorse, Reading
from shortcut_audit.audit.wording import number as in_digits
from shortcut_audit.errors import InputError, UsageError
from shortcut_audit.shapes import Floats

NUMBERS = (AUROC, ROBUST, ALIGNED, GAP, INTERVENTIONAL, *SHIFTS)
FIRST: Mapping[Evidence, str] = {
    "yes": "B is worse than A by more than the margin", "no": "B is not worse than A by more than the margin",
    "cannot tell": "We cannot tell whether B is worse than A by more than the margin",
}  # fmt: skip
STATUS: Mapping[Evidence, Literal["pass", "insufficient", "fail"]] = {
    "yes": "fail",
    "no": "pass",
    "cannot tell": "insufficient",
}


@dataclass(frozen=True, kw_only=True)
class Paired:
    """One finding and attribute of both versions on their common films; ``a`` and ``b`` are one question a seed."""

    names: tuple[str, str]
    a: tuple[Question, ...]
    b: tuple[Question, ...]
    only: tuple[int, int]

    @property
    def confidence(self) -> float:
        """Of every interval."""
        return self.a[0].limits.confidence

    def contrasts(self, number: Number) -> tuple[list[Contrast], list[Contrast]]:
        """Return a number of A and of B, one contrast a seed; undefined where its cells are not the same."""
        one, other = self.a[0].association, self.b[0].association
        if number.signed and (one.sign == -1) != (other.sign == -1):
            how = "not known to be of one sign" if None in {one.sign, other.sign} else "opposed"
            reason = f"the training associations are {how} (A: {one.source}; B: {other.source})"
            return [self.a[0].undefined(reason)], [self.b[0].undefined(reason)]
        return [number.of(question) for question in self.a], [number.of(question) for question in self.b]


def pair_versions(a: ScoresTable, b: ScoresTable, setting: Setting) -> list[Paired]:
    """Match the models of two tables by name, or the only one of each, on the films that both scored.

    Raises:
        UsageError: no model or finding in common, or an attribute that a table does not have.
        InputError: no film in common, or one whose label, attribute, patient or weight differs.
    """
    findings = [finding for finding in a.values("finding") if finding in b.values("finding")]
    if not findings:
        raise UsageError(
            f"A and B have no finding in common (A: {', '.join(a.values('finding'))}; B: "
            f"{', '.join(b.values('finding'))}); give the same finding the same name in both tables"
        )
    models_a, models_b = _models(a), _models(b)
    matched = _matched_models(models_a, models_b)
    paired = []
    for finding in findings:
        for names in matched:
            old = _ask(a, models_a[names[0]], finding, setting, "A")
            new = _ask(b, models_b[names[1]], finding, setting, "B")
            if old and new:
                paired += [_pair(names, *sides) for sides in zip(old, new, strict=True)]
    if not paired:
        raise UsageError("A and B have no model with rows of one finding in common; give both the same names")
    return paired


def _models(table: ScoresTable) -> dict[str, list[str]]:
    """Return the models of a table, each with the names of its seeds; controls are left out."""
    found: dict[str, list[str]] = {}
    for model, role in table.frame.select("model", "role").unique(maintain_order=True).rows():
        if role == "model":
            found.setdefault(table.families.get(model, model), []).append(model)
    return found


def _matched_models(a: Mapping[str, object], b: Mapping[str, object]) -> list[tuple[str, str]]:
    if len(a) == len(b) == 1:
        return [(next(iter(a)), next(iter(b)))]
    shared = [(name, name) for name in a if name in b]
    if not shared:
        raise UsageError(
            f"A and B have no model in common (A: {', '.join(a) or 'none'}; B: {', '.join(b) or 'none'}); "
            "models are matched by name, unless either side has only one"
        )
    return shared


def _ask(
    table: ScoresTable, models: Sequence[str], finding: str, setting: Setting, side: str
) -> list[list[Question]]:  # fmt: skip
    """Return for each attribute the questions of all seeds; nothing where the model has no such finding."""
    asked = tuple(dict.fromkeys(setting.limits.spurious))
    cuts = [cut(table, model, finding, asked) for model in models]
    if not all(rows.used.height for rows in cuts):
        return []
    try:
        return [[ask_rows(rows, table, attribute, setting) for rows in cuts] for attribute in asked]
    except UsageError as error:
        raise UsageError(f"{side}: {error}") from error


def _pair(names: tuple[str, str], old: Sequence[Question], new: Sequence[Question]) -> Paired:
    common = align([*old, *new])
    if not common[0].test.any():
        raise InputError(
            f"A and B have no test film of '{old[0].finding}' in common: {_first(old[0])} in A, {_first(new[0])} in B; "
            "the two must score the same films under the same sample_id"
        )
    for other in common[1:]:
        _refuse_other_films(common[0], other)
    shared, used = over_one_index(common), int(common[0].test.sum())
    return Paired(
        names=names, a=tuple(shared[: len(old)]), b=tuple(shared[len(old) :]),
        only=(int(old[0].test.sum()) - used, int(new[0].test.sum()) - used),
    )  # fmt: skip


def _first(question: Question) -> str:
    tested = question.samples.filter(question.test)
    return f"the first is '{tested[0]}'" if len(tested) else "there is none"


def _refuse_other_films(a: Question, b: Question) -> None:
    """Raise InputError where two aligned questions do not say the same of a film."""
    _refuse(a, b, "label", a.label.astype(float), b.label.astype(float))
    _refuse(a, b, a.attribute, a.values, b.values)
    _refuse(a, b, "weight", a.sampling.weights, b.sampling.weights)
    if a.sampling.unit == b.sampling.unit == "patient" and not _same_patients(a, b):
        raise InputError(
            f"A and B do not say the same about which test films of '{a.finding}' belong to one patient; "
            "mend the column patient_id, or leave it out of one of the two tables"
        )


def _refuse(a: Question, b: Question, what: str, one: Floats, other: Floats) -> None:
    alike = (one == other) | (np.isnan(one) & np.isnan(other))
    rows = np.flatnonzero(~alike & a.test)
    if not len(rows):
        return
    row = int(rows[0])
    said = ["unknown" if np.isnan(side[row]) else f"{side[row]:g}" for side in (one, other)]
    raise InputError(
        f"sample_id '{a.samples[row]}', finding '{a.finding}': {what} is {said[0]} for {a.model} in A and {said[1]} "
        f"for {b.model} in B ({len(rows)} films differ in it); compare versions on one set of films with one truth"
    )


def _same_patients(a: Question, b: Question) -> bool:
    """Return whether two tables group the test films alike, whatever they call the patients."""
    both = np.unique(np.stack([a.sampling.clusters[a.test], b.sampling.clusters[b.test]]), axis=1)
    return bool(all(len(np.unique(side)) == both.shape[1] for side in both))


def films(paired: Sequence[Paired]) -> list[Films]:
    """Return how many films were matched and left out, once for every pair of models and finding."""
    counted = {}
    for one in paired:
        question = one.a[0]
        patients = count_patients(np.flatnonzero(question.test), question.sampling)
        counted[one.names, question.finding] = Films(
            model=one.names[1], other=one.names[0], finding=question.finding, images=int(question.test.sum()),
            patients=patients, only_a=one.only[0], only_b=one.only[1],
        )  # fmt: skip
    return list(counted.values())


def differences(paired: Paired) -> list[Difference]:
    """Return B - A of every number that is compared."""
    return [_difference(paired, number) for number in NUMBERS]


def _difference(paired: Paired, number: Number) -> Difference:
    a, b = paired.contrasts(number)
    found = combine([(1.0, b), (-1.0, a)], paired.confidence)
    one, other = (_reading(combine([(1.0, side)], paired.confidence)) for side in (a, b))
    return Difference(
        model=paired.names[1], other=paired.names[0], finding=paired.a[0].finding, attribute=paired.a[0].attribute,
        name=number.name, group=number.group, confidence=paired.confidence, n_pos=found.tally.n_pos,
        n_neg=found.tally.n_neg, a=one, b=other, **fields(found),
    )  # fmt: skip


def _reading(found: Estimate | Undefined) -> Reading:
    if isinstance(found, Undefined):
        return Reading(value=None, low=None, high=None, reason=found.reason)
    return Reading(value=found.value, low=found.low, high=found.high)


def not_worse(paired: Paired, margins: Mapping[str, float]) -> list[NotWorse]:
    """Judge B against A in every number that has a margin."""
    return [_not_worse(paired, number, margins[number.name]) for number in NUMBERS if number.name in margins]


def _not_worse(paired: Paired, number: Number, margin: float) -> NotWorse:
    question = paired.a[0]
    head: dict[str, Any] = {
        "model": paired.names[1], "other": paired.names[0], "finding": question.finding,
        "attribute": question.attribute, "group": number.group, "name": number.name, "margin": margin,
        "confidence": paired.confidence,
    }  # fmt: skip
    found = worse_by(number, *paired.contrasts(number), paired.confidence)
    if isinstance(found, str):
        said = f"We cannot tell whether B is worse: {found}."
        nothing: dict[str, Any] = {"value": None, "low": None, "high": None, "reason": found}
        return NotWorse(**head, **nothing, status="insufficient", sentence=said)
    value, low, high = found
    evidence = judge(low, high, margin)
    limits = f"{100 * paired.confidence:g} % CI {in_digits(low)} to {in_digits(high)}, margin {margin:g}"
    return NotWorse(
        **head, value=value, low=low, high=high, status=STATUS[evidence],
        sentence=f"{FIRST[evidence]}: loss {in_digits(value)} ({limits}).",
    )  # fmt: skip
