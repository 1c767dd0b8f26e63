"""Which images to label next, and what labelling them brings."""

import csv

import numpy as np
import polars as pl
import pytest
from audit_worlds import question, table

from shortcut_audit.audit.attribute_labels.label_list import LABEL_NEXT, label_list, write_label_list
from shortcut_audit.audit.attribute_labels.label_next import LabelPlan, _class, plan_labels
from shortcut_audit.audit.checks.label_next import label_next
from shortcut_audit.audit.statistics.estimate import Estimate
from shortcut_audit.audit.table.question import Setting
from shortcut_audit.config import EvaluateConfig


def films(known, n=4000, seed=0, patients=1, rates=(0.7, 0.2)):
    """A world of which the tube is known in a share of the films only; the truth stands in ``truth``."""
    rng = np.random.default_rng(seed)
    label = rng.random(n) < 0.4
    tube = (rng.random(n) < np.where(label, *rates)).astype(float)
    seen = rng.random(n) < known
    return pl.DataFrame(
        {
            "sample_id": [f"s{i}" for i in range(n)], "patient_id": [f"p{i // patients}" for i in range(n)],
            "label": label.astype(int), "score": 1.2 * label + tube + rng.normal(size=n),
            "attribute.tube": [value if there else None for value, there in zip(tube, seen, strict=True)],
            "covariate.truth": tube,
        }
    )  # fmt: skip


def width(frame):
    found = question(frame).pair(0, 1).estimate(0.95)
    assert isinstance(found, Estimate)
    return found.high - found.low


def label_those(frame, names):
    listed = pl.col("sample_id").is_in(list(names))
    return frame.with_columns(
        pl.when(listed).then(pl.col("covariate.truth")).otherwise(pl.col("attribute.tube")).alias("attribute.tube")
    )


def test_labelling_the_listed_images_halves_the_interval():
    ratios = []
    for seed in range(10):
        frame = films(0.08, seed=seed)
        names = [name for name, _, _ in label_list([question(frame)])]
        ratios.append(width(label_those(frame, names)) / width(frame))

    assert np.mean(ratios) == pytest.approx(0.5, abs=0.05)


def test_as_many_images_drawn_at_random_do_not_halve_it():
    """The plan asks for more of the class whose images are rarely in its cell and weigh most."""
    plans, random = [], []
    for seed in range(10):
        frame = films(0.08, seed=seed, rates=(0.9, 0.3))
        names = [name for name, _, _ in label_list([question(frame)])]
        unknown = frame.filter(pl.col("attribute.tube").is_null()).sample(len(names), seed=seed)["sample_id"]
        plans.append(width(label_those(frame, names)))
        random.append(width(label_those(frame, unknown)))

    assert np.mean(plans) < np.mean(random)


def test_no_split_of_the_same_number_between_the_classes_is_expected_to_do_better():
    """Brute force over all splits of the planned number, with the formula of the module."""
    asked = question(films(0.1))
    plan = plan_labels(asked)
    assert isinstance(plan, LabelPlan)
    cells = [asked.cell(1, 0), asked.cell(0, 1)]
    known = [asked.test & (asked.label == side) & ~np.isnan(asked.values) for side in (True, False)]
    rates = [cell.sum() / rows.sum() for cell, rows in zip(cells, known, strict=True)]
    # The two shares of the variance, from DeLong's placements.
    high, low = (asked.score[cell] for cell in cells)
    placed = (high[:, None] > low) + 0.5 * (high[:, None] == low)
    units = [placed.mean(axis=1).var(ddof=1), placed.mean(axis=0).var(ddof=1)]

    def expected(positives):
        labels = positives, plan.total - positives
        return sum(
            unit / (cell.sum() + rate * m) for unit, cell, rate, m in zip(units, cells, rates, labels, strict=True)
        )

    best = min(range(plan.total + 1), key=expected)
    now = sum(unit / cell.sum() for unit, cell in zip(units, cells, strict=True))
    assert plan.positives == pytest.approx(best, abs=2)
    assert expected(plan.positives) == pytest.approx(now / 4, rel=0.02)


def test_the_other_cells_weights_count_like_copies_of_its_images():
    """Every negative with a tube weighs 1 or 3; the positives' share of the variance is that of the copied images."""
    frame = films(0.5, n=600)
    heavy = (pl.col("label") == 0) & (pl.col("covariate.truth") == 1) & (pl.col("score") > 1)
    weights = pl.when(heavy).then(3.0).otherwise(1.0).alias("weight")
    copies = [frame, *(frame.filter(heavy).with_columns(pl.col("sample_id") + f"c{i}") for i in range(2))]

    weighted, copied, plain = (
        _class(question(one), 1, 0).variance for one in (frame.with_columns(weights), pl.concat(copies), frame)
    )
    assert weighted == pytest.approx(copied, rel=1e-12)
    assert weighted != pytest.approx(plain, rel=0.01)


def test_where_all_of_them_are_not_enough_the_plan_says_how_far_they_lead():
    plan = plan_labels(question(films(0.7)))

    assert (plan.positives, plan.negatives) == plan.unknown
    assert 0.5 < plan.reached < 1


def test_the_list_depends_on_ids_alone_and_takes_one_image_of_each_patient_first():
    frame = films(0.3, n=3000, patients=3)
    names = [name for name, _, _ in label_list([question(frame)])]
    shuffled = frame.sample(fraction=1, shuffle=True, seed=1)
    plan = plan_labels(question(frame))

    assert [name for name, _, _ in label_list([question(shuffled)])] == names
    patients = dict(zip(frame["sample_id"], frame["patient_id"], strict=True))
    unknown = frame.filter(pl.col("attribute.tube").is_null() & (pl.col("label") == 1))
    first = names[: min(plan.positives, unknown["patient_id"].n_unique())]
    assert len({patients[name] for name in first}) == len(first)


def test_of_two_models_the_one_that_needs_more_labels_decides():
    frame = films(0.1)
    noisy = frame.with_columns(
        model=pl.lit("noisy"), score=pl.col("score") + 3 * pl.Series(np.random.default_rng(1).normal(size=4000))
    )
    alone = [label_list([question(one)]) for one in (frame, noisy)]

    assert len(alone[0]) != len(alone[1])
    assert label_list([question(frame), question(noisy)]) == max(alone, key=len)


@pytest.mark.parametrize(("frame", "reason"), [
    (films(1.0), "the attribute of every test image is known"),
    (
        films(0.5, n=30, rates=(1.0, 0.0)),
        ("the test set has no positives without tube and no negatives with tube; "
        "tube is not known of 16 of its 30 images"),
    ),
])  # fmt: skip
def test_where_there_is_no_plan_the_reason_is_said(frame, reason):
    assert plan_labels(question(frame)) == reason


def test_the_number_stands_in_the_answer_and_decides_nothing():
    asked = question(films(0.1))
    (answer,) = label_next(asked).answers

    assert answer.labels_needed == plan_labels(asked).total
    assert not answer.decides
    assert answer.reason.startswith(f"about {answer.labels_needed} images (")


def test_where_every_attribute_is_known_there_is_nothing_to_say():
    assert label_next(question(films(1.0))).answers == ()


def write(frame, folder, **limits):
    setting = Setting(limits=EvaluateConfig(spurious=["tube"], **limits), pairs="edited", test_design="natural")
    write_label_list(table(frame), setting, folder)
    return folder / LABEL_NEXT


def test_the_file_holds_ids_without_scores_or_labels_for_its_owner_only(tmp_path):
    path = write(films(0.1), tmp_path)

    assert path.stat().st_mode & 0o777 == 0o600
    with path.open() as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["sample_id", "finding", "attribute"]
    assert len(rows) == plan_labels(question(films(0.1))).total


def test_where_all_is_known_there_is_no_file(tmp_path):
    assert not write(films(1.0), tmp_path).exists()
