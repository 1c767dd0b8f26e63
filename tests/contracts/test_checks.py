"""What every check promises, whatever the table looks like."""

import inspect
import math

import numpy as np
import polars as pl
import pytest

from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.table.question import Setting, build_question
from shortcut_audit.audit.table.scores import ScoresTable
from shortcut_audit.config import EvaluateConfig

GROUPS = ("all", "robust", "aligned", "within:", "label:", "cell:", "pair:", "labels:", "strata:", "covariate:",
          "groups:", "subgroup:", "other:", "reader:")  # fmt: skip


def films(n, seed=0, **columns):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, n)
    label[:2] = [0, 1]
    plain = {
        "sample_id": [f"s{i}" for i in range(n)], "patient_id": [f"p{i // 2}" for i in range(n)],
        "split": ["test"] * n, "label": label, "score": rng.normal(size=n) + label,
        "tube": [None if i % 9 == 0 else int(v) for i, v in enumerate(rng.integers(0, 2, n))],
    }  # fmt: skip
    return pl.DataFrame({**plain, **columns}, strict=False)


TABLES = {
    "ordinary": films(200),
    "two films": films(2),
    "constant scores": films(60, score=[0.5] * 60),
    "one class": films(60, label=[1] * 60),
    "attribute equals label": films(60, label=[0, 1] * 30, tube=[0, 1] * 30),
    "nobody looked": films(60, tube=[1.0, 0.0, *[None] * 58]),
    "probabilities": films(
        200, score=np.random.default_rng(1).random(200), scale=["probability"] * 200, sex=["F", "M", "F", "F"] * 50,
    ),
    "with everything": films(
        200, score=[0.5] * 100 + [0.7] * 100,
        **{"score_with.tube": [0.7] * 200, "score_without.tube": [0.5] * 200, "score_control.tube": [0.5] * 200,
           "reference_score": [0.1] * 200, "covariate.area": list(range(200)), "weight": [1.0, 3.0] * 100,
           "reader_score.anna": [*range(150), *[None] * 50], "leads": [0, 1, 1, 0] * 50,
           "split": ["val"] * 60 + ["test"] * 140},
    ),
}  # fmt: skip


def question(name, test_design="natural"):
    table = ScoresTable.from_frame(TABLES[name], where=name)
    setting = Setting(limits=EvaluateConfig(spurious=["tube"]), pairs="exact", test_design=test_design)
    return build_question(table, "model", "finding", "tube", setting)


@pytest.fixture(params=CHECKS.names())
def check(request):
    return CHECKS.get(request.param)


@pytest.mark.parametrize("design", ["natural", "reversed"])
@pytest.mark.parametrize("name", TABLES)
def test_every_number_is_finite_with_its_counts_or_has_a_reason(check, name, design):
    found = check(question(name, design))

    assert isinstance(found, Findings)
    for metric in found.metrics:
        assert (metric.value is None) == bool(metric.reason)
        assert metric.n == metric.n_pos + metric.n_neg
        assert metric.n_patients <= metric.n
        assert metric.group.startswith(GROUPS)
        if metric.value is not None:
            assert math.isfinite(metric.value)
            assert metric.low <= metric.value <= metric.high
            assert metric.low < metric.high, "an interval of zero width"


@pytest.mark.parametrize("name", TABLES)
def test_every_answer_has_a_reason_and_rests_on_a_number_that_is_there(check, name):
    found = check(question(name))
    names = {metric.name for metric in found.metrics} | {"auroc", "robust_auroc", "aligned_auroc", "auroc_validation"}

    for answer in found.answers:
        assert answer.reason
        assert answer.number is None or answer.number in names
        assert (answer.n_needed is None) == (answer.cell_needed is None)
        assert answer.value is not None or answer.evidence == "cannot tell"
    assert 0 <= found.p <= 1


def test_the_same_question_gets_the_same_findings(check):
    assert check(question("with everything")) == check(question("with everything"))


def test_no_check_changes_the_question(check):
    asked = question("with everything")
    before = (asked.score.copy(), asked.values.copy(), {name: state.copy() for name, state in asked.states.items()})
    check(asked)

    assert np.array_equal(asked.score, before[0])
    assert np.array_equal(asked.values, before[1], equal_nan=True)
    assert all(np.array_equal(asked.states[name], state, equal_nan=True) for name, state in before[2].items())


def test_every_check_takes_a_question_and_says_in_one_line_what_it_asks(check):
    assert list(inspect.signature(check).parameters) == ["question"]
    first = inspect.getdoc(check).splitlines()[0]
    assert 10 < len(first) < 100
    assert first.endswith(("?", "."))


def test_at_most_one_answer_of_a_check_decides(check):
    assert sum(answer.decides for answer in check(question("ordinary")).answers) <= 1
