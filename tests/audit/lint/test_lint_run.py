"""Lint finds what was planted, and nothing where nothing was."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from audit.lint.films import made
from PIL import Image
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics import roc_auc_score
from trees.dicom_films import save_dicom

from shortcut_audit.audit.lint import material as gathering
from shortcut_audit.audit.lint.learner import FOLDS, aurocs, cross_fit
from shortcut_audit.audit.lint.result import LintResult, refuse_other, save_lint
from shortcut_audit.audit.lint.run import lint
from shortcut_audit.config import load_config
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.data.manifest import Manifest
from shortcut_audit.errors import BusyError, UsageError


def shown(result):
    return {(one.probe, one.clue) for one in result.clues if one.said in ("given away", "trace")}


def record(result, clue):
    return next(one for one in result.clues if one.clue == clue)


def words(rng, label):
    return np.where(rng.random(len(label)) < 0.1, 1 - label, label).astype(str).tolist()


def noise(rng, label):
    return rng.normal(size=len(label)).tolist()


def drawn_where_ill(rng, label):
    return ["empty" if positive else None for positive in label]


def bright_border(film, positive):
    film[0] = 250 if positive else 0


def brighter(film, positive):
    film += np.uint8(40 * positive)


@pytest.mark.parametrize(
    ("plant", "found"),
    [
        ({"site": words}, ("metadata", "site")),
        ({"mask__lungs": drawn_where_ill}, ("mask_availability", "mask.lungs")),
        ({"paint": bright_border}, ("background", "border")),
        ({"paint": brighter}, ("shuffled_pixels", "histogram")),
    ],
)  # fmt: skip
def test_what_gives_the_label_away_is_found(tmp_path, plant, found):
    result = lint(made(tmp_path, **plant), load_config([]))

    planted = record(result, found[1])
    assert (planted.probe, planted.said) == (found[0], "given away")
    assert planted.low < planted.value <= planted.high
    assert planted.null_high < planted.value
    assert (planted.n, planted.n_pos, planted.n_neg, planted.n_patients) == (80, 40, 40, 40)


def test_a_column_that_is_blank_where_the_label_is_0_tells_by_its_blanks(tmp_path):
    manifest = made(tmp_path, age=lambda rng, label: [str(rng.integers(20, 90)) if y else None for y in label])

    result = lint(manifest, load_config([]), probes=["metadata"])

    assert record(result, "age is known").said == "given away"
    told = record(result, "age")
    assert (told.said, told.value) == ("not known", None)
    assert told.reason == "the negatives with it are of 0 patients, at least 5 are needed"


def test_how_a_dicom_film_is_stored_tells_and_the_end_of_its_uid_is_no_extension(tmp_path):
    manifest = made(tmp_path)
    ill = manifest.labels()[:, 0].tolist()
    names = [f"1.2.826.0.{number}.{1 + positive:.0f}" for number, positive in enumerate(ill)]
    for name, positive in zip(names, ill, strict=True):
        save_dicom(tmp_path / name, np.full((8, 6), 0.5), inverted=positive == 1)
    frame = manifest.frame.with_columns(image=pl.Series(names))
    films = Manifest.from_frame(frame, card=manifest.card, root=tmp_path, where="films.csv")

    result = lint(films, load_config([]), probes=["image_file"])

    assert record(result, "mode").said == "given away"
    same = "it is the same in every film"
    assert [record(result, clue).reason for clue in ("width and height", "extension", "format")] == [same] * 3


def test_a_findings_own_mask_is_not_asked_about(tmp_path):
    manifest = made(tmp_path, mask__ill=drawn_where_ill)

    result = lint(manifest, load_config([]), probes=["mask_availability"])

    assert result.clues == ()


def test_where_there_is_nothing_nothing_is_shown(tmp_path):
    columns = {"age": noise, "site": lambda rng, label: rng.choice(["a", "b"], len(label)).tolist()}
    alarms = 0
    for seed in range(12):
        folder = tmp_path / str(seed)
        folder.mkdir()
        manifest = made(folder, films=40, seed=seed, covariate__dose=noise, **columns)
        alarms += bool(shown(lint(manifest, load_config([]))))
    assert alarms <= 2  # 3 or more: in 2 % of runs where each errs in 5 %


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Synthetic chest films, with tubes as in SIIM-ACR and with tubes that tell nothing."""
    sizes = {"size": 32, "train": 110, "val": 8, "test": 32}
    rates = {"linked": {}, "free": {"tube_given_finding": 0.4, "tube_given_none": 0.4, "ipsilateral": 0.5}}
    return {
        name: open_dataset(
            load_config([], named={
                "dataset.root": str(tmp_path_factory.mktemp(name) / "films"),
                **{f"dataset.options.{key}": value for key, value in {**sizes, **rate}.items()},
            }).dataset
        )
        for name, rate in rates.items()
    }  # fmt: skip


def test_on_synthetic_films_the_tube_is_found_where_it_was_planted_and_nothing_where_not(films):
    config = load_config([])

    linked, free = (lint(films[name], config) for name in ("linked", "free"))

    assert ("metadata", "attribute.chest_tube") in shown(linked)
    assert ("mask_availability", "footprint.chest_tube") in shown(linked)
    assert ("metadata", "attribute.ecg_leads") not in shown(linked)
    assert shown(free) == set()


def test_the_learner_is_kernel_ridge_of_scikit_learn_on_each_fold():
    rng = np.random.default_rng(0)
    features, patients = rng.normal(size=(60, 3)), np.repeat(np.arange(30), 2)
    label = rng.random(60) < 0.4
    folds = cross_fit(features, patients)
    standard = (features - features.mean(axis=0)) / features.std(axis=0)
    won = pairs = 0.0
    for fold in folds:
        assert not set(patients[fold.test]) & set(patients[fold.train])
        peer = KernelRidge(alpha=1.0, kernel="rbf", gamma=1 / 3)
        peer.fit(standard[fold.train], label[fold.train] - label[fold.train].mean())
        scores = peer.predict(standard[fold.test])
        assert np.allclose(scores, fold.scores(label[None])[0])
        of = label[fold.test].sum() * (~label[fold.test]).sum()
        if of:
            won, pairs = won + of * roc_auc_score(label[fold.test], scores), pairs + of
    assert len(folds) == FOLDS
    assert aurocs(folds, label[None])[0] == pytest.approx(won / pairs)


def test_copies_and_patients_across_splits_are_counted(tmp_path):
    manifest = made(tmp_path)
    (tmp_path / "79.png").write_bytes((tmp_path / "0.png").read_bytes())
    (tmp_path / "78.png").write_bytes((tmp_path / "77.png").read_bytes())
    frame = manifest.frame.with_columns(
        patient_id=pl.when(pl.col("sample_id") == "s79").then(pl.lit("p0")).otherwise(pl.col("patient_id"))
    )
    shared = type(manifest).from_frame(
        frame, card=manifest.card, root=tmp_path, where="films.csv", allow_shared_patients=True
    )

    leakage = lint(shared, load_config([]), probes=["metadata"]).leakage

    assert leakage.found
    assert (leakage.n, leakage.n_patients, leakage.patients_in_several_splits) == (80, 40, 1)
    assert (leakage.copied_files, leakage.copied_across_splits) == (4, 2)
    assert leakage.alike_across_splits.found == 0  # a copy is no look-alike


@pytest.mark.parametrize("design", ["natural", "reversed"])
def test_films_that_look_alike_across_splits_are_counted_beside_chance(tmp_path, design):
    manifest = made(tmp_path)
    manifest = replace(manifest, card=replace(manifest.card, test_design=design))
    pixels = np.asarray(Image.open(tmp_path / "0.png"))
    Image.fromarray(pixels // 2).resize((48, 48)).save(tmp_path / "79.png")

    leakage = lint(manifest, load_config([]), probes=["metadata"]).leakage

    alike = leakage.alike_across_splits
    assert (alike.found, alike.compared) == (1, 40 * 40)
    assert alike.expected == 0
    # Of 40 films of 20 patients a split: none of 2 x (780 - 20) pairs is near, so at most this share is.
    assert alike.expected_high == pytest.approx(1600 * (1 - 0.025 ** (1 / 1520)))
    assert not leakage.found


def test_of_many_films_whole_patients_are_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(gathering, "MOST_FILMS", 21)

    seen = gathering.gather(made(tmp_path))

    assert len(seen.manifest) == len(seen.pixels) == 20
    assert (seen.manifest.frame["patient_id"].value_counts()["count"] == 2).all()
    assert seen.notes == ("20 of 80 films, whole patients chosen by a hash of their id",)


def test_test_films_reversed_by_design_are_left_out(tmp_path):
    manifest = made(tmp_path)
    reversed_by_design = type(manifest)(
        card=type(manifest.card)(name="films", test_design="reversed"), root=tmp_path, frame=manifest.frame
    )

    seen = gathering.gather(reversed_by_design)

    assert set(seen.manifest.frame["split"]) == {"train"}
    assert seen.notes == ("test films are left out: their associations were reversed by design",)


def test_a_data_set_without_a_label_is_refused(tmp_path):
    manifest = made(tmp_path)
    bare = type(manifest)(card=manifest.card, root=tmp_path, frame=manifest.frame.drop("label.ill"))

    with pytest.raises(UsageError, match="the data set 'films' has no label; lint asks what gives a label away"):
        lint(bare, load_config([]))


def test_the_file_reads_back_and_is_never_written_over_that_of_other_data(tmp_path):
    manifest = made(tmp_path)
    result = lint(manifest, load_config([]), probes=["metadata"])

    path = save_lint(result, tmp_path)

    assert LintResult.model_validate_json(path.read_text()) == result
    assert not any(name in path.read_text() for name in ('"s0"', '"p0"'))
    refuse_other(tmp_path, manifest.fingerprint)
    with pytest.raises(BusyError, match=r"lint\.json is of other data; choose another folder with --out"):
        refuse_other(tmp_path, "0" * 64)
    path.write_text(json.dumps([]))
    with pytest.raises(BusyError, match=r"lint\.json is of other data"):
        refuse_other(tmp_path, manifest.fingerprint)


REAL = {
    "covid_lungs": ("covid_cxr", "mask.lungs"),
    "hannover_icu": ("hannover_cxr", "attribute.projection"),
}


@pytest.mark.parametrize("name", sorted(REAL))
def test_on_real_films_what_is_known_to_give_the_label_away_is_found(name, real_data, configs):
    folder, clue = REAL[name]
    config = load_config([configs / f"{name}.yaml"], named={"dataset.root": str(real_data / folder)})

    result = lint(open_dataset(config.dataset), config)

    found = record(result, clue)
    assert found.said == "given away"
    assert found.q <= 0.05
    assert not result.leakage.found
