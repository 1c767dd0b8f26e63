"""The verdict, row by row of its table, and everything that comes before and after the table."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from audit_worlds import cells, linked, question, world
from hypothesis import given, settings
from hypothesis import strategies as st

from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.evidence import GAP_ALONE, RELIANCE_ALONE, TABLE, Case, correct, holm, judge
from shortcut_audit.audit.wording import feature_name, number

GAP = {"beyond": "yes", "within": "no", "open": "cannot tell"}
RELIANCE = {"shown": "yes", "excluded": "no", "open": "cannot tell"}
FORBIDDEN = (
    "unbiased",
    "safe",
    "no shortcut",
    "proves",
    "explains",
    "the model thinks",
    "causes",
    "ground truth",
    "nan",
)


def case(frame=None, **options):
    asked = question(world(n=600) if frame is None else frame, **options)
    return Case(question=asked, findings={name: CHECKS.get(name)(asked) for name in CHECKS.names()})


def told(base, *, gap=None, reliance=None, remarks=frozenset()):
    """The same case with other answers."""
    findings = dict(base.findings)
    for check, evidence in (("gap", GAP.get(gap)), ("reliance", RELIANCE.get(reliance))):
        if evidence:
            answer = (
                findings[check]
                .answers[0]
                .model_copy(update={"evidence": evidence, "n_needed": 700, "cell_needed": "positives without tube"})
            )
            findings[check] = replace(findings[check], answers=(answer,), remarks=frozenset(remarks))
    return Case(question=base.question, findings=findings)


def verdict_words(verdict):
    return " ".join(verdict.sentences)


@pytest.mark.parametrize(("gap", "reliance", "status"), [
    ("beyond", "shown", "fail"), ("beyond", "open", "concern"), ("beyond", "excluded", "concern"),
    ("open", "shown", "fail"), ("open", "open", "insufficient"), ("open", "excluded", "insufficient"),
    ("within", "shown", "fail"), ("within", "open", "concern"), ("within", "excluded", "pass"),
])  # fmt: skip
def test_the_table_holds_row_by_row(gap, reliance, status):
    verdict = judge(told(case(), gap=gap, reliance=reliance))

    assert (verdict.status, verdict.gap, verdict.reliance) == (status, gap, reliance)
    assert (verdict.rule, verdict.answers) == (f"table:{gap}:{reliance}", ("gap", "reliance"))


@pytest.mark.parametrize("remark", ["gap is not 0", "both sides"])
def test_two_open_answers_are_a_concern_where_the_scores_say_something(remark):
    verdict = judge(told(case(), gap="open", reliance="open", remarks={remark}))

    assert (verdict.status, verdict.rule) == ("concern", f"table:open:open:{remark}")


@pytest.mark.parametrize(("gap", "status"), [("beyond", "concern"), ("open", "insufficient"), ("within", "pass")])
def test_asked_for_the_gap_alone_it_never_fails(gap, status):
    verdict = judge(told(case(ask="gap"), gap=gap, reliance="shown"))

    assert (verdict.status, verdict.rule, verdict.answers) == (status, f"ask:gap:{gap}", ("gap",))
    assert "Reliance was not asked." in verdict_words(verdict)


@pytest.mark.parametrize(("reliance", "status"), [("shown", "fail"), ("excluded", "pass"), ("open", "insufficient")])
def test_asked_for_reliance_alone_the_gap_does_not_matter(reliance, status):
    verdict = judge(told(case(ask="reliance"), gap="open", reliance=reliance))

    assert (verdict.status, verdict.rule, verdict.answers) == (status, f"ask:reliance:{reliance}", ("reliance",))
    assert "The gap was not asked." in verdict_words(verdict)


def test_nothing_but_a_reliance_that_is_shown_makes_a_fail():
    """The fragility index asks skill and reliance anew, and the gap not."""
    assert all((status == "fail") == (reliance == "shown") for (_, reliance), status in TABLE.items())
    assert all((status == "fail") == (reliance == "shown") for reliance, status in RELIANCE_ALONE.items())
    assert "fail" not in GAP_ALONE.values()


def test_without_skill_nothing_is_audited_whatever_was_found():
    verdict = judge(told(case(world(skill=0.0)), gap="beyond", reliance="shown"))

    assert (verdict.status, verdict.rule, verdict.answers) == ("insufficient", "skill", ("skill",))


SMALL = {(1, 1): 60, (1, 0): 60, (0, 1): 9, (0, 0): 60}


@pytest.mark.parametrize(("ask", "reliance", "status", "rule"), [
    ("both", "excluded", "insufficient", "cell"), ("both", "open", "insufficient", "cell"),
    ("both", "shown", "fail", "table:open:shown"), ("gap", "shown", "insufficient", "cell"),
    ("reliance", "excluded", "pass", "ask:reliance:excluded"),
])  # fmt: skip
def test_a_tiny_cell_is_insufficient_unless_pairs_show_reliance(ask, reliance, status, rule):
    verdict = judge(told(case(cells(SMALL), ask=ask), reliance=reliance))

    assert (verdict.status, verdict.rule) == (status, rule)


@pytest.mark.parametrize(("cell", "status"), [(29, "insufficient"), (30, "pass")])
def test_a_pass_needs_thirty_images_in_every_cell(cell, status):
    verdict = judge(told(case(cells({**SMALL, (0, 1): cell})), gap="within", reliance="excluded"))

    assert verdict.status == status
    if status == "insufficient":
        assert verdict.rule == "images"
        assert (
            verdict.sentences[0]
            == "We cannot tell: 29 patients in the cell negatives with tube; about 30 would decide."
        )


def test_a_pass_on_reliance_alone_needs_thirty_images_of_each_class():
    few = cells({(1, 1): 15, (1, 0): 14, (0, 1): 100, (0, 0): 100})
    verdict = judge(told(case(few, ask="reliance"), reliance="excluded"))

    assert (verdict.status, verdict.rule) == ("insufficient", "images")
    assert "29 patients among the positives" in verdict.sentences[0]


def test_an_insufficient_verdict_says_how_many_would_decide_in_which_cell():
    verdict = judge(case(cells(SMALL)))

    assert verdict.sentences[0].startswith("We cannot tell: 9 patients in the cell negatives with tube; about ")
    assert verdict.sentences[0].endswith(" would decide.")


def test_reliance_asked_alone_without_pairs_says_what_it_takes():
    verdict = judge(case(world(n=600, paired=False), ask="reliance"))

    assert verdict.sentences[0] == "We cannot tell: it takes the same images with and without tube."


def test_one_class_only_is_insufficient_and_names_the_missing_class():
    verdict = judge(case(cells({(1, 1): 30, (1, 0): 30})))

    assert (verdict.status, verdict.rule) == ("insufficient", "skill")
    assert verdict.sentences[0] == "We cannot tell: 0 patients among the negatives; about 30 would decide."


REVERSED = {"test_design": "reversed"}


def trap(*, validation=True, attributes=("tube", "lead"), reads=3.0):
    """A composite learnt in training, kept in validation, turned round in the test set."""
    parts = []
    for split in ("train", "val", "test") if validation else ("train", "test"):
        frame = world(11, n=900, split=split, reads=0.0, paired=False)
        suggests = pl.col("attribute.tube") == 1
        frame = frame.with_columns(
            (1 - pl.col("attribute.tube") if split == "test" else pl.col("attribute.tube")).alias("attribute.tube")
        )
        logit = pl.col("score").log() - (1 - pl.col("score")).log() + reads * suggests.cast(pl.Float64)
        parts.append(frame.with_columns((1 / (1 + (-logit).exp())).alias("score")))
    joined = pl.concat(parts)
    return joined.with_columns(pl.col("attribute.tube").alias(f"attribute.{name}") for name in attributes)


def test_several_attributes_reversed_jointly_cannot_be_judged_one_by_one():
    verdict = judge(case(trap(), attribute="tube", **REVERSED))

    assert (verdict.status, verdict.rule) == ("insufficient", "design:reversed")
    assert (verdict.gap, verdict.reliance) == ("open", "open")


def test_their_composite_is_judged_by_the_drop_from_validation_to_test():
    judged = case(trap(), attribute="tube+lead", **REVERSED)
    verdict, gap = judge(judged), judged.answer("gap")
    asked = judged.question

    assert gap.number == "designed_shift"
    assert gap.value == pytest.approx(asked.validation.value - asked.overall.value)
    assert (verdict.status, verdict.rule) == ("concern", "table:beyond:open")
    assert judged.answer("skill").number == "auroc_validation"
    assert "lower by 0.328 in the reversed test set than in validation" in verdict.sentences[1]
    assert "The validation figure also chose the checkpoint." in verdict.sentences[2]


def test_a_single_attribute_reversed_by_design_may_be_judged():
    judged = case(trap(attributes=()), attribute="tube", **REVERSED)

    assert judge(judged).rule != "design:reversed"


def test_a_reversed_test_set_without_validation_rows_is_insufficient():
    verdict = judge(case(trap(validation=False), attribute="tube+lead", **REVERSED))

    assert (verdict.status, verdict.rule) == ("insufficient", "design:reversed:no validation")


def test_both_sides_above_half_the_margin_are_said_to_be_consistent_with_use():
    words = verdict_words(judge(case(world(1, reads=2.0, paired=False))))

    assert "consistent with use of tube; severity and harder negatives together would look the same" in words
    assert "depends on" not in words


def test_case_mix_that_was_measured_is_taken_out_before_both_sides_are_suspected():
    frame = linked(1, n=3000, severity=1.5, age=1.5)
    bare = frame.drop("severity.finding", "covariate.age")

    assert "consistent with use" in verdict_words(judge(case(bare)))
    assert "consistent with use" not in verdict_words(judge(case(frame)))


def test_sides_that_stay_when_case_mix_is_taken_out_are_consistent_with_use_and_show_nothing():
    verdict = judge(case(linked(1, n=3000, age=1.0, reads=1.0)))

    assert "consistent with use of tube" in verdict_words(verdict)
    assert (verdict.status, verdict.reliance) == ("concern", "open")


def test_raw_sides_count_beside_case_mix_columns_where_the_order_is_turned_round():
    blank = pl.when(pl.int_range(pl.len()) > 0).then(None).otherwise(1.0)
    cheat = world(1, n=3000, reads=4.0, paired=False)
    unlike = cheat.with_columns(
        pl.Series("covariate.age", 1.0 * cheat["attribute.tube"] + 1e-3 * np.arange(3000) / 3000)
    )

    assert "consistent with use" in verdict_words(judge(case(cheat.with_columns(blank.alias("covariate.age")))))
    assert "consistent with use" in verdict_words(judge(case(unlike)))
    mild = world(1, n=3000, reads=1.0, paired=False).with_columns(unlike["covariate.age"])
    assert "consistent with use" not in verdict_words(judge(case(mild)))


EVERY_VERDICT = [
    {"gap": g, "reliance": r, "ask": ask} for g in GAP for r in RELIANCE for ask in ("both", "gap", "reliance")
]  # fmt: skip


@pytest.mark.parametrize("answers", EVERY_VERDICT)
def test_three_sentences_the_first_short_and_none_with_a_forbidden_word(answers):
    ask = answers["ask"]
    verdict = judge(told(case(ask=ask), gap=answers["gap"], reliance=answers["reliance"]))
    words = verdict_words(verdict).lower()

    assert len(verdict.sentences) == 3
    assert len(verdict.sentences[0].split()) <= 20
    assert not [word for word in FORBIDDEN if word in words.split() or (" " in word and word in words)]
    assert "relies on" not in words
    assert ("depends on" in words) == (verdict.status == "fail")


def test_the_fail_sentence_has_effect_interval_and_limit():
    verdict = judge(case(world(2, reads=2.0)))
    second = verdict.sentences[1]

    assert verdict.sentences[0] == "The score depends on tube."
    assert second.startswith("Switching tube on and off in the same images moves the gap by 0.")
    assert "95 % CI 0." in second
    assert second.endswith("limit 0.05).")


def test_a_masked_reliance_is_said_to_be_masked():
    assert "the case mix masks the reliance" in verdict_words(judge(told(case(), gap="within", reliance="shown")))


def test_names_are_read_as_words_and_numbers_with_a_true_minus():
    assert feature_name("chest_tube") == "chest tube"
    assert feature_name("projection=ap") == "projection ap"
    assert feature_name("a+b+c") == "the composite of 3 attributes"
    assert (number(-0.0514), number(None)) == ("\N{MINUS SIGN}0.051", "not computed")


def test_holm_stops_at_the_first_that_does_not_survive():
    assert holm([0.001, 0.02, 0.012, 0.5], [0.025] * 4) == [True, False, False, False]
    assert holm([0.001, 0.012, 0.008, 0.5], [0.025] * 4) == [True, True, True, False]


@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=8))
@settings(max_examples=50, deadline=None)
def test_holm_rejects_no_more_than_no_correction_and_no_less_than_bonferroni(p):
    for value, rejected in zip(p, holm(p, [0.025] * len(p)), strict=True):
        assert not (rejected and value > 0.025)
        assert rejected or value > 0.025 / len(p)


def test_a_row_that_does_not_survive_is_open_with_its_interval_and_a_plan():
    weak = case(world(2, reads=2.0))
    findings = {**weak.findings, "gap": replace(weak.findings["gap"], p=0.02)}
    rows = [Case(question=weak.question, findings=findings), told(weak, gap="open"), told(weak, gap="open")]
    rows[1:] = [
        Case(question=one.question, findings={**one.findings, "gap": replace(one.findings["gap"], p=1.0)})
        for one in rows[1:]
    ]

    first = correct(rows)[0]
    before, after = weak.answer("gap"), first.answer("gap")

    assert (first.gap, after.n_needed > 0) == ("open", True)
    assert (after.low, after.high) == (before.low, before.high)
    assert after.reason.endswith("which does not survive Holm's correction over 3 rows")
    assert first.reliance == "shown"


def test_one_row_needs_no_correction():
    one = case(world(2, reads=2.0))

    assert correct([one])[0] is one


def test_findings_hold_nothing_by_default():
    assert Findings() == Findings(answers=(), metrics=(), p=1.0, remarks=frozenset())


def test_a_reliance_that_two_sources_open_says_so_whatever_the_rows():
    weak = case(world(2, reads=2.0))
    doubled = replace(weak.findings["reliance"], p=0.03, sources=2)
    shown = Case(question=weak.question, findings={**weak.findings, "reliance": doubled})

    (alone,) = correct([shown])
    among = correct([shown, told(weak, reliance="open")])[0]

    two = "the correction for two sources (the pairs and the reference model)"
    assert alone.reliance == "open"
    assert alone.answer("reliance").reason.endswith(f", which does not survive {two}")
    assert among.answer("reliance").reason.endswith(f"does not survive Holm's correction over 2 rows and {two}")


def test_reliance_counts_the_sources_that_give_a_number():
    frame = world(2, reads=2.0)
    both = frame.with_columns(reference_score=pl.col("score_without.tube"))

    assert [case(one).findings["reliance"].sources for one in (frame, both)] == [1, 2]
