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


def found(asked):
    return {(metric.name, metric.group): metric for metric in cross_check(asked).metrics}


def analytic(asked):
    metrics = [metric for check in ("performance", "gap") for metric in CHECKS.get(check)(asked).metrics]
    return {(f"{metric.name}_by_bootstrap", metric.group): metric for metric in metrics}


@pytest.mark.parametrize("options", [{}, {"films_per_patient": 3}, {"reads": 1.0}])
@pytest.mark.parametrize("association", ["positive", "negative"])
def test_each_interval_is_about_that_of_the_analytic_number_beside_it(options, association):
    asked = question(world(3, n=2400, **options), association=association)
    ours, theirs = found(asked), analytic(asked)

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
    for key, one in found(question(heavy)).items():
        assert one.value == analytic(question(heavy))[key].value
        assert one.value != found(question(frame))[key].value


def test_what_is_undefined_has_the_reason_of_the_analytic_number():
    ours, theirs = (ask(question(cells({(1, 1): 40, (0, 1): 40, (0, 0): 40}))) for ask in (found, analytic))

    for key in NAMES - {("auroc_by_bootstrap", "all"), ("aligned_auroc_by_bootstrap", "aligned")}:
        assert (ours[key].value, ours[key].reason) == (None, "the test set has no positives without tube")
        assert theirs[key].reason == ours[key].reason
    assert ours["aligned_auroc_by_bootstrap", "aligned"].value is not None


def test_few_patients_on_one_side_are_said():
    ours = found(question(cells({(1, 1): 40, (1, 0): 40, (0, 1): 9, (0, 0): 40})))
    reason = "9 patients on one side, too few for a bootstrap (under 10)"

    assert {name: metric.reason for (name, _), metric in ours.items()} == {
        "auroc_by_bootstrap": None, "robust_auroc_by_bootstrap": reason, "aligned_auroc_by_bootstrap": None,
        "auroc_gap_by_bootstrap": reason,
    }  # fmt: skip


def test_a_large_table_is_left_out_and_says_so(monkeypatch):
    monkeypatch.setattr("shortcut_audit.audit.checks.cross_check.MOST_ROWS", 299)

    reasons = {metric.reason for metric in found(question(world(0, n=300))).values()}
    assert reasons == {"300 test images, more than the 299 up to which it is bootstrapped"}


def test_scores_that_never_differ_have_no_interval():
    flat = world(0, n=300, paired=False).with_columns(score=pl.lit(0.5))

    reasons = {metric.reason for metric in found(question(flat)).values()}
    assert reasons == {"all samples of the patients give the same number"}


def test_it_has_no_answer_and_no_part_in_a_verdict():
    findings = cross_check(question(world(0, n=300)))
    result = audit_scores(world(0, n=300), spurious="tube")

    assert (findings.answers, findings.p, findings.remarks) == ((), 1.0, frozenset())
    assert {metric.name for metric in result.metrics} >= {name for name, _ in NAMES}
    assert not any("bootstrap" in answer.check for answer in result.answers)
