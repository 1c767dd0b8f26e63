"""What all stages of a run share."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from small_networks import SIZE

from shortcut_audit.config import load_config
from shortcut_audit.data.classes import ClassRule
from shortcut_audit.data.manifest import Manifest, read_manifest
from shortcut_audit.errors import InputError, UsageError
from shortcut_audit.runs import open_run
from shortcut_audit.stages.study import Study, answers, begin, class_labels, drawn_masks, suggest_attribute


def changed(manifest, *columns):
    return replace(manifest, frame=manifest.frame.with_columns(*columns))


def test_films_are_decoded_once_and_belong_to_their_labels(make_study):
    study = make_study()
    train = study.films("train")
    assert train.pixels.shape == (8, 1, SIZE, SIZE)
    assert train.pixels.dtype == np.uint8
    assert train.labels[:, 0].tolist() == [0, 1] * 4
    bright = train.pixels[:, 0, 8:20, 4:16].mean(axis=(1, 2)) > 110
    assert bright.tolist() == [False, True] * 4
    assert study.films("train") is train


def test_a_film_that_cannot_be_read_is_left_out_with_its_label(make_study, films):
    (films.root / "film2.png").write_bytes(b"not an image")
    train = make_study().films("train")
    assert "s2" not in train.manifest.ids
    assert len(train.pixels) == len(train.labels) == len(train.manifest) == 7
    assert list(train.quarantine.reasons) == ["s2"]


def test_uncertain_and_blank_labels_follow_the_policy(make_study, films):
    cells = pl.Series("label.pneumothorax", [-1.0, None, *[1.0] * 22])
    study = make_study("dataset.uncertain=ones", "dataset.blank=ignore", manifest=changed(films, cells))
    labels = study.films("train").labels[:, 0]
    assert labels[0] == 1
    assert np.isnan(labels[1])


def test_as_a_class_uncertain_labels_are_taught_and_judged_by_nobody(make_study, films):
    cells = pl.Series("label.pneumothorax", [-1.0, None, *[1.0] * 22])
    study = make_study("dataset.uncertain=multiclass", manifest=changed(films, cells))
    train = study.films("train")
    assert np.isnan(train.labels[0, 0])
    assert study.taught_labels(train.manifest)[:3, 0].tolist() == [-1, 0, 1]


def test_without_classes_every_finding_with_drawn_masks_is_learnt(make_study):
    assert make_study().rules() == {"pneumothorax": ClassRule(structure="pneumothorax")}


def test_classes_are_learnt_as_configured(make_study):
    study = make_study("classes={sick: lungs where pneumothorax = 1}")
    assert study.rules() == {"sick": ClassRule(structure="lungs", finding="pneumothorax", value=1)}


def test_a_data_set_without_drawn_masks_of_a_finding_says_what_to_do(make_study, films):
    study = make_study(manifest=replace(films, frame=films.frame.drop("mask.pneumothorax")))
    with pytest.raises(
        UsageError, match=r"'squares' has no drawn mask of a finding \(masks: lungs\); say in 'classes:'"
    ):
        study.rules()


def test_inputs_change_with_what_decides_a_stage_and_with_nothing_else(make_study, films):
    study = make_study()
    same = Study(study.run, load_config(sets=["image.size=32", "evaluate.margin=0.2"]), films)
    assert Study(study.run, study.config, films).inputs("classifier") == study.inputs("classifier")
    assert same.inputs() == study.inputs()
    assert same.inputs("classifier") != study.inputs("classifier")
    other = Study(study.run, study.config, films.select(np.arange(24) < 20))
    assert other.inputs() != study.inputs()
    assert study.inputs(masks="a") != study.inputs(masks="b")


def test_a_finding_that_was_asked_for_must_be_there(make_study):
    with pytest.raises(UsageError, match=r"the data set 'squares' has no label 'pneumothorx' \(did you mean"):
        make_study("classifier.findings=[pneumothorx]")


def test_a_data_set_without_labels_is_refused(make_study, films):
    with pytest.raises(InputError, match=r"the data set 'squares' has no label; name label columns in its table"):
        make_study(manifest=replace(films, frame=films.frame.drop("label.pneumothorax")))


@pytest.mark.parametrize(
    ("rule", "finding"),
    [
        (ClassRule(structure="pneumothorax"), "pneumothorax"),
        (ClassRule(structure="lungs"), None),
        (ClassRule(structure="lungs", finding="pneumothorax", value=1), "pneumothorax"),
        (ClassRule(structure="lungs", finding="pneumothorax", value=0), None),
        (ClassRule(structure="lungs", finding="effusion", value=1), None),
    ],
)
def test_a_class_speaks_of_the_finding_whose_presence_it_shows(rule, finding):
    assert answers(rule, ("pneumothorax",)) == finding


def test_class_labels_are_those_of_the_finding_and_unknown_for_others(make_study):
    study = make_study("classes={lungs: lungs, sick: lungs where pneumothorax = 1}")
    labels = class_labels(study, study.films("val"), study.rules())
    assert np.isnan(labels[:, 0]).all()
    assert labels[:, 1].tolist() == [0, 1] * 3


def test_drawn_masks_are_known_where_somebody_looked(make_study, films):
    blank = pl.when(pl.col("sample_id") == "s1").then(None).otherwise(pl.col("mask.pneumothorax"))
    study = make_study(manifest=changed(films, blank.alias("mask.pneumothorax")))
    masks, known = drawn_masks(study.films("train"), study.rules(), SIZE)
    assert masks.shape == known.shape == (8, 1, SIZE, SIZE)
    assert known.all(axis=(1, 2, 3)).tolist() == [True, False, *[True] * 6]
    assert masks[:, 0].any(axis=(1, 2)).tolist() == [False, False, False, True, False, True, False, True]


def test_the_error_for_an_attribute_that_is_not_there_lists_what_helps(make_study, films):
    error = suggest_attribute(make_study().manifest, "chest_tub")
    assert isinstance(error, UsageError)
    assert "'squares' has no attribute 'chest_tub' (did you mean 'chest_tube'?); it has: chest_tube." in str(error)
    assert "--attributes FILE.csv" in str(error)
    assert "support_devices" not in str(error)
    proxy = changed(films, pl.lit(1.0).alias("attribute.support_devices"))
    told = str(suggest_attribute(make_study(manifest=proxy, out="second").manifest, "pacemaker"))
    assert "a named proxy: --spurious support_devices" in told


def table_config(films, *sets):
    films.frame.write_csv(films.root / "ours.csv")
    columns = "{sample: sample_id, patient: patient_id, split: split, labels: {pneumothorax: label.pneumothorax}}"
    table = f"dataset.table={{file: {films.root / 'ours.csv'}, columns: {columns}}}"
    return load_config(sets=["dataset.name=table", table, f"dataset.root={films.root}", *sets])


def test_beginning_keeps_the_manifest_in_the_run_and_going_on_reads_it_from_there(films, tmp_path):
    config = table_config(films)
    with open_run("train", config, out=tmp_path / "run", new=False) as run:
        first = begin(run, config)
        assert run.has("manifest.csv")
        (films.root / "ours.csv").unlink()
        again = begin(run, config)
    assert again.manifest.fingerprint == first.manifest.fingerprint
    assert read_manifest(run.folder).images() == first.manifest.images()
    assert first.findings == ("pneumothorax",)


def test_a_synthetic_set_without_a_root_is_rendered_into_the_run(films, tmp_path, monkeypatch):
    asked = []

    def open_dataset(dataset):
        asked.append(dataset)
        return Manifest(card=films.card, root=films.root, frame=films.frame)

    monkeypatch.setattr("shortcut_audit.stages.study.open_dataset", open_dataset)
    config = load_config(sets=["image.size=64", "seed=5", "dataset.options={train: 9}"])
    with open_run("train", config, out=tmp_path / "run", new=False) as run:
        begin(run, config)
    assert asked[0].root == str((tmp_path / "run" / "films").resolve())
    assert asked[0].options == {"size": 64, "seed": 5, "train": 9}
