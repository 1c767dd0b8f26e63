"""What an AUROC is made of: the parts add up, and what is projected is what reweighted images give."""

import numpy as np
import polars as pl
import pytest
from audit_worlds import cells, question, world
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, norm
from sklearn.metrics import roc_auc_score

from shortcut_audit.audit.checks import CHECKS
from shortcut_audit.audit.measures.decomposition import CELLS, Decomposition
from shortcut_audit.audit.statistics.estimate import Undefined
from shortcut_audit.audit.statistics.simultaneous import simultaneous_level

EVEN = {(1, 1): 40, (1, 0): 40, (0, 1): 40, (0, 0): 40}


def made(frame, **options):
    return Decomposition(question=question(frame, **options))


def found(frame, **options):
    metrics = CHECKS.get("decomposition")(question(frame, **options)).metrics
    return {(one.name, one.q or one.group): one for one in metrics}


def tied(seed, n=80, *, unknown=True, weights=False):
    """Scores of five levels, several images a patient, some attributes unknown."""
    frame = world(seed, n=n, reads=0.8, films_per_patient=2, paired=False)
    frame = frame.with_columns((pl.col("score") * 5).round() / 5)
    if unknown:
        frame = frame.with_columns(
            pl.when(pl.int_range(n) % 7 == 0).then(None).otherwise("attribute.tube").alias("attribute.tube")
        )
    return frame.with_columns((1.0 + pl.int_range(n) % 3).alias("weight")) if weights else frame


def g(frame, u, v):
    """AUROC by scikit-learn with images reweighted to the rates u and v."""
    frame = frame.drop_nulls("attribute.tube")
    label, has = frame["label"].to_numpy(), frame["attribute.tube"].to_numpy()
    own = frame["weight"].to_numpy() if "weight" in frame.columns else np.ones(len(label))
    weights = np.zeros(len(label))
    for y, rate in ((1, u), (0, v)):
        for a, share in ((1, rate), (0, 1 - rate)):
            inside = (label == y) & (has == a)
            weights[inside] = share * own[inside] / own[inside].sum()
    return roc_auc_score(label, frame["score"], sample_weight=weights)


@given(seed=st.integers(0, 10**6), unknown=st.booleans(), weights=st.booleans(), negative=st.booleans())
@settings(max_examples=40, deadline=None)
def test_the_parts_add_up_to_the_auroc_of_the_images_whose_attribute_is_known(seed, unknown, weights, negative):
    frame = tied(seed, unknown=unknown, weights=weights)
    parts = made(frame, association="negative" if negative else "positive")
    if any(pair.reason for pair in parts.pairs.values()):
        return
    known = frame.drop_nulls("attribute.tube")
    own = known["weight"] if weights else None
    p1, p0 = (parts.rates[y].value for y in (1, 0))

    assert parts.auroc.value == pytest.approx(
        roc_auc_score(known["label"], known["score"], sample_weight=own), abs=1e-12
    )
    assert sum(parts.contribution(cell).value for cell in CELLS) == pytest.approx(parts.auroc.value, abs=1e-12)
    assert sum(parts.weights[cell].value for cell in CELLS) == pytest.approx(1, abs=1e-12)
    assert parts.surface(p1, p0).value == pytest.approx(parts.auroc.value, abs=1e-12)


@given(seed=st.integers(0, 10**6), u=st.floats(0, 1), v=st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_the_surface_is_the_auroc_of_reweighted_images_and_linear_in_each_rate(seed, u, v):
    frame = tied(seed, n=120, weights=True)
    parts = made(frame)
    if any(pair.reason for pair in parts.pairs.values()):
        return

    assert parts.surface(u, v).value == pytest.approx(g(frame, u, v), abs=1e-9)
    ends = [parts.surface(end, v).value for end in (0.0, 1.0)]
    assert parts.surface(u, v).value == pytest.approx((1 - u) * ends[0] + u * ends[1], abs=1e-12)


@pytest.mark.parametrize("negative", [False, True])
def test_the_inflation_is_the_auroc_less_that_at_one_rate_and_has_its_closed_forms(negative):
    frame = tied(3, n=400)
    parts = made(frame, association="negative" if negative else "positive")
    p1, p0 = (parts.rates[y].value for y in (1, 0))
    a00, a01, a10, a11 = (parts.pairs[cell].value for cell in CELLS)

    of_negatives, of_positives = parts.association_inflation(0).value, parts.association_inflation(1).value
    assert of_negatives == pytest.approx((p1 - p0) * (p0 * (a11 - a01) + (1 - p0) * (a10 - a00)), abs=1e-12)
    assert of_positives == pytest.approx((p1 - p0) * (p1 * (a10 - a11) + (1 - p1) * (a00 - a01)), abs=1e-12)
    assert of_negatives == pytest.approx(g(frame, p1, p0) - g(frame, p0, p0), abs=1e-12)


def test_severity_inflates_at_the_rate_of_the_negatives_only():
    honest = made(world(4, n=6000, severity=1.0))
    low, high = honest.association_inflation(1).limits(0.95)

    assert honest.association_inflation(0).limits(0.95)[0] > 0.01
    assert low < 0 < high


def test_a_pair_by_hand():
    """Rates 1/2 and 1/4, three of four A_ij are 1: .5 x .25 of the pairs are lost."""
    frame = pl.DataFrame(
        {
            "sample_id": list("abcdef"), "label": [1, 1, 0, 0, 0, 0], "score": [0.9, 0.5, 0.6, 0.1, 0.1, 0.1],
            "attribute.tube": [1, 0, 1, 0, 0, 0],
        }
    )  # fmt: skip
    numbers = found(frame)

    assert numbers["attribute_rate", "label:1"].value == 0.5
    assert numbers["attribute_rate", "label:0"].value == 0.25
    assert numbers["pair_weight", "pair:0:1"].value == 0.125
    assert numbers["pair_contribution", "pair:0:1"].value == 0
    assert numbers["pair_contribution", "pair:1:0"].value == 0.375
    assert numbers["auroc_known", "all"].value == 0.875
    # g(1/4, 1/4): 3/4 x 1/4 lost; g(1/2, 1/2): 1/4 lost.
    assert numbers["association_inflation", "p(a|y=0)"].value == pytest.approx(0.875 - 0.8125)
    assert numbers["association_inflation", "p(a|y=1)"].value == pytest.approx(0.875 - 0.75)


def jackknife(frame, number):
    """Standard error by leaving out one patient at a time."""
    patients = frame["patient_id"].unique().to_list()
    values = np.array([number(made(frame.filter(pl.col("patient_id") != patient))) for patient in patients])
    return np.sqrt((len(values) - 1) / len(values) * ((values - values.mean()) ** 2).sum())


@pytest.mark.parametrize("number", [
    lambda parts: parts.association_inflation(0), lambda parts: parts.association_inflation(1),
    lambda parts: parts.standardised(0), lambda parts: parts.surface(0.3, 0.3), lambda parts: parts.rates[1],
    lambda parts: parts.weights[1, 0], lambda parts: parts.contribution((1, 0)),
], ids=["inflation at p0", "inflation at p1", "g(p0,p0)", "g(.3,.3)", "rate", "weight", "part"])  # fmt: skip
def test_the_standard_error_is_the_jackknifes_over_patients_rates_included(number):
    frame = world(6, n=300, reads=1.0, films_per_patient=2, paired=False)
    expected = jackknife(frame, lambda parts: number(parts).value)

    assert number(made(frame)).standard_error == pytest.approx(expected, rel=0.06)


def test_the_projection_runs_from_a00_to_a11_with_a_band_for_the_whole_line():
    parts = made(world(1, n=600, reads=1.0))
    curve = parts.projection()

    assert [point.x for point in curve.points] == pytest.approx(np.linspace(0, 1, 21))
    for point, cell in ((curve.points[0], (0, 0)), (curve.points[-1], (1, 1))):
        pair = parts.pairs[cell].estimate(0.95)
        assert point.value == pytest.approx(pair.value, abs=1e-12)
        assert point.low < pair.low < pair.high < point.high
    assert all(0 <= point.low < point.value < point.high <= 1 for point in curve.points)
    assert curve.method.endswith("holds for the whole line at once (max-t), rates as given")
    assert (curve.name, curve.n, curve.n_patients) == ("projected_auroc", 600, 600)


def test_the_band_needs_more_than_one_point_and_less_than_scheffe():
    """The line moves in three directions at most; a finer grid needs no more."""
    parts = made(world(1, n=600, reads=1.0))
    points, fine = ([parts.surface(u, u) for u in np.linspace(0, 1, count)] for count in (21, 401))
    critical = norm.ppf((1 + simultaneous_level(points, 0.95)) / 2)

    assert 1.96 < critical < np.sqrt(chi2.ppf(0.95, 3))
    assert norm.ppf((1 + simultaneous_level(fine, 0.95)) / 2) == pytest.approx(critical, abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("films_per_patient", [1, 3])
def test_the_band_covers_the_whole_true_line_and_a_pointwise_one_does_not(films_per_patient):
    """Binormal: 2 SD apart, a tube adds 1 SD; cells of about 80 films."""
    truth = {(i, j): norm.cdf((2 + i - j) / np.sqrt(2)) for i, j in CELLS}
    together, pointwise = [], []
    for seed in range(250):
        frame = world(seed, n=400, reads=1.0, films_per_patient=films_per_patient, paired=False)
        parts = made(frame)
        curve = parts.projection()
        true = [
            (1 - p.x) ** 2 * truth[0, 0] + p.x * (1 - p.x) * (truth[0, 1] + truth[1, 0]) + p.x**2 * truth[1, 1]
            for p in curve.points
        ]
        single = [parts.surface(p.x, p.x).limits(0.95) for p in curve.points]
        together.append(all(p.low <= one <= p.high for p, one in zip(curve.points, true, strict=True)))
        pointwise.append(all(low <= one <= high for (low, high), one in zip(single, true, strict=True)))

    assert 0.93 <= np.mean(together) <= 0.98
    assert np.mean(pointwise) < np.mean(together) - 0.02


def test_without_a_cell_there_is_no_curve_and_what_needs_no_such_pair_stays():
    frame = cells({(1, 1): 20, (0, 1): 20, (0, 0): 20})
    findings = CHECKS.get("decomposition")(question(frame))
    numbers = found(frame)

    assert findings.curves[0].reason == "the test set has no positives without tube"
    assert not findings.curves[0].points
    assert numbers["pair_contribution", "pair:0:1"].reason == "the test set has no positives without tube"
    assert numbers["association_inflation", "p(a|y=0)"].reason == "the test set has no positives without tube"
    # At the rate of the positives, which is 1, only A_11 counts.
    assert numbers["association_inflation", "p(a|y=1)"].value is not None
    assert numbers["attribute_rate", "label:1"].value == 1
    assert numbers["attribute_rate", "label:1"].low < 1


def test_without_any_known_attribute_of_one_class_the_reason_is_said():
    frame = cells(EVEN).with_columns(
        pl.when(pl.col("label") == 1).then(None).otherwise("attribute.tube").alias("attribute.tube")
    )
    numbers = found(frame)

    assert numbers["attribute_rate", "label:1"].reason == "no positive of the test set has a known tube"
    assert numbers["auroc_known", "all"].reason == "one class has no test image whose tube is known"


def test_the_training_rates_are_projected_to_where_there_are_training_rows():
    test, train = (
        tied(1, n=300),
        tied(2, n=300, unknown=False).with_columns(
            pl.lit("train").alias("split"), ("t" + pl.col("sample_id")).alias("sample_id")
        ),
    )
    rates = [train.filter(pl.col("label") == y)["attribute.tube"].mean() for y in (1, 0)]

    numbers = found(pl.concat([test, train]))
    assert numbers["auroc_at_training_rates", "all"].value == pytest.approx(g(test, *rates), abs=1e-12)
    missing = "there are no training rows of both classes whose tube is known"
    assert found(test)["auroc_at_training_rates", "all"].reason == missing


def test_shortcut_inflation_is_the_auroc_less_that_with_the_attribute_removed():
    frame = world(1, n=400, reads=1.5)
    removed = roc_auc_score(frame["label"], frame["score_without.tube"])
    number = found(frame)["shortcut_inflation", "all"]

    assert number.value == pytest.approx(roc_auc_score(frame["label"], frame["score"]) - removed, abs=1e-12)
    assert number.low > 0
    assert found(world(1, n=400, paired=False))["shortcut_inflation", "all"].reason == (
        "there is no column 'score_without.tube'"
    )


def test_a_projected_number_is_undefined_with_counts():
    parts = made(cells({(1, 1): 20, (0, 0): 20}))

    missing = parts.surface(0.5, 0.5).estimate(0.95)
    assert isinstance(missing, Undefined)
    assert (missing.tally.n_pos, missing.tally.n_neg) == (20, 20)
