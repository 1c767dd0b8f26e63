"""Several seeds of one model: a mean that knows what another seed and what other patients would change."""

import numpy as np
import polars as pl
import pytest
from audit_worlds import question, sampling, table, world
from scipy import stats

from shortcut_audit import audit_scores
from shortcut_audit.audit.measures.seeds import agreements, arms, combine
from shortcut_audit.audit.result.judgement import Verdict
from shortcut_audit.audit.statistics.estimate import Contrast
from shortcut_audit.audit.statistics.metrics import auroc
from shortcut_audit.audit.table.common_films import on_common_films
from shortcut_audit.audit.table.scores import read_scores, write_scores
from shortcut_audit.audit.versions.contrasts import AUROC, GAP
from shortcut_audit.errors import InputError

COLUMNS = ("score", "score_with.tube", "score_without.tube")


def trained(noises, *, seed=1, model="cnn", **options):
    """One model trained several times: the same films, scores with noise of their own."""
    frames = []
    for number, noise in enumerate(noises, 1):
        frame = world(seed, model=model, **options)
        moved = noise * np.random.default_rng(number).normal(size=frame.height)
        frames.append(frame.with_columns(*(pl.col(name) + moved for name in COLUMNS), seed=pl.lit(str(number))))
    return pl.concat(frames)


def contrasts(noises, number=AUROC, **options):
    frame = trained(noises, **options)
    asked = [question(frame.filter(pl.col("seed") == str(seed)).drop("seed")) for seed in range(1, len(noises) + 1)]
    return [number.of(one) for one in on_common_films(asked)]


def test_each_of_several_seeds_is_a_model_of_its_own_with_a_verdict():
    result = audit_scores(trained((0.1, 0.2, 0.3), n=300), spurious="tube", pairs="exact")

    assert [verdict.model for verdict in result.verdicts] == ["cnn, seed 1", "cnn, seed 2", "cnn, seed 3"]
    assert {found.model for found in result.seeds} == {"cnn"}
    assert [found.name for found in result.seeds] == ["auroc", "robust_auroc", "auroc_gap", "interventional_gap"]
    assert result.comparisons == (), "seeds of one model are not compared with each other"


@pytest.mark.parametrize("name", ["auroc", "robust_auroc", "auroc_gap", "interventional_gap"])
def test_the_mean_is_the_mean_of_what_each_seed_has_alone(name):
    result = audit_scores(trained((0.1, 0.4, 0.8), n=400), spurious="tube")
    (mean,) = (found for found in result.seeds if found.name == name)
    each = [result.find(name, model=model)[0].value for model in mean.seeds]

    assert mean.values == pytest.approx(each, abs=1e-12)
    assert mean.value == pytest.approx(np.mean(each), abs=1e-12)
    assert mean.seed_sd == pytest.approx(np.std(each, ddof=1), abs=1e-12)
    assert mean.low < mean.value < mean.high
    assert mean.n == result.find(name, model=mean.seeds[0])[0].n


def test_one_seed_has_no_mean_and_keeps_its_name():
    result = audit_scores(trained((0.1,), n=200), spurious="tube")

    assert (result.seeds, result.agreements) == ((), ())
    assert [verdict.model for verdict in result.verdicts] == ["cnn"]


def test_the_variance_over_patients_is_that_of_the_mean_of_the_influences():
    seeds = contrasts((0.3, 0.6), n=300)
    result = audit_scores(trained((0.3, 0.6), n=300), spurious="tube")
    influence = (seeds[0].influence + seeds[1].influence) / 2

    assert result.seeds[0].data_se == pytest.approx(np.sqrt(np.sum(influence**2)), abs=1e-12)


def test_seeds_that_are_all_alike_leave_the_interval_of_the_data():
    frame = pl.concat([trained((0.2,), n=300).with_columns(seed=pl.lit(seed)) for seed in "123"])
    result = audit_scores(frame, spurious="tube")
    alone = result.find("auroc", model="cnn, seed 1")[0]

    assert result.seeds[0].seed_sd == pytest.approx(0, abs=1e-12)
    assert (result.seeds[0].low, result.seeds[0].high) == pytest.approx((alone.low, alone.high), abs=2e-3)


def test_where_the_seeds_dominate_the_interval_is_that_of_a_t_test_on_the_seeds():
    seeds = contrasts((0.0, 1.0, 2.5, 4.0), GAP, n=6000, reads=2.0)
    values = [seed.value for seed in seeds]
    found = combine([(1.0, seeds)], 0.95)
    half = stats.t(3).ppf(0.975) * np.std(values, ddof=1) / 2

    assert found.high - found.value == pytest.approx(half, rel=0.02)
    assert found.value - found.low == pytest.approx(half, rel=0.02)
    assert found.method.endswith("seeds by t")


def test_the_distance_of_a_limit_is_the_root_of_the_squares_of_both_parts():
    seeds = contrasts((0.2, 0.5, 0.9), n=400)
    whole = combine([(1.0, seeds)], 0.95)
    data = (1 / 3 * (seeds[0] + seeds[1] + seeds[2])).estimate(0.95)
    reach = stats.t(2).ppf(0.975) * np.std([seed.value for seed in seeds], ddof=1) / np.sqrt(3)

    assert whole.value - whole.low == pytest.approx(np.hypot(data.value - data.low, reach), abs=1e-9)


def test_an_interval_ends_at_what_the_number_can_be():
    seeds = contrasts((0.0, 3.0), n=200, skill=5.0)

    assert combine([(1.0, seeds)], 0.95).high == 1.0


@pytest.mark.parametrize(("seeds", "films", "between"), [(3, 150, 0.5), (5, 300, 0.0)])
def test_the_interval_covers_the_mean_of_all_trainings(seeds, films, between):
    """Trainings differ in skill, and each errs on films of its own; truth is the mean AUROC over trainings."""
    rng = np.random.default_rng(5)
    truth = stats.norm.cdf((1.5 + between * rng.normal(size=20000)) / np.sqrt(3)).mean()
    patients = sampling(np.arange(films))
    covered = []
    for _ in range(200):
        label = rng.random(films) < 0.4
        sides = np.flatnonzero(label), np.flatnonzero(~label)
        base = 1.5 * label + rng.normal(size=films)
        scores = [
            base + between * rng.normal() * label + rng.normal(size=films) * np.sqrt(0.5) for _ in range(seeds)
        ]  # fmt: skip
        parts = [((1.0, auroc(*sides, patients, score)),) for score in scores]
        found = combine(
            [(1.0, [Contrast(sampling=patients, rows=(label, ~label), parts=part) for part in parts])], 0.95
        )
        covered.append(found.low <= truth <= found.high)

    assert np.mean(covered) >= 0.93


def test_an_undefined_seed_makes_the_mean_undefined_for_its_reason():
    frame = trained((0.1, 0.2), n=200).drop("score_with.tube")
    result = audit_scores(frame, spurious="tube")
    (gap,) = (found for found in result.seeds if found.name == "interventional_gap")

    assert (gap.value, gap.values, gap.seed_sd, gap.data_se) == (None, (), None, None)
    assert gap.reason == "there is no column 'score_with.tube'"


def test_only_films_that_all_seeds_scored_are_in_the_mean():
    frame = trained((0.1, 0.2, 0.3), n=300)
    fewer = frame.filter((pl.col("seed") != "2") | pl.col("sample_id").is_in([f"test{i}" for i in range(100)]))

    assert {found.n for found in audit_scores(fewer, spurious="tube").seeds if found.name == "auroc"} == {100}


def test_models_with_several_seeds_are_compared_by_their_means():
    frame = pl.concat([trained((0.1, 0.5), n=500, model="one"), trained((0.3, 0.4, 0.8), n=500, model="two")])
    result = audit_scores(frame, spurious="tube")
    means = {found.model: found.value for found in result.seeds if found.name == "auroc"}
    (auroc,) = (found for found in result.comparisons if found.name == "auroc")

    assert {(found.model, found.other) for found in result.comparisons} == {("one", "two")}
    assert auroc.value == pytest.approx(means["one"] - means["two"], abs=1e-12)


def test_arms_keep_seeds_together_and_everything_else_apart():
    asked = [question(world(1, n=50, model=name)) for name in ("a, seed 1", "b", "a, seed 2", "b")]
    found = arms(asked, {"a, seed 1": "a", "a, seed 2": "a"})

    assert [(arm.name, len(arm.questions)) for arm in found] == [("a", 2), ("b", 1), ("b", 1)]


def judged(model, status, limit=None):
    return Verdict(model=model, finding="f", attribute="t", status=status, gap="open", reliance="open", rule="r",
                   sentences=(), answers=(), limit=limit)  # fmt: skip


def test_seeds_agree_only_where_all_have_one_status():
    families = {f"cnn, seed {k}": "cnn" for k in range(3)}
    (agreed,) = agreements([judged(name, "fail") for name in families], families)
    mixed = [judged(name, status) for name, status in zip(families, ("fail", "fail", "concern"), strict=True)]
    (split,) = agreements([*mixed, judged("cnn, seed 0", "pass", "a limit"), judged("other", "pass")], families)

    assert (agreed.status, agreed.sentence) == ("fail", "All 3 seeds agree: FAIL.")
    assert (split.status, split.counts) == (None, {"fail": 2, "concern": 1})
    assert split.sentence == (
        "The seeds do not agree: 2 FAIL, 1 CONCERN. This holds for single trainings, not for the way of training."
    )


def test_a_seed_is_named_in_every_row_of_a_model_or_in_none():
    frame = trained((0.1, 0.2), n=20).with_columns(
        seed=pl.when(pl.int_range(pl.len()) == 3).then(None).otherwise("seed")
    )
    plain = world(2, n=20, model="other").with_columns(seed=pl.lit(None, dtype=pl.String))

    assert table(pl.concat([trained((0.1, 0.2), n=20), plain])).values("model")[-1] == "other"
    with pytest.raises(InputError, match="row 4, column 'seed' is blank, but other rows of the model 'cnn' have one"):
        table(frame)


def test_the_same_film_twice_in_one_seed_is_refused_with_the_name_of_the_seed():
    frame = trained((0.1, 0.2), n=20)

    with pytest.raises(InputError, match="occurs twice for model 'cnn, seed 1' and finding 'finding'"):
        table(pl.concat([frame, frame.head(1)]))
    with pytest.raises(InputError, match="a column 'seed' tells several trainings of one model apart"):
        table(frame.drop("seed"))


def test_a_written_table_of_seeds_reads_as_the_same_table(tmp_path):
    checked = table(trained((0.1, 0.2), n=20))
    write_scores(checked, tmp_path / "scores.csv")
    again = read_scores(tmp_path / "scores.csv")

    assert again.families == checked.families == {"cnn, seed 1": "cnn", "cnn, seed 2": "cnn"}
    assert again.frame.select("sample_id", "model", "seed").equals(checked.frame.select("sample_id", "model", "seed"))
    assert "tube" in again.attributes
    assert "family" not in again.attributes


def test_a_column_called_family_is_an_attribute_as_any_other():
    frame = trained((0.1, 0.2), n=20).with_columns(family=pl.lit(1))

    assert table(frame).attributes == ("tube", "family")


def test_seeds_stay_apart_where_images_become_patients():
    result = audit_scores(trained((0.1, 0.2), n=400, films_per_patient=2, paired=True), spurious="tube", per="patient")

    assert [verdict.model for verdict in result.verdicts] == ["cnn, seed 1", "cnn, seed 2"]
    assert {found.n for found in result.seeds if found.name == "auroc"} == {200}


def test_models_of_opposed_associations_are_not_compared_in_their_cells():
    def learnt(turned):
        label = np.tile([0, 1], 100)
        return pl.DataFrame({"sample_id": [f"t{i}" for i in range(200)], "label": label, "score": 0.5, "split": "train",
                             "attribute.tube": (1.0 - label if turned else label * 1.0)})  # fmt: skip

    films = world(1, n=600, paired=False).drop("patient_id", "model")
    both = pl.concat(
        pl.concat([films, learnt(turned).select(films.columns)]).with_columns(pl.lit(name).alias("model"))
        for name, turned in (("straight", False), ("turned", True))
    )
    found = {one.name: one for one in audit_scores(both, spurious="tube").comparisons}

    assert found["auroc"].value == 0
    assert found["robust_auroc"].value is None
    assert found["robust_auroc"].reason.startswith("the training associations are not of one sign (straight: P(a|y=1)")
