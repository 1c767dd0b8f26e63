"""Two versions of a model on the same films, and what must be the same for the comparison to mean anything."""

import numpy as np
import polars as pl
import pytest
from audit_worlds import table, world

from shortcut_audit import audit_scores
from shortcut_audit.audit.table.question import Setting
from shortcut_audit.audit.versions.update import differences, films, not_worse, pair_versions
from shortcut_audit.config import EvaluateConfig
from shortcut_audit.errors import InputError, UsageError

NAMES = ["auroc", "robust_auroc", "aligned_auroc", "auroc_gap", "interventional_gap", "score_shift", "score_shift"]


def pairs(a, b, *attributes, **limits):
    setting = Setting(
        limits=EvaluateConfig(spurious=list(attributes or ("tube",)), **limits), pairs="edited", test_design="natural"
    )
    return pair_versions(table(a), table(b), setting)


def old(**options):
    return world(1, n=400, films_per_patient=2, reads=1.5, **options)


def new(**options):
    return world(1, n=400, films_per_patient=2, reads=0.2, **options)


def test_every_difference_is_that_of_the_two_audits_on_the_same_films():
    (paired,) = pairs(old(), new())
    found = differences(paired)
    a, b = (audit_scores(frame, spurious="tube") for frame in (old(), new()))

    assert [one.name for one in found] == NAMES
    for one in found:
        before, after = (audit.find(one.name, group=one.group)[0] for audit in (a, b))
        assert one.value == pytest.approx(after.value - before.value, abs=1e-12)
        assert (one.a.value, one.b.value) == pytest.approx((before.value, after.value), abs=1e-12)
        assert (one.n, one.n_pos, one.n_neg, one.n_patients) == (
            after.n,
            after.n_pos,
            after.n_neg,
            after.n_patients,
        )
        assert one.low < one.value < one.high


def test_a_pair_is_narrower_than_two_audits_beside_each_other():
    (paired,) = pairs(old(), new())
    for one in differences(paired):
        apart = np.hypot(one.a.high - one.a.low, one.b.high - one.b.low)
        assert one.high - one.low < apart


def test_exchanging_a_and_b_turns_every_sign():
    ((there,), (back,)) = pairs(old(), new()), pairs(new(), old())
    for one, other in zip(differences(there), differences(back), strict=True):
        assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low), abs=1e-9)


def test_only_common_films_count_and_the_others_are_counted():
    a = old().head(350)
    b = new().tail(300).sample(fraction=1, shuffle=True, seed=3)
    (paired,) = pairs(a, b)
    shared = audit_scores(old().slice(100, 250), spurious="tube").find("robust_auroc")[0]

    (counted,) = films([paired])
    assert (counted.images, counted.patients, counted.only_a, counted.only_b) == (250, 125, 100, 50)
    assert differences(paired)[1].a.value == pytest.approx(shared.value, abs=1e-12)


def test_rows_of_other_splits_are_not_compared():
    train = world(5, n=200, split="train")
    (paired,) = pairs(pl.concat([old(), train]), pl.concat([new(), train]))

    assert films([paired])[0].images == 400


def test_a_model_without_a_namesake_is_matched_where_each_side_has_one():
    (paired,) = pairs(old(model="resnet"), new(model="densenet"))

    assert differences(paired)[0].model == "densenet"
    assert differences(paired)[0].other == "resnet"


def test_several_models_are_matched_by_name_and_controls_are_left_out():
    control = old(model="area").with_columns(role=pl.lit("control"))
    plain = [frame.with_columns(role=pl.lit("model")) for frame in (old(model="one"), new(model="two"))]
    found = pairs(pl.concat([*plain, control]), pl.concat([plain[1], control]).with_columns(pl.col("score") * 0.9
                  ).drop("score_with.tube", "score_without.tube"))  # fmt: skip

    assert [pair.names for pair in found] == [("two", "two")]


def test_models_without_a_common_name_are_refused():
    several = pl.concat([old(model="one"), old(model="two")])
    with pytest.raises(UsageError, match=r"no model in common \(A: one, two; B: three\); models are matched by name"):
        pairs(several, new(model="three"))


def test_findings_without_a_common_name_are_refused():
    with pytest.raises(UsageError, match=r"no finding in common \(A: mass; B: finding\); give the same finding"):
        pairs(old().with_columns(finding=pl.lit("mass")), new())


def test_a_model_that_lacks_the_only_common_finding_is_refused():
    other = new(model="two").with_columns(finding=pl.lit("mass"))
    a = pl.concat([old(model="one").with_columns(finding=pl.lit("finding")), other])
    b = pl.concat(
        [old(model="one").with_columns(finding=pl.lit("mass")), other.with_columns(finding=pl.lit("finding"))]
    )
    with pytest.raises(UsageError, match="no model with rows of one finding in common"):
        pairs(a, b)


def test_versions_without_common_films_are_refused_with_a_name_of_each():
    other = new().with_columns(("x" + pl.col("sample_id")).alias("sample_id"))
    with pytest.raises(
        InputError, match="no test film of 'finding' in common: the first is 'test0' in A, the first is"
    ):
        pairs(old(), other)


def test_a_version_without_test_rows_is_refused():
    with pytest.raises(InputError, match="in common: the first is 'test0' in A, there is none in B"):
        pairs(old(), new().with_columns(split=pl.lit("val")))


def test_another_label_is_refused_with_the_film():
    other = new().with_columns(
        label=pl.when(pl.col("sample_id") == "test7").then(1 - pl.col("label")).otherwise("label")
    )
    with pytest.raises(
        InputError, match=r"sample_id 'test7', finding 'finding': label is [01] for model in A and [01] for"
    ):
        pairs(old(), other)


@pytest.mark.parametrize(("value", "words"), [(None, "unknown"), ("other", "[01]")])
def test_another_value_of_the_attribute_is_refused_with_the_film(value, words):
    changed = pl.lit(None) if value is None else 1 - pl.col("attribute.tube")
    at = pl.col("sample_id") == "test7"
    other = new().with_columns(pl.when(at).then(changed).otherwise("attribute.tube").alias("attribute.tube"))
    with pytest.raises(InputError, match=rf"'test7', finding 'finding': tube is [01] for model in A and {words} for"):
        pairs(old(), other)


def test_other_weights_and_other_patients_are_refused():
    weights = pl.lit(2.0).alias("weight")
    with pytest.raises(InputError, match="weight is 1 for model in A and 2 for model in B"):
        pairs(old(), new().with_columns(weights))
    with pytest.raises(
        InputError, match="do not say the same about which test films of 'finding' belong to one patient"
    ):
        pairs(old(), new().with_columns(patient_id="sample_id"))


def test_patients_may_have_other_names_or_be_named_in_one_table_only():
    renamed = new().with_columns(("q" + pl.col("patient_id")).alias("patient_id"))
    found = [films(pairs(*both))[0].patients for both in
             ((old(), renamed), (old(), new().drop("patient_id")), (old().drop("patient_id"), new()))]  # fmt: skip

    assert found == [200, 200, 200]


def test_an_attribute_that_one_table_lacks_names_the_table():
    with pytest.raises(UsageError, match="B: there is no attribute 'tube'"):
        pairs(old(), new().drop("attribute.tube", "score_with.tube", "score_without.tube"))


def test_opposed_associations_leave_only_what_needs_no_cells():
    def trained(turned):
        label = np.tile([0, 1], 100)
        values = 1 - label if turned else label
        return pl.DataFrame({"sample_id": [f"t{i}" for i in range(200)], "patient_id": [f"t{i}" for i in range(200)],
                             "model": "model", "label": label, "split": "train", "score": 0.5,
                             "attribute.tube": values.astype(float), "score_with.tube": 0.5,
                             "score_without.tube": 0.5}, schema_overrides={"label": pl.Int64})  # fmt: skip

    (paired,) = pairs(pl.concat([old(), trained(turned=False)]), pl.concat([new(), trained(turned=True)]))
    found = {(one.name, one.group): one for one in differences(paired)}

    assert found["robust_auroc", "robust"].reason.startswith("the training associations are opposed (A: P(a|y=1) 1.000")
    assert found["auroc_gap", "all"].value is None
    assert found["interventional_gap", "all"].value is None
    assert found["auroc", "all"].value is not None
    assert found["score_shift", "label:0"].value is not None
    (judged,) = not_worse(paired, {"robust_auroc": 0.02})
    assert judged.status == "insufficient"
    assert judged.sentence.startswith("We cannot tell whether B is worse: the training associations are opposed")


@pytest.mark.parametrize(("skill", "status", "words"), [
    (0.2, "fail", "B is worse than A by more than the margin: loss 0."),
    (2.0, "pass", "B is not worse than A by more than the margin: loss"),
])  # fmt: skip
def test_a_version_that_ranks_worse_fails_and_one_that_is_the_same_passes(skill, status, words):
    b = (
        old()
        .with_columns(
            pl.Series(
                "score", skill / 2 * old()["score"].to_numpy() + (1 - skill / 2) * np.random.default_rng(1).random(400)
            )
        )
        .drop("score_with.tube", "score_without.tube")
    )
    (paired,) = pairs(old(), b)
    (judged,) = not_worse(paired, {"auroc": 0.05})

    assert judged.status == status
    assert judged.sentence.startswith(words)
    assert judged.low <= judged.value <= judged.high


def test_every_number_with_a_margin_is_judged_and_no_other():
    (paired,) = pairs(old(), new())
    judged = not_worse(paired, {"score_shift": 0.1, "auroc_gap": 0.1})

    assert [(one.name, one.group, one.margin) for one in judged] == [
        ("auroc_gap", "all", 0.1), ("score_shift", "label:0", 0.1), ("score_shift", "label:1", 0.1),
    ]  # fmt: skip


def test_seeds_are_compared_by_their_means():
    def seeds(frame):
        return pl.concat([
            frame.with_columns(seed=pl.lit(str(k)), score=pl.col("score") + 0.05 * k * (pl.int_range(400) % 3))
            for k in range(3)
        ]).drop("score_with.tube", "score_without.tube")  # fmt: skip

    (paired,) = pairs(seeds(old()), seeds(new()))
    auroc = differences(paired)[0]
    means = [
        next(found.value for found in audit_scores(seeds(frame), spurious="tube").seeds if found.name == "auroc")
        for frame in (old(), new())
    ]

    assert (auroc.model, auroc.other) == ("model", "model")
    assert auroc.value == pytest.approx(means[1] - means[0], abs=1e-12)
    assert auroc.method.endswith("seeds by t")
