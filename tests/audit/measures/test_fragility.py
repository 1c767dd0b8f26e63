"""How many relabelled negatives undo a FAIL, and which cases are to be read again."""

import numpy as np
import polars as pl
from audit_worlds import question, table, world

from shortcut_audit import audit_scores
from shortcut_audit.audit.measures.fragility import MOST, conflicting_negatives
from shortcut_audit.audit.run import cases_to_reread
from shortcut_audit.audit.table.question import Setting
from shortcut_audit.config import EvaluateConfig


def hidden(seed=0, *, n=800, model="model"):
    """An honest model; a quarter of the negatives with a tube have the finding after all, and it sees that.

    The reference model, which was never taught the association, does not see it.
    """
    rng = np.random.default_rng(seed + 100)
    frame = world(seed, n=n, skill=2.5, paired=False, model=model)
    overlooked = (frame["label"] == 0) & (frame["attribute.tube"] == 1) & pl.Series(rng.random(n) < 0.25)
    logit = (frame["score"] / (1 - frame["score"])).log()
    return frame.with_columns(
        (logit + 2.5 * overlooked.cast(pl.Float64)).alias("score"),
        (logit + 0.3 * pl.Series(rng.normal(size=n))).alias("reference_score"),
    )


def index_of(result, model="model"):
    return result.find("fragility_index", model=model)[0]


def asking(settings):
    return Setting(limits=settings, pairs="edited", test_design="natural")


def ids(frame, result, **options):
    settings = EvaluateConfig(spurious=["tube"], **options)
    return cases_to_reread(table(frame), result, asking(settings))


def relabelled(frame, samples):
    return frame.with_columns(
        pl.when(pl.col("sample_id").is_in(samples)).then(1).otherwise("label").alias("label")
    )  # fmt: skip


def test_at_the_index_the_fail_is_lost_and_at_one_less_it_is_not():
    frame = hidden()
    result = audit_scores(frame, spurious="tube")
    index = int(index_of(result).value)
    listed = [sample for _, sample in ids(frame, result)]

    assert result.status == "fail"
    assert 1 <= index < MOST
    assert len(listed) == index
    assert audit_scores(relabelled(frame, listed), spurious="tube").status != "fail"
    assert audit_scores(relabelled(frame, listed[:-1]), spurious="tube").status == "fail"


def test_the_cases_are_the_highest_scored_negatives_with_the_tube():
    frame = hidden()
    result = audit_scores(frame, spurious="tube")
    (reread,) = result.rereads
    negatives = frame.filter((pl.col("label") == 0) & (pl.col("attribute.tube") == 1)).sort("score", descending=True)

    assert reread.cases == tuple(f"re-read {k:04d}" for k in range(1, len(reread.cases) + 1))
    assert ids(frame, result) == list(zip(reread.cases, negatives["sample_id"].head(len(reread.cases)), strict=True))
    assert not set(frame["sample_id"]) & set(result.model_dump_json().split('"'))


def test_the_index_is_a_count_with_its_images_and_without_an_interval():
    index = index_of(audit_scores(hidden(), spurious="tube"))

    assert (index.n, index.low, index.high) == (800, None, None)
    assert index.method.endswith("a count, no interval")


def test_with_a_negative_association_the_negatives_without_the_attribute_are_in_conflict():
    frame = hidden().with_columns((1 - pl.col("attribute.tube")).alias("attribute.tube"))
    straight, turned = (
        audit_scores(hidden(), spurious="tube"),
        audit_scores(frame, spurious="tube", association="negative"),
    )

    assert index_of(turned).value == index_of(straight).value
    assert ids(frame, turned, association="negative") == ids(hidden(), straight)


def test_where_pairs_show_reliance_relabelling_does_not_undo_the_fail():
    index = index_of(audit_scores(world(1, n=800, reads=1.5), spurious="tube", pairs="exact"))

    assert index.value is None
    assert index.reason.startswith("it stays a FAIL if the ")
    assert index.reason.endswith(" highest-scored negatives with tube are taken as positives")


def test_where_there_is_no_fail_there_is_no_index_and_nothing_to_read():
    frame = world(1, n=400)
    result = audit_scores(frame, spurious="tube")

    assert index_of(result).reason == "the verdict is not a FAIL"
    assert result.rereads == ()
    assert ids(frame, result) == []


def test_without_conflicting_negatives_nothing_can_be_relabelled():
    frame = world(1, n=600, reads=2.0).filter((pl.col("label") == 1) | (pl.col("attribute.tube") == 0))
    result = audit_scores(frame, spurious="tube", pairs="exact", ask="reliance")

    assert result.status == "fail"
    assert index_of(result).reason == "there are no negatives with tube to relabel"


def test_the_same_image_has_one_number_for_all_models_and_controls_have_no_index():
    frame = pl.concat([hidden(), hidden(model="other"), hidden(model="area")]).with_columns(
        pl.when(pl.col("model") == "area").then(pl.lit("control")).otherwise(pl.lit("model")).alias("role")
    )
    result = audit_scores(frame, spurious="tube")
    listed = ids(frame, result)

    assert [one.model for one in result.rereads] == ["model", "other"]
    assert result.rereads[0].cases[:3] == result.rereads[1].cases[:3]
    assert len({case for case, _ in listed}) == len({sample for _, sample in listed}) == len(listed)
    assert not result.find("fragility_index", model="area")


def test_equal_scores_are_ordered_by_id_and_not_by_row():
    frame = hidden(n=200).with_columns(pl.col("score").round())
    shuffled = frame.sample(fraction=1, shuffle=True, seed=2)
    one, two = question(frame), question(shuffled)
    first, second = (asked.samples.gather(conflicting_negatives(asked)).to_list() for asked in (one, two))

    assert first == second
    assert len(first) > 10


def test_one_score_a_patient_lists_patients():
    frame = hidden().with_columns(("p" + pl.col("sample_id")).alias("patient_id"))
    settings = EvaluateConfig(spurious=["tube"], per="patient")
    images = audit_scores(frame, spurious="tube")
    listed = cases_to_reread(table(frame), images, asking(settings))

    assert all(sample.startswith("ptest") for _, sample in listed)
