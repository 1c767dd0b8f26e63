"""A plan holds an audit in Python as it holds the command: the same values, refusals and reasons."""

import polars as pl
import pytest
from audit_worlds import world

from shortcut_audit import audit_scores
from shortcut_audit.config import load_config
from shortcut_audit.errors import InputError, UsageError
from shortcut_audit.stages.freeze import freeze_scores

FILMS = world(n=300, reads=1.0)


@pytest.fixture
def frozen(tmp_path):
    FILMS.write_csv(tmp_path / "scores.csv")
    asked = load_config(sets=["evaluate.spurious=[tube]", "evaluate.margin=0.06", "dataset.pairs=exact"])
    freeze_scores(asked, tmp_path / "scores.csv", tmp_path / "plan.yaml", intended_use="triage")
    return tmp_path / "plan.yaml"


def test_what_is_not_said_is_as_the_plan_says(frozen):
    result = audit_scores(FILMS, plan=frozen)
    said_again = audit_scores(FILMS, spurious="tube", margin=0.06, plan=str(frozen))

    assert {limit.name: (limit.value, limit.origin) for limit in result.limits}["margin"] == (0.06, "plan")
    assert (result.dataset["pairs"], result.verdicts[0].attribute) == ("exact", "tube")
    assert (result.plan.deviations, result.plan.intended_use, result.plan.holds_values) == ((), "triage", True)
    assert result.provenance.inputs["plan"] == result.plan.sha256
    assert said_again.verdicts == result.verdicts


@pytest.mark.parametrize(
    ("frame", "said", "told"),
    [
        (FILMS, {"margin": 0.1}, "'evaluate.margin' is 0.1 (argument), the plan says 0.06"),
        (FILMS, {"pairs": "edited"}, "'dataset.pairs' is edited (argument), the plan says exact"),
        (FILMS, {"ask": "gap"}, "'evaluate.ask' is gap (argument), the plan says both"),
        (FILMS.head(299), {}, "1 missing: the one between 'test298' and 'test3'"),
        (FILMS.with_columns(label=pl.when(pl.col("sample_id") == "test7").then(1 - pl.col("label")).otherwise("label")),
         {}, "labels and attributes: label.finding changed of 1 image: 'test7'"),
    ],
)  # fmt: skip
def test_what_is_not_as_planned_is_refused_by_name_or_recorded_with_its_reason(frozen, frame, said, told):
    with pytest.raises(UsageError) as refused:
        audit_scores(frame, plan=frozen, **said)
    assert told in str(refused.value)
    assert "allow_deviation" in str(refused.value)

    result = audit_scores(frame, plan=frozen, allow_deviation="agreed", **said)

    assert (len(result.plan.deviations), result.plan.reason) == (1, "agreed")
    assert result.banners[0].endswith("Reason given: agreed")


def test_a_table_of_one_class_is_refused_as_the_command_refuses_it():
    told = "the table of scores: row 1, column 'label' is 1, and so it is in every test row of its finding; expected"
    with pytest.raises(InputError, match=told):
        audit_scores(FILMS.with_columns(label=pl.lit(1)), spurious="tube")


def test_limits_of_the_plan_are_verdicts_and_must_be_on_numbers_that_there_are(frozen):
    text = frozen.read_text()
    frozen.write_text(text.replace("limits: []", "limits: [{metric: auroc, at_least: 0.999}]"))
    assert [one.status for one in audit_scores(FILMS, plan=frozen).verdicts if one.limit] == ["fail"]

    frozen.write_text(text.replace("limits: []", "limits: [{metric: aurc, at_least: 0.9}]"))
    with pytest.raises(UsageError, match=r"a limit is set on 'aurc'.*did you mean 'auroc'"):
        audit_scores(FILMS, plan=frozen)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, r"which spurious attribute\? .* \(the table has: tube\)"),
        ({"spurious": "tube", "allow_deviation": "why"}, "allow_deviation goes with plan"),
        ({"plan": "missing.yaml"}, "missing.yaml: cannot be read"),
        ({"spurious": "tube", "margin": 2}, "the argument: 'evaluate.margin' is 2"),
        ({"spurious": "tube", "margn": 0.1}, r"there is no limit 'margn' \(did you mean 'margin'\?\)"),
    ],
)
def test_what_cannot_be_asked_is_told(said, told):
    with pytest.raises(UsageError, match=told):
        audit_scores(FILMS, **said)
