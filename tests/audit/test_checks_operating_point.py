"""Decisions at the threshold, and what they mean for 1,000 patients, against counting by hand."""

import numpy as np
import polars as pl
import pytest
from audit_worlds import cells, question, world

from shortcut_audit import audit_scores
from shortcut_audit.audit.checks.clinical_view import clinical_view
from shortcut_audit.audit.checks.operating_point import operating_point
from shortcut_audit.audit.table.operating_point import operating_point as threshold_of
from shortcut_audit.errors import UsageError

NAMES = {"sensitivity", "specificity", "ppv", "flagged_share", "sensitivity_change", "false_alarm_change"}


def films(seed=1, **options):
    frames = [world(seed, n=500, **options), world(seed + 50, n=300, split="val", **options)]
    unknown = pl.int_range(800) % 11 == 0
    return pl.concat(frames).with_columns(pl.when(~unknown).then("attribute.tube").alias("attribute.tube"))


def numbers(check, asked):
    return {(metric.name, metric.group): metric for metric in check(asked).metrics}


def count(frame, limit, **where):
    """Rows of the test where the columns are so, and how many of them are flagged."""
    rows = [row for row in frame.filter(split="test").rename({"attribute.tube": "tube"}).to_dicts()
            if all(row[key] == value for key, value in where.items())]  # fmt: skip
    return len(rows), sum(row["score"] >= limit for row in rows)


@pytest.mark.parametrize("rule", ["youden", "sensitivity=0.9", "specificity=0.95", "0.5"])
def test_every_share_equals_counting_rows(rule):
    frame = films(reads=1.5, films_per_patient=2)
    asked = question(frame, operating_point=rule)
    limit = threshold_of(asked).threshold
    found = numbers(operating_point, asked)

    assert {name for name, _ in found} == NAMES
    for group, where in {"all": {}, "within:1": {"tube": 1}, "within:0": {"tube": 0}}.items():
        positives, hit = count(frame, limit, label=1, **where)
        negatives, alarmed = count(frame, limit, label=0, **where)
        assert found["sensitivity", group].value == pytest.approx(hit / positives, abs=1e-12)
        assert found["specificity", group].value == pytest.approx(1 - alarmed / negatives, abs=1e-12)
        assert found["ppv", group].value == pytest.approx(hit / (hit + alarmed), abs=1e-12)
        assert (found["sensitivity", group].n_pos, found["sensitivity", group].n_neg) == (positives, 0)
        assert (found["specificity", group].n_pos, found["specificity", group].n_neg) == (0, negatives)
        assert (found["ppv", group].n_pos, found["ppv", group].n_neg) == (hit, alarmed)


def test_the_changes_are_differences_of_the_cells_with_minus_without():
    frame = films(reads=2.0)
    asked = question(frame)
    limit, found = threshold_of(asked).threshold, numbers(operating_point, asked)
    share = {}
    for y in (1, 0):
        for a in (1, 0):
            total, above = count(frame, limit, label=y, tube=a)
            share[y, a] = above / total
            assert found["flagged_share", f"cell:{y}:{a}"].value == pytest.approx(share[y, a], abs=1e-12)

    assert found["sensitivity_change", "all"].value == pytest.approx(share[1, 1] - share[1, 0], abs=1e-12)
    assert found["false_alarm_change", "all"].value == pytest.approx(share[0, 1] - share[0, 0], abs=1e-12)
    assert min(found[name, "all"].low for name in ("sensitivity_change", "false_alarm_change")) > 0


def test_identities_of_the_shares():
    found = numbers(operating_point, question(films(reads=1.0)))

    for value in (0, 1):
        assert found["sensitivity", f"within:{value}"].value == found["flagged_share", f"cell:1:{value}"].value
        false_alarms = found["flagged_share", f"cell:0:{value}"]
        specificity = found["specificity", f"within:{value}"]
        assert specificity.value == pytest.approx(1 - false_alarms.value, abs=1e-12)
        assert (specificity.low, specificity.high) == pytest.approx((1 - false_alarms.high, 1 - false_alarms.low))


def test_a_negative_association_does_not_turn_the_attributes_own_values_round():
    frame = films(reads=1.0)
    one, other = (numbers(operating_point, question(frame, association=sign)) for sign in ("positive", "negative"))

    assert one == other


def test_severity_moves_the_sensitivity_alone_and_harder_negatives_the_false_alarms_alone():
    """By simulation on many rows: the model does not read the tube."""
    changes = {}
    for name, options in {"severe": {"severity": 2.0}, "harder": {"harder": 2.0}}.items():
        frames = [world(3, n=8000, **options), world(4, n=2000, split="val", **options)]
        found = numbers(operating_point, question(pl.concat(frames)))
        changes[name] = [found[change, "all"] for change in ("sensitivity_change", "false_alarm_change")]

    assert changes["severe"][0].low > 0.05
    assert abs(changes["severe"][1].value) < 0.05
    assert changes["harder"][1].low > 0.2
    assert abs(changes["harder"][0].value) < 0.05


def test_without_validation_rows_every_number_has_the_reason():
    for check in (operating_point, clinical_view):
        found = check(question(world(n=60))).metrics
        assert len(found) in {4, 15}
        reason = "there is no threshold: there are no validation rows to choose it on"
        assert all(metric.value is None and metric.reason == reason for metric in found)
    assert {metric.name for metric in operating_point(question(world(n=60))).metrics} == NAMES


def test_a_threshold_above_every_score_flags_nobody_and_says_so():
    found = numbers(operating_point, question(cells({(1, 1): 20, (1, 0): 20, (0, 1): 20, (0, 0): 20}),
                                              operating_point="1e9"))  # fmt: skip

    assert found["sensitivity", "all"].value == 0
    assert 0 < found["sensitivity", "all"].high < 0.2
    assert found["ppv", "within:1"].reason == "no test image with tube is flagged at the threshold"
    assert found["sensitivity_change", "all"].low < 0 < found["sensitivity_change", "all"].high


@pytest.mark.parametrize("check", [operating_point, clinical_view])
def test_a_control_decides_nothing(check):
    frame = films().with_columns(role=pl.lit("control"))

    assert check(question(frame)).metrics == ()


def test_per_1000_is_prevalence_times_rate_times_share():
    asked = question(films(reads=1.5), prevalence=0.05, attribute_rates={"given_finding": 0.6, "given_none": 0.2})
    shares, patients = numbers(operating_point, asked), numbers(clinical_view, asked)

    for name, y, cell_size in (("missed_per_1000", 1, {0: 20, 1: 30}), ("false_alarms_per_1000", 0, {0: 760, 1: 190})):
        for value, size in cell_size.items():
            found, share = patients[name, f"within:{value}"], shares["flagged_share", f"cell:{y}:{value}"]
            ends = [size * (1 - end if y else end) for end in (share.value, share.low, share.high)]
            assert found.value == pytest.approx(ends[0], rel=1e-9)
            assert (found.low, found.high) == pytest.approx(tuple(sorted(ends[1:])), rel=1e-9)
            assert (found.n, found.n_patients) == (share.n, share.n_patients)


def test_without_names_the_four_cells_add_up_to_the_test_set_itself():
    """All attributes known: errors of 1,000 patients are 1,000 times the share of test films called wrongly."""
    frame = pl.concat([world(5, n=400, reads=1.0), world(6, n=200, split="val")])
    asked = question(frame)
    wrong = ((asked.score >= threshold_of(asked).threshold) != asked.label)[asked.test].mean()

    assert sum(metric.value for metric in clinical_view(asked).metrics) == pytest.approx(1000 * wrong, rel=1e-12)


def test_a_patient_that_the_place_does_not_have_is_a_reason_and_no_0():
    asked = question(films(), attribute_rates={"given_finding": 1.0})
    found = numbers(clinical_view, asked)

    assert found["missed_per_1000", "within:0"].reason == "the place of use has no such patient"
    assert found["missed_per_1000", "within:1"].value is not None


def test_nobody_missed_still_has_an_upper_limit():
    found = numbers(clinical_view, question(films(skill=30.0), prevalence=0.1))["missed_per_1000", "within:0"]

    assert (found.value, found.low) == (0, 0)
    assert 0.1 < found.high < 10


def test_the_result_says_threshold_and_place_once_a_model():
    frame = films(reads=1.0)
    both = pl.concat([frame, frame.with_columns(model=pl.lit("other"), score=pl.col("score") / 2)]).drop(
        "score_with.tube", "score_without.tube"
    )
    result = audit_scores(both, spurious=["tube"], operating_point="sensitivity=0.9", prevalence=0.02)

    assert [point.model for point in result.operating_points] == ["model", "other"]
    assert [point.rule for point in result.operating_points] == ["sensitivity=0.9"] * 2
    assert np.isclose(result.operating_points[0].threshold, 2 * result.operating_points[1].threshold)
    assert [(place.model, place.prevalence, place.named) for place in result.populations] == [
        ("model", 0.02, ("prevalence",)), ("other", 0.02, ("prevalence",)),
    ]  # fmt: skip


def test_a_text_that_is_no_operating_point_is_refused_with_what_is_expected():
    with pytest.raises(
        UsageError, match=r"'evaluate.operating_point' is 'best': expected 'youden', 'sensitivity=S' or"
    ):
        audit_scores(films(), spurious="tube", operating_point="best")


def test_groups_without_images_are_named_by_what_a_composite_says():
    site = {"attribute.site": ["a"] * 40 + ["b"] * 40}
    rows = pl.DataFrame({"label": [1, 0] * 40, "score": np.random.default_rng(0).random(80), **site})
    train = rows.with_columns(label=pl.Series([1] * 30 + [0] * 10 + [1] * 10 + [0] * 30), split=pl.lit("train"))
    only = rows.with_columns(pl.Series("attribute.site", ["a"] * 80), split=pl.lit("test"))
    frame = pl.concat([train, only]).with_columns(sample_id=pl.Series([f"s{i}" for i in range(160)]))
    found = numbers(operating_point, question(frame, "site", operating_point="0.5"))

    assert found["sensitivity", "within:0"].reason == (
        "the test set has no positives where site speaks against the finding"
    )
