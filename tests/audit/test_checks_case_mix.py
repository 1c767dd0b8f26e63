"""The check of case mix: its metrics and its answer, which never decides."""

import polars as pl
import pytest
from audit_worlds import cells, linked, question, world
from hypothesis import given, settings
from hypothesis import strategies as st

from shortcut_audit.audit.checks import CHECKS
from shortcut_audit.audit.evidence import Case, judge

EVEN = {(1, 1): 60, (1, 0): 60, (0, 1): 60, (0, 0): 60}


def ask(frame, **options):
    return CHECKS.get("case_mix")(question(frame, **options))


def named(findings):
    return {(metric.name, metric.group): metric for metric in findings.metrics}


@pytest.mark.parametrize(("options", "evidence"), [
    ({"reads": 1.5}, "yes"), ({"n": 40_000, "severity": 1.0}, "no"), ({"n": 700, "severity": 1.0}, "cannot tell"),
])  # fmt: skip
def test_the_standardised_gap_is_beyond_within_or_open_and_decides_nothing(options, evidence):
    (answer,) = ask(linked(1, **options)).answers

    assert (answer.evidence, answer.decides) == (evidence, False)
    assert answer.reason.endswith("; this describes and decides nothing")
    assert (answer.n_needed is None) == (evidence != "cannot tell")


def test_numbers_before_and_after():
    found = named(ask(linked(1, n=2000)))

    assert found["smd_before", "covariate:1:severity"].low > 1
    assert abs(found["smd_after", "covariate:1:severity"].value) < 0.1
    assert ("smd_before", "covariate:0:severity") not in found
    effective = found["effective_patients", "cell:1:1"]
    assert 30 < effective.value < effective.n == effective.n_patients
    assert effective.low < effective.value < effective.high
    assert found["robust_auroc_standardised", "robust"].low > 0.8


def test_differences_are_of_those_with_the_attribute_whatever_the_association():
    straight, turned = (named(ask(linked(1), association=sign)) for sign in ("positive", "negative"))

    for key in straight.keys() - {key for key in straight if "standardised" in key[0]}:
        assert turned[key].value == pytest.approx(straight[key].value, abs=1e-9)


def test_a_column_of_no_use_is_listed_with_its_reason():
    found = named(ask(linked(1).with_columns(pl.lit(2.0).alias("covariate.site"))))

    for name in ("smd_before", "smd_after"):
        assert found[name, "covariate:0:site"].reason == "site is the same for all negatives"


def test_too_little_overlap_says_how_many_patients_it_takes():
    findings = ask(linked(0, n=400, severity=6.0))
    (answer,) = findings.answers

    assert answer.reason.startswith("the positives with tube are worth 16 patients after weighting, under 30")
    assert answer.cell_needed == "positives with tube"
    assert answer.n_needed > named(findings)["effective_patients", "cell:1:1"].n_patients
    assert named(findings)["auroc_gap_standardised", "all"].value is None


def test_without_columns_every_standardised_number_has_the_reason():
    found = named(ask(cells(EVEN)))

    assert len(found) == 5
    assert {metric.reason for metric in found.values()} == {
        "there is no column 'severity.finding' and no 'covariate.*'"
    }


def test_an_uncertain_sign_leaves_robust_and_aligned_undefined():
    balanced = cells(EVEN).with_columns(pl.lit("train").alias("split"), ("t" + pl.col("sample_id")).alias("sample_id"))
    test = cells(EVEN).with_columns(pl.lit("test").alias("split"))
    frame = pl.concat([test, balanced]).with_columns(pl.col("score").alias("covariate.age"))
    found = named(ask(frame))

    assert found["robust_auroc_standardised", "robust"].reason.startswith("the sign of the training association")


def test_in_a_reversed_test_set_it_tells_nothing():
    validation = linked(2).with_columns(pl.lit("val").alias("split"), ("v" + pl.col("sample_id")).alias("sample_id"))
    frame = pl.concat([linked(1).with_columns(pl.lit("test").alias("split")), validation])
    (answer,) = ask(frame, test_design="reversed").answers

    assert (answer.evidence, answer.reason.split(";")[0]) == ("cannot tell", "the test set is reversed by design")


@given(seed=st.integers(0, 10**6), severity=st.sampled_from([-2.0, 0.0, 2.0]), reads=st.sampled_from([0.0, 1.0, 4.0]))
@settings(max_examples=12, deadline=None)
def test_on_scores_alone_it_never_shows_or_excludes_reliance(seed, severity, reads):
    asked = question(linked(seed, n=900, severity=severity, age=1.0, reads=reads))
    verdict = judge(Case(question=asked, findings={name: CHECKS.get(name)(asked) for name in CHECKS.names()}))

    assert verdict.reliance == "open"
    assert verdict.status in {"concern", "insufficient"}


def test_pairs_still_decide_beside_case_mix_columns():
    frame = world(1, n=3000, reads=2.0).with_columns(pl.Series("covariate.age", world(2, n=3000)["score"]))
    asked = question(frame)
    verdict = judge(Case(question=asked, findings={name: CHECKS.get(name)(asked) for name in CHECKS.names()}))

    assert verdict.rule == "table:beyond:shown"
