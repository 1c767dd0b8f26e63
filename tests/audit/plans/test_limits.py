"""Limits on any number: PASS, FAIL and INSUFFICIENT by the whole interval, and messages for what is not there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shortcut_audit.audit.plans.limits import MetricLimit, judge_limits, refuse_unknown
from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.errors import UsageError

SUBJECT = ("net", "mass", "tube")


def metric(value=0.8, low=0.75, high=0.85, **fields):
    plain = {
        "model": "net", "finding": "mass", "attribute": "tube", "group": "all", "name": "auroc", "value": value,
        "low": low, "high": high, "n": 100, "n_pos": 40, "n_neg": 60, "n_patients": 90, "method": "exact",
    }  # fmt: skip
    return Metric(**{**plain, **fields})


def judge(limit, *metrics, subjects=(SUBJECT,)):
    return judge_limits([MetricLimit(**limit)], metrics, subjects, source="plan")


@pytest.mark.parametrize(
    ("side", "status"),
    [
        ({"at_least": 0.74}, "pass"), ({"at_least": 0.75}, "pass"), ({"at_least": 0.76}, "insufficient"),
        ({"at_least": 0.85}, "insufficient"), ({"at_least": 0.86}, "fail"),
        ({"at_most": 0.86}, "pass"), ({"at_most": 0.85}, "pass"), ({"at_most": 0.84}, "insufficient"),
        ({"at_most": 0.75}, "insufficient"), ({"at_most": 0.74}, "fail"),
    ],
)  # fmt: skip
def test_the_whole_interval_decides_and_its_end_may_touch_the_limit(side, status):
    (found,) = judge({"metric": "auroc", **side}, metric())

    assert (found.verdict.status, found.verdict.rule) == (status, "limit:auroc")
    assert (found.verdict.gap, found.verdict.reliance, found.verdict.answers) == (None, None, ("limit",))
    assert found.answer.evidence == {"pass": "yes", "fail": "no", "insufficient": "cannot tell"}[status]
    assert (found.answer.limit, found.answer.limit_origin) == (next(iter(side.values())), "plan")
    assert (found.answer.n_needed is not None) == (status == "insufficient")


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1))
def test_turning_the_number_round_turns_the_side_of_the_limit(low, high, bound):
    low, high = min(low, high), max(low, high)
    middle = (low + high) / 2
    (least,) = judge({"metric": "auroc", "at_least": bound}, metric(middle, low, high))
    (most,) = judge({"metric": "auroc", "at_most": -bound}, metric(-middle, -high, -low))

    assert least.verdict.status == most.verdict.status


def test_a_number_that_is_not_defined_is_insufficient_with_its_reason():
    (found,) = judge({"metric": "auroc", "at_least": 0.8}, metric(None, None, None, reason="one class only"))

    assert (found.verdict.status, found.answer.value, found.answer.n_needed) == ("insufficient", None, None)
    assert found.verdict.sentences[1] == "auroc is to be at least 0.8; it is not computed (one class only)."
    assert found.verdict.sentences[2] == "This is not a pass."


def test_a_number_that_this_audit_does_not_have_is_insufficient_and_not_dropped():
    (found,) = judge({"metric": "dice", "at_least": 0.8}, metric())

    assert (found.verdict.status, found.answer.reason) == ("insufficient", "this audit has no such number")


def test_a_number_without_an_interval_decides_nothing():
    (found,) = judge({"metric": "auroc", "at_least": 0.1}, metric(0.8, None, None))

    assert (found.verdict.status, found.answer.reason) == ("insufficient", "the number has no interval")


def test_the_sentences_say_limit_number_interval_and_patients():
    (missed,) = judge({"metric": "auroc", "at_least": 0.9}, metric())

    first, second, third = missed.verdict.sentences
    assert (first, third) == ("A limit of the plan is missed.", "A limit says nothing about the cause.")
    assert second == (
        "auroc is to be at least 0.9; it is 0.800 (95 % CI 0.750 to 0.850; 90 patients): "
        "the whole interval misses the limit."
    )
    assert missed.verdict.limit == "auroc at least 0.9"


def test_every_model_asked_about_is_judged_unless_one_is_named():
    others = [("net", "mass", "tube"), ("twin", "mass", "tube")]
    metrics = [metric(), metric(0.6, 0.5, 0.7, model="twin")]

    assert [one.verdict.status for one in judge({"metric": "auroc", "at_least": 0.72}, *metrics, subjects=others)] == [
        "pass", "fail"
    ]  # fmt: skip
    (alone,) = judge({"metric": "auroc", "at_least": 0.72, "model": "twin"}, *metrics, subjects=others)
    assert (alone.verdict.model, alone.verdict.status) == ("twin", "fail")


def test_a_number_of_no_attribute_counts_for_each():
    (found,) = judge({"metric": "dice", "at_least": 0.7}, metric(name="dice", attribute=""))

    assert (found.verdict.attribute, found.verdict.status) == ("tube", "pass")


def test_a_group_chooses_among_several_and_both_readings_of_a_number_are_judged():
    metrics = [
        metric(group="within:0", name="auroc_within"),
        metric(0.6, 0.5, 0.7, group="within:1", name="auroc_within"),
    ]
    (found,) = judge({"metric": "auroc_within", "group": "within:1", "at_least": 0.72}, *metrics)
    readings = [metric(name="inflation", q="p(a|y=0)"), metric(0.6, 0.5, 0.7, name="inflation", q="p(a|y=1)")]

    assert found.verdict.status == "fail"
    assert found.verdict.limit == "auroc_within (within:1) at least 0.72"
    assert [one.verdict.limit for one in judge({"metric": "inflation", "at_most": 0.7}, *readings)] == [
        "inflation, q = p(a|y=0) at most 0.7", "inflation, q = p(a|y=1) at most 0.7"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        ({"metric": "auroc_within"}, "must say which group; there are: within:0, within:1"),
        ({"metric": "auroc_within", "group": "within:2"}, r"the group 'within:2' \(did you mean 'within:1'\?\); there"),
        ({"metric": "auroc", "model": "nets"}, r"the model 'nets', which is not asked about \(did you mean 'net'\?\)"),
        ({"metric": "auroc", "finding": "x"}, "names the finding 'x', which is not asked about; there are: mass"),
        ({"metric": "auroc", "attribute": "tub"}, r"names the attribute 'tub'.*did you mean 'tube'"),
    ],
)
def test_what_the_audit_does_not_have_is_refused_with_what_it_has(limit, told):
    metrics = [metric(), *(metric(group=f"within:{v}", name="auroc_within") for v in (0, 1))]

    with pytest.raises(UsageError, match=told):
        judge({**limit, "at_least": 0.5}, *metrics)


def test_names_that_never_go_together_are_refused():
    subjects = [("net", "mass", "tube"), ("twin", "nodule", "tube")]

    with pytest.raises(UsageError, match="that are never asked about together"):
        judge({"metric": "auroc", "at_least": 0.5, "model": "net", "finding": "nodule"}, subjects=subjects)


def test_an_unknown_number_is_refused_with_the_nearest():
    limits = [MetricLimit(metric="robust_auroc", at_least=0.5), MetricLimit(metric="robust_aurocs", at_least=0.5)]

    refuse_unknown(limits[:1], ["robust_auroc"], where="plan.yaml")
    with pytest.raises(UsageError, match=r"plan.yaml: a limit is set on 'robust_aurocs'.*did you mean 'robust_auroc'"):
        refuse_unknown(limits, ["robust_auroc"], where="plan.yaml")


@pytest.mark.parametrize("sides", [{}, {"at_least": 0.1, "at_most": 0.2}])
def test_a_limit_has_one_side(sides):
    with pytest.raises(ValidationError, match=r"needs one of at_least and at_most \(a range is two limits\)"):
        MetricLimit(metric="auroc", **sides)


@pytest.mark.parametrize("name", ["gap_permuted", "gap_permuted_p"])
def test_a_limit_on_what_chance_does_is_refused(name):
    told = f"plan.yaml: a limit is set on '{name}', which says what chance does and has no confidence interval to judge"
    with pytest.raises(UsageError, match=told):
        refuse_unknown([MetricLimit(metric=name, at_most=0.1)], [name], where="plan.yaml")
