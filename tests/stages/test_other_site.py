"""The models of a run on another data set: its training images are left out, the sign stays that of the training."""

from dataclasses import replace

import polars as pl
import pytest
from small_networks import small_classifier
from test_evaluate import FINDINGS, hold

from shortcut_audit.audit.table.scores import read_scores
from shortcut_audit.config import lay_over, load_config
from shortcut_audit.errors import UsageError
from shortcut_audit.stages.evaluate import audit_run
from shortcut_audit.stages.learn import CLASSIFIER
from shortcut_audit.stages.other_site import as_other_site
from shortcut_audit.stages.study import Study

COLUMNS = (
    "{sample: sample_id, patient: patient_id, split: split, labels: {pneumothorax: label.pneumothorax},"
    " attributes: {chest_tube: attribute.chest_tube}, counterparts: {chest_tube: counterpart.chest_tube}}"
)


def associated(films, value_of_label):
    """Films of the run whose training rows have the tube exactly as given by the label."""
    tube = pl.when(pl.col("split") == "train").then(value_of_label(pl.col("label.pneumothorax")))
    frame = films.frame.with_columns(tube.otherwise(pl.col("attribute.chest_tube")).alias("attribute.chest_tube"))
    return replace(films, frame=frame)


def elsewhere(films, tmp_path, prefix="other-"):
    """The configuration of the same films at another site, under other names."""
    films.frame.with_columns(pl.col("sample_id", "patient_id").str.replace("^", prefix)).write_csv(
        tmp_path / "other.csv"
    )
    table = f"{{file: {tmp_path / 'other.csv'}, columns: {COLUMNS}}}"
    return load_config(sets=["dataset.name=table", f"dataset.table={table}", f"dataset.root={films.root}"])


@pytest.fixture
def trained(make_study, films):
    """A run of an untrained classifier whose training films have the tube where there is no finding."""
    study = make_study(manifest=associated(films, lambda label: 1 - label))
    hold(study, CLASSIFIER, small_classifier(findings=FINDINGS))
    return study


def test_a_run_is_audited_on_another_data_set_beside_its_own_audit(trained, films, tmp_path):
    _, own = audit_run(trained.run, trained.config, None)
    before = (own / "audit.json").read_bytes()
    config = lay_over(trained.config, elsewhere(films, tmp_path))
    result, folder = audit_run(trained.run, config, None)
    scores = read_scores(folder / "scores.csv").frame

    assert folder.parent == own
    assert (own / "audit.json").read_bytes() == before
    assert set(scores["split"]) == {"val", "test"}
    assert all(sample.startswith("other-") for sample in scores["sample_id"])
    assert {verdict.model for verdict in result.verdicts} == {"classifier"}
    assert any(
        "its 8 training images are left out, for they trained none of these models" in note for note in result.notes
    )


def test_the_sign_is_that_of_the_runs_own_training_images(trained, films, tmp_path):
    config = lay_over(trained.config, elsewhere(films, tmp_path))
    result, _ = audit_run(trained.run, config, tmp_path / "out")

    assert "Training association of chest_tube with pneumothorax: negative, as given." in result.notes
    assert result.provenance.config["evaluate"]["association"] == "negative"


def test_a_sign_that_was_named_stays(trained, films, tmp_path):
    asked = load_config(sets=["evaluate.association=positive"])
    config = lay_over(lay_over(trained.config, elsewhere(films, tmp_path)), asked)
    result, _ = audit_run(trained.run, config, tmp_path / "out")

    assert result.provenance.config["evaluate"]["association"] == "positive"


def test_the_runs_own_films_are_no_other_site(trained):
    assert as_other_site(trained.run, trained) is trained


def test_the_same_films_in_another_place_are_no_other_site(trained, films, tmp_path):
    config = lay_over(trained.config, elsewhere(films, tmp_path, prefix=""))
    result, folder = audit_run(trained.run, config, tmp_path / "out")

    assert "train" in set(read_scores(folder / "scores.csv").frame["split"])
    assert not any("left out, for they trained" in note for note in result.notes)


def test_attributes_that_went_different_ways_are_asked_one_at_a_time(make_study, films, tmp_path):
    against = associated(films, lambda label: 1 - label)
    both = replace(against, frame=against.frame.with_columns(pl.col("label.pneumothorax").alias("attribute.leads")))
    study = make_study("evaluate.spurious=[chest_tube, leads]", manifest=both, out="two")
    hold(study, CLASSIFIER, small_classifier(findings=FINDINGS))
    renamed = replace(both, frame=both.frame.with_columns(pl.col("sample_id").str.replace("^", "x")))
    other = Study(study.run, study.config, renamed)

    with pytest.raises(UsageError, match=r"different signs \(chest_tube with pneumothorax negative, leads with pneumo"):
        as_other_site(study.run, other)
