"""Mistakes found in other tools that measure models: one test each, whose name says it, that we do not share it."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from audit_worlds import cells, question, sampling, world
from scipy.stats import rankdata

from shortcut_audit import audit_scores
from shortcut_audit.audit.compare import compare_models
from shortcut_audit.audit.result.result import write_result
from shortcut_audit.audit.statistics.estimate import Contrast
from shortcut_audit.audit.statistics.means import mean_metric
from shortcut_audit.audit.statistics.metrics import auroc
from shortcut_audit.audit.table.operating_point import candidates, operating_point
from shortcut_audit.audit.table.population import population
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.errors import InputError
from shortcut_audit.masks.agreement import dice, pointing_game


def brute_force(score, label):
    """AUROC over all pairs, ties one half, and both placements."""
    positives, negatives = score[label], score[~label]
    wins = (positives[:, None] > negatives) + 0.5 * (positives[:, None] == negatives)
    return wins.mean(), wins.mean(axis=1), wins.mean(axis=0)


def one_auroc(score, label, clusters=None):
    patients = sampling(np.arange(len(score)) if clusters is None else clusters)
    return auroc(np.flatnonzero(label), np.flatnonzero(~label), patients, score)


def tied(seed=0, n=120):
    """Scores of five levels, so that most pairs of one class are ties."""
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 3 == 0
    return np.clip(np.round(rng.normal(size=n) + label), -2, 2), label


def test_an_empty_group_does_not_score_0():
    result = audit_scores(cells({(1, 1): 20, (1, 0): 0, (0, 1): 20, (0, 0): 20}), spurious="tube")
    (robust,) = result.find("robust_auroc")

    assert robust.value is None
    assert robust.reason == "the test set has no positives without tube"
    assert robust.n == 20


def test_an_empty_group_is_not_the_worst_group():
    result = audit_scores(cells({(1, 1): 40, (1, 0): 0, (0, 1): 40, (0, 0): 40}), spurious="tube")

    assert all(metric.value is None or metric.value > 0 for metric in result.find("worst_group_auroc"))
    assert result.verdicts[0].status == "insufficient"


def test_a_group_of_one_class_has_no_made_up_rates():
    """Neither specificity 0 nor a false-alarm rate of 1 stands in for negatives that are not there."""
    frame = cells({(1, 1): 30, (1, 0): 30, (0, 1): 0, (0, 0): 30})
    result = audit_scores(frame, spurious="tube", operating_point="0.5")
    (specificity,) = result.find("specificity", group="within:1")
    (alarms,) = result.find("flagged_share", group="cell:0:1")

    assert (specificity.value, alarms.value) == (None, None)
    assert "no negatives" in specificity.reason
    assert "no negatives" in alarms.reason


def test_a_finding_that_no_image_is_called_positive_for_is_not_dropped():
    """No score above one half, and a finding without positives: both stay in the audit."""
    low = world(1, n=300).with_columns(pl.col("^score.*$") * 0.4, finding=pl.lit("low"))
    none = world(2, n=300).with_columns(label=0 * pl.col("label"), finding=pl.lit("none"))
    result = audit_scores(pl.concat([low, none]), spurious="tube")

    assert {verdict.finding for verdict in result.verdicts} == {"low", "none"}
    assert result.find("auroc", finding="low")[0].value > 0.8
    assert result.find("auroc", finding="none")[0].reason == "the test set has no positives"


def test_an_auroc_below_one_half_is_not_folded():
    turned = world(1, n=400).with_columns(score=1 - pl.col("score")).drop("score_with.tube", "score_without.tube")

    assert audit_scores(turned, spurious="tube").find("auroc")[0].value < 0.15
    assert audit_scores(world(1, n=2000, reads=5.0), spurious="tube").find("robust_auroc")[0].value < 0.5


@pytest.mark.parametrize("skill", [2.5, 4.0, 9.0])
def test_no_interval_of_an_auroc_passes_1(skill):
    rng = np.random.default_rng(1)
    label = np.arange(40) % 2 == 0
    part = one_auroc(skill * label + rng.normal(size=40), label)
    low, high = Contrast(sampling=sampling(np.arange(40)), rows=(label, ~label), parts=((1.0, part),)).limits(0.95)

    assert 0 <= low < high <= 1


def test_the_variance_is_delongs_and_not_hanley_and_mcneils():
    """The latter knows the area alone; here the scores of positives are spread four times as far."""
    rng = np.random.default_rng(2)
    label = np.arange(300) % 3 == 0
    score = np.where(label, 1.5 + 4 * rng.normal(size=300), rng.normal(size=300))
    area, upper, lower = brute_force(score, label)
    m, n = label.sum(), (~label).sum()
    delong = upper.var(ddof=1) / m + lower.var(ddof=1) / n
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    hanley = (area * (1 - area) + (m - 1) * (q1 - area**2) + (n - 1) * (q2 - area**2)) / (m * n)

    assert one_auroc(score, label).variance == pytest.approx(delong, rel=1e-10)
    assert abs(hanley / delong - 1) > 0.2, "the two must differ for this test to tell them apart"


def test_ties_count_one_half_in_the_value_and_in_the_variance():
    score, label = tied()
    area, upper, lower = brute_force(score, label)
    ranks = rankdata(score)
    whitney = (ranks[label].sum() - label.sum() * (label.sum() + 1) / 2) / (label.sum() * (~label).sum())
    part = one_auroc(score, label)

    assert part.value == pytest.approx(area, abs=1e-12) == pytest.approx(whitney, abs=1e-12)
    assert part.variance == pytest.approx(upper.var(ddof=1) / 40 + lower.var(ddof=1) / 80, rel=1e-10)


def test_a_paired_comparison_minds_ties():
    first, label = tied(1)
    second, _ = tied(2)
    (_, up1, low1), (_, up2, low2) = brute_force(first, label), brute_force(second, label)
    variance = (up1 - up2).var(ddof=1) / 40 + (low1 - low2).var(ddof=1) / 80
    one, other = one_auroc(first, label), one_auroc(second, label)
    found = one.influence - other.influence

    assert found @ found == pytest.approx(variance, rel=1e-10)


def test_a_paired_comparison_minds_patients():
    """Four copies of every image within its patient are no news; an image-level interval would be half as wide."""
    one, other = world(1, n=300), world(1, n=300, reads=1.0, model="other")
    copies = [pl.concat([frame.with_columns((pl.col("sample_id") + f"-{k}").alias("sample_id")) for k in range(4)])
              for frame in (one, other)]  # fmt: skip
    once, four = (compare_models([question(frame) for frame in pair])[0] for pair in ((one, other), copies))

    assert (four.value, four.low, four.high) == pytest.approx((once.value, once.low, once.high), abs=1e-9)
    assert (four.n, four.n_patients) == (1200, 300)


def test_no_interval_has_zero_width_where_the_model_is_perfect():
    result = audit_scores(cells({(1, 1): 30, (1, 0): 30, (0, 1): 30, (0, 0): 30}, skill=50), spurious="tube")

    for name in ("auroc", "robust_auroc", "auroc_gap"):
        assert result.find(name)[0].low < result.find(name)[0].high


def test_the_operating_point_does_not_fall_on_a_sensitivity_of_0():
    """Two thresholds have the specificity asked for; the first that is nearest to it flags no positive."""
    scores = np.r_[np.full(10, 2.0), np.full(20, 1.0), np.zeros(90)]
    label = scores == 1.0
    found = candidates(scores, label, np.ones(120))
    falling = slice(None, None, -1)
    nearest = int(np.argmin(np.abs(found.specificity[falling] - 0.9)))
    rows = [("val", *row) for row in zip(scores, label, strict=True)] + [("test", 0.0, False), ("test", 1.0, True)]
    frame = pl.DataFrame({
        "sample_id": [f"s{i}" for i in range(len(rows))], "split": [row[0] for row in rows],
        "score": [float(row[1]) for row in rows], "label": [int(row[2]) for row in rows],
        "attribute.tube": [float(i % 2) for i in range(len(rows))],
    })  # fmt: skip
    chosen = operating_point(question(frame, operating_point="specificity=0.9")).threshold

    assert found.sensitivity[falling][nearest] == 0.0
    assert chosen == 1.0
    assert found.sensitivity[found.scores == chosen] == 1.0
    assert found.specificity[found.scores == chosen] == 0.9


def test_a_share_is_a_count_over_n_and_not_a_class_index_over_n():
    frame = cells({(1, 1): 3, (1, 0): 9, (0, 1): 60, (0, 0): 28})

    assert population(question(frame)).prevalence == pytest.approx(0.12)
    assert population(question(frame.with_columns(label=1 - pl.col("label")))).prevalence == pytest.approx(0.88)


def test_no_image_of_a_patient_is_silently_left_out():
    frame = world(1, n=400, films_per_patient=4)
    result = audit_scores(frame, spurious="tube")

    assert (result.counts.images, result.counts.patients) == (400, 100)
    assert (result.find("auroc")[0].n, result.find("auroc")[0].n_patients) == (400, 100)


def test_an_unknown_attribute_is_not_taken_as_absent():
    frame = world(1, n=400)
    blank = frame.with_columns(
        pl.when(pl.int_range(400) >= 100).then("attribute.tube").alias("attribute.tube"),
        pl.when(pl.int_range(400) >= 100).then("score_with.tube").alias("score_with.tube"),
    )
    without, all_known = (
        audit_scores(one, spurious="tube").find("auroc_pair", group="pair:0:0")[0].n for one in (blank, frame)
    )
    known = frame.slice(100).filter(pl.col("attribute.tube") == 0).height

    assert without == known < all_known


def test_an_uncertain_label_is_not_taken_as_negative():
    frame = world(1, n=50).with_columns(label=pl.when(pl.int_range(50) == 4).then(-1).otherwise("label"))
    with pytest.raises(
        InputError, match=r"row 5, column 'label' is '-1'; expected 0 or 1; leave out rows without a label"
    ):
        audit_scores(frame, spurious="tube")


def test_a_missing_value_is_left_out_of_a_mean_and_counted_neither_as_0_nor_as_1():
    found = mean_metric(
        [0.2, None, 0.4, 0.6], ["a", "b", "c", "d"], [1, 1, 1, 1], model="m", finding="f", attribute="t", group="all",
        name="saliency_share",
    )  # fmt: skip

    assert found.value == pytest.approx(0.4)
    assert found.n == 3


def test_an_empty_mask_is_not_a_hit_and_not_a_perfect_overlap():
    heatmap, empty = np.ones((4, 4), dtype=np.float32), np.zeros((4, 4), dtype=bool)

    assert pointing_game(heatmap, empty) is None
    assert dice(empty, empty) is None


def test_a_gap_alone_is_no_verdict_on_a_model_of_noise():
    """A rule on the gap alone fires in half of such runs."""
    for seed in range(8):
        frame = world(seed, n=200, skill=0.0, paired=False)
        assert audit_scores(frame, spurious="tube").verdicts[0].status == "insufficient"


def test_an_error_of_the_model_is_not_counted_as_reliance():
    """Half the rankings are wrong, none of them by the tube."""
    result = audit_scores(world(1, n=2000, skill=0.5), spurious="tube", pairs="exact")
    (gap,) = result.find("interventional_gap")

    assert result.find("auroc")[0].value < 0.75
    assert gap.value == pytest.approx(0, abs=1e-12)
    assert result.verdicts[0].reliance == "excluded"


def test_one_seed_of_five_does_not_speak_for_the_training():
    frames = [world(3, n=800, reads=0.0 if seed == 0 else 1.5).with_columns(seed=pl.lit(seed)) for seed in range(5)]
    result = audit_scores(pl.concat(frames), spurious="tube", pairs="exact")
    (agreement,) = result.agreements

    assert result.status == "fail"
    assert agreement.status is None
    assert agreement.counts["fail"] == 4


def test_the_same_table_gives_the_same_numbers_twice():
    frame = world(4, n=300)
    first, second = (audit_scores(frame, spurious="tube") for _ in range(2))

    assert (first.metrics, first.answers, first.verdicts) == (second.metrics, second.answers, second.verdicts)


def test_what_is_not_defined_is_null_with_a_reason_in_the_json_and_never_nan(tmp_path):
    result = audit_scores(cells({(1, 1): 20, (1, 0): 0, (0, 1): 20, (0, 0): 0}), spurious="tube")
    write_result(result, tmp_path / "audit.json")
    text = (tmp_path / "audit.json").read_text()
    undefined = [metric for metric in json.loads(text)["metrics"] if metric["value"] is None]

    assert "NaN" not in text
    assert undefined
    assert all(metric["reason"] for metric in undefined)


def test_a_patient_in_two_splits_is_leakage_and_not_a_split():
    frame = pl.DataFrame({
        "sample_id": ["a", "b", "c"], "image": ["a.png", "b.png", "c.png"], "patient_id": ["p", "p", "q"],
        "split": ["train", "test", "test"], "label.mass": [1, 0, 1],
    })  # fmt: skip
    with pytest.raises(InputError, match="patient"):
        Manifest.from_frame(frame, card=DataCard(name="d", licence="none"), root=None, where="cases.csv")


def test_scores_that_are_no_probabilities_are_ranked_and_said_to_be_none():
    frame = world(1, n=300).with_columns(pl.col("^score.*$") * 8 - 4)
    logits, shares = (audit_scores(one, spurious="tube") for one in (frame, world(1, n=300)))

    assert any("outside 0 to 1: they are read as ranks only" in note for note in logits.notes)
    assert logits.find("auroc")[0].value == pytest.approx(shares.find("auroc")[0].value, abs=1e-12)
