"""The bootstrap beside the analytic intervals: it confirms them, and says where it is left out."""

import numpy as np
import polars as pl
import pytest
from audit_worlds import cells, question, world

from shortcut_audit import audit_scores
from shortcut_audit.audit.checks import CHECKS
from shortcut_audit.audit.checks.cross_check import cross_check

NAMES = {
    ("auroc_by_bootstrap", "all"), ("robust_auroc_by_bootstrap", "robust"),
    ("aligned_auroc_by_bootstrap", "aligned"), ("auroc_gap_by_bootstrap", "all"),
}  # fmt: skip


CHECKED = ("performance", "gap", "operating_point", "worst_group")
"""Checks that have the analytic numbers."""


def found(asked):
    return {(metric.name, metric.group): metric for metric in cross_check(asked).metrics}


def of_aurocs(asked):
    """Those that need no threshold and no groups."""
    return {key: metric for key, metric in found(asked).items() if key in NAMES}


def analytic(asked):
    metrics = [metric for check in CHECKED for metric in CHECKS.get(check)(asked).metrics]
    return {(f"{metric.name}_by_bootstrap", metric.group): metric for metric in metrics}


@pytest.mark.parametrize("options", [{}, {"films_per_patient": 3}, {"reads": 1.0}])
@pytest.mark.parametrize("association", ["positive", "negative"])
def test_each_interval_is_about_that_of_the_analytic_number_beside_it(options, association):
    asked = question(world(3, n=2400, **options), association=association)
    ours, theirs = of_aurocs(asked), analytic(asked)

    assert set(ours) == NAMES
    for key, one in ours.items():
        other = theirs[key]
        assert one.value == other.value
        assert (one.n_pos, one.n_neg, one.n_patients) == (other.n_pos, other.n_neg, other.n_patients)
        width = other.high - other.low
        assert one.high - one.low == pytest.approx(width, rel=0.15)
        assert (one.low + one.high) / 2 == pytest.approx((other.low + other.high) / 2, abs=0.15 * width)
        assert one.method == "clustered by patient, stratified bootstrap, 1000 replicates, expanded percentiles"


def test_weights_count():
    frame = world(4, n=800)
    heavy = frame.with_columns(weight=pl.Series(np.where(frame["score"] > 0.5, 3.0, 1.0)))
    for key, one in of_aurocs(question(heavy)).items():
        assert one.value == analytic(question(heavy))[key].value
        assert one.value != found(question(frame))[key].value


def test_what_is_undefined_has_the_reason_of_the_analytic_number():
    ours, theirs = (ask(question(cells({(1, 1): 40, (0, 1): 40, (0, 0): 40}))) for ask in (found, analytic))

    for key in NAMES - {("auroc_by_bootstrap", "all"), ("aligned_auroc_by_bootstrap", "aligned")}:
        assert (ours[key].value, ours[key].reason) == (None, "the test set has no positives without tube")
        assert theirs[key].reason == ours[key].reason
    assert ours["aligned_auroc_by_bootstrap", "aligned"].value is not None


def test_few_patients_on_one_side_are_said():
    ours = of_aurocs(question(cells({(1, 1): 40, (1, 0): 40, (0, 1): 9, (0, 0): 40})))
    reason = "9 patients on one side, too few for a bootstrap (under 10)"

    assert {name: metric.reason for (name, _), metric in ours.items()} == {
        "auroc_by_bootstrap": None, "robust_auroc_by_bootstrap": reason, "aligned_auroc_by_bootstrap": None,
        "auroc_gap_by_bootstrap": reason,
    }  # fmt: skip


def test_a_large_table_is_left_out_and_says_so(monkeypatch):
    monkeypatch.setattr("shortcut_audit.audit.measures.resampled.MOST_ROWS", 299)

    reasons = {metric.reason for metric in of_aurocs(question(world(0, n=300))).values()}
    assert reasons == {"300 test images, more than the 299 up to which it is bootstrapped"}


def test_scores_that_never_differ_have_no_interval():
    flat = world(0, n=300, paired=False).with_columns(score=pl.lit(0.5))

    reasons = {metric.reason for metric in of_aurocs(question(flat)).values()}
    assert reasons == {"all samples of the patients give the same number"}


def test_it_has_no_answer_and_no_part_in_a_verdict():
    findings = cross_check(question(world(0, n=300)))
    result = audit_scores(world(0, n=300), spurious="tube")

    assert (findings.answers, findings.p, findings.remarks) == ((), 1.0, frozenset())
    assert {metric.name for metric in result.metrics} >= {name for name, _ in NAMES}
    assert not any("bootstrap" in answer.check for answer in result.answers)


DECISIONS = {
    *((name, group) for name in ("sensitivity", "specificity", "ppv") for group in ("all", "within:1", "within:0")),
    ("sensitivity_change", "all"), ("false_alarm_change", "all"),
}  # fmt: skip
LOWEST = [f"worst_group_{number}" for number in ("auroc", "sensitivity", "specificity", "accuracy")]


def sexes(n=3000, **options):
    sex = np.random.default_rng(5).choice(["F", "M"], n)
    return world(3, n=n, reads=1.0, **options).with_columns(pl.Series("attribute.sex", sex))


@pytest.mark.parametrize("options", [{}, {"films_per_patient": 3}])
def test_each_decision_is_confirmed(options):
    frame = sexes(**options).with_columns(
        pl.when(pl.int_range(pl.len()) % 11 == 0).then(None).otherwise("attribute.tube").alias("attribute.tube"),
        weight=1.0 + pl.int_range(pl.len()) % 2,
    )
    asked = question(frame, operating_point="0.5")
    ours, theirs = found(asked), analytic(asked)

    assert {(f"{name}_by_bootstrap", group) for name, group in DECISIONS} < set(ours)
    for name, group in DECISIONS:
        one, other = ours[f"{name}_by_bootstrap", group], theirs[f"{name}_by_bootstrap", group]
        assert (one.value, one.n_pos, one.n_neg, one.n_patients) == (
            other.value, other.n_pos, other.n_neg, other.n_patients
        )  # fmt: skip
        assert one.high - one.low == pytest.approx(other.high - other.low, rel=0.2)


def test_each_worst_group_is_confirmed_by_intervals_that_hold_together():
    asked = question(sexes(), operating_point="0.5")
    ours, theirs = found(asked), analytic(asked)

    for name in LOWEST:
        for search, groups in (("groups:tube", 2), ("groups:searched", 6)):
            one, other = ours[f"{name}_by_bootstrap", search], theirs[f"{name}_by_bootstrap", search]
            count = 2 * groups if name == "worst_group_accuracy" else groups
            assert (one.value, one.n, one.n_patients) == (other.value, other.n, other.n_patients)
            assert one.method.startswith(f"lowest of {count} groups (")
            assert one.method.endswith(
                "stratified bootstrap, 1000 replicates, expanded percentiles that hold for all groups at once"
            )
            assert one.high - one.low == pytest.approx(other.high - other.low, rel=0.25)


def test_without_a_threshold_or_in_a_small_group_the_reason_is_said():
    ours = found(question(sexes(600)))
    small = found(question(cells({(1, 1): 9, (1, 0): 9, (0, 1): 9, (0, 0): 9}), operating_point="0.5"))

    reason = "there is no threshold: there are no validation rows to choose it on"
    assert {ours[f"{name}_by_bootstrap", group].reason for name, group in DECISIONS} == {reason}
    assert ours["worst_group_sensitivity_by_bootstrap", "groups:tube"].reason == (
        f"none of 2 groups has a value (tube=1: {reason})"
    )
    assert small["worst_group_auroc_by_bootstrap", "groups:tube"].reason == (
        "none of 2 groups has a value (tube=1: too small: 9 patients in the positives of tube=1, under 10)"
    )


def test_where_every_decision_is_right_there_is_no_bootstrap_interval():
    perfect = cells({(1, 1): 30, (1, 0): 30, (0, 1): 30, (0, 0): 30}, skill=100)
    asked = question(perfect, operating_point="50")
    one = found(asked)["worst_group_accuracy_by_bootstrap", "groups:tube"]
    analytic_one = analytic(asked)["worst_group_accuracy_by_bootstrap", "groups:tube"]

    assert (one.value, one.reason) == (None, "all samples of the patients give the same number")
    assert (analytic_one.value, analytic_one.high) == (1, 1)
    assert 0.8 < analytic_one.low < 0.9


def test_samples_that_lack_a_side_of_a_small_group_are_left_out_and_counted(monkeypatch):
    monkeypatch.setattr("shortcut_audit.audit.measures.resampled.MOST_LACKING", 0.5)
    rare = pl.int_range(pl.len()) < 8
    frame = sexes(400).with_columns(pl.when(rare).then(pl.lit("X")).otherwise("attribute.sex").alias("attribute.sex"))
    one = found(question(frame, min_cell_patients=2))["worst_group_auroc_by_bootstrap", "groups:searched"]

    replicates = int(one.method.split(" replicates")[0].rsplit(" ", 1)[1])
    assert 500 < replicates < 1000
    monkeypatch.setattr("shortcut_audit.audit.measures.resampled.MOST_LACKING", 0.01)
    one = found(question(frame, min_cell_patients=2))["worst_group_auroc_by_bootstrap", "groups:searched"]
    assert one.reason == "too many samples of the patients lack one side of a group"


def test_of_a_control_only_aurocs_are_checked():
    assert set(found(question(sexes(600).with_columns(role=pl.lit("control"))))) == NAMES
