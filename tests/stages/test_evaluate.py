"""Where an audit goes, and what it never overwrites."""

from dataclasses import replace

import polars as pl
import pytest
from small_networks import small_classifier, small_segmenter

from shortcut_audit.audit.result.result import read_result
from shortcut_audit.audit.table.scores import read_scores
from shortcut_audit.config import lay_over, load_config
from shortcut_audit.errors import BusyError, InputError, UsageError
from shortcut_audit.models.checkpoint import save_model
from shortcut_audit.runs import open_run
from shortcut_audit.stages.evaluate import audit_model, audit_run
from shortcut_audit.stages.learn import CLASSIFIER, PERMUTED, SCRATCH, outputs
from shortcut_audit.stages.score import excluded, models_of, score_table, switched_films

FINDINGS = ("pneumothorax",)


@pytest.fixture
def study(make_study):
    """A study whose run holds an untrained classifier."""
    study = make_study()
    hold(study, CLASSIFIER, small_classifier(findings=FINDINGS))
    return study


def hold(study, name, model):
    """Put a model into the study's run."""
    study.run.stage(name, inputs={}, outputs=outputs(name), work=lambda: save_model(model, study.run.path(name)))


def asking(study, *sets):
    return lay_over(study.config, load_config(sets=list(sets)))


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_an_audit_goes_into_the_run_and_is_not_made_twice(study, capfd):
    result, folder = audit_run(study.run, study.config, None)
    assert folder == study.run.folder
    assert {"scores.csv", "cases.csv", "audit.json", "report.html"} <= set(files(folder))
    before = files(folder)
    assert [verdict.attribute for verdict in result.verdicts] == ["chest_tube"]
    capfd.readouterr()
    again, _ = audit_run(study.run, study.config, None)
    assert "done before, taken as it is" in capfd.readouterr().err
    assert again == result
    assert {name: files(folder)[name] for name in before} == before


def test_other_questions_go_into_a_folder_inside_and_overwrite_nothing(study, capfd):
    _, folder = audit_run(study.run, study.config, None)
    before = files(folder)
    _, inside = audit_run(study.run, asking(study, "evaluate.margin=0.2"), None)
    assert inside.parent == folder
    assert inside.name.startswith("audit-")
    assert "holds an audit of other questions; this one goes into a folder inside it" in capfd.readouterr().err
    assert files(folder)["audit.json"] == before["audit.json"]
    assert read_result(inside / "audit.json").provenance.config["evaluate"]["margin"] == 0.2
    assert audit_run(study.run, asking(study, "evaluate.margin=0.2"), None)[1] == inside


def test_an_altered_table_of_scores_is_made_again(study, capfd):
    _, folder = audit_run(study.run, study.config, None)
    scores = (folder / "scores.csv").read_bytes()
    (folder / "scores.csv").write_bytes(scores.replace(b"0", b"1"))
    audit_run(study.run, study.config, None)
    assert "scores.csv is missing or altered" in capfd.readouterr().err
    assert (folder / "scores.csv").read_bytes() == scores


def test_a_folder_can_be_named_and_an_audit_of_something_else_in_it_stays(study, tmp_path):
    _, folder = audit_run(study.run, study.config, tmp_path / "there")
    assert folder == tmp_path / "there"
    before = files(folder)
    with pytest.raises(BusyError, match=r"there holds another audit; choose another folder with --out"):
        audit_run(study.run, asking(study, "evaluate.margin=0.2"), folder)
    assert files(folder) == before


def test_a_file_that_only_looks_like_an_audit_is_not_overwritten(study, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "audit.json").write_text("my own notes")
    with pytest.raises(BusyError, match=r"there holds another audit; choose another folder with --out"):
        audit_run(study.run, study.config, tmp_path / "there")
    assert (tmp_path / "there" / "audit.json").read_text() == "my own notes"


@pytest.mark.parametrize("asked", ["pacemaker", "chest_tube+pacemaker", "pacemaker=yes"])
def test_an_attribute_that_is_not_there_is_refused_before_anything_is_written(study, asked):
    before = files(study.run.folder)
    with pytest.raises(UsageError, match=r"'squares' has no attribute 'pacemaker'; it has: chest_tube. What helps:"):
        audit_run(study.run, asking(study, f"evaluate.spurious=['{asked}']"), None)
    assert files(study.run.folder) == before


def test_attributes_named_later_are_joined_to_the_runs_own_films(study, tmp_path):
    rows = "\n".join(f"s{row},{row % 3 == 0:d}" for row in range(24))
    (tmp_path / "leads.csv").write_text(f"sample_id,ecg_leads\n{rows}\n")
    config = asking(study, f"dataset.attributes_file={tmp_path / 'leads.csv'}", "evaluate.spurious=[ecg_leads]")
    result, _ = audit_run(study.run, config, None)
    assert [verdict.attribute for verdict in result.verdicts] == ["ecg_leads"]


def test_attributes_made_later_are_made_of_the_runs_own_films(study):
    config = asking(study, "dataset.attributes={lit: attribute.chest_tube >= 0.5}", "evaluate.spurious=[lit]")
    result, _ = audit_run(study.run, config, None)
    assert [verdict.attribute for verdict in result.verdicts] == ["lit"]


def test_pairs_can_be_said_for_the_runs_own_films(study):
    result, _ = audit_run(study.run, asking(study, "dataset.pairs=edited"), None)
    assert result.dataset["pairs"] == "edited"
    assert result.dataset["name"] == "squares"


def test_another_data_set_is_opened(study):
    with pytest.raises(UsageError, match=r"where is the data set 'chexpert'\?"):
        audit_run(study.run, lay_over(study.config, load_config(named={"dataset.name": "chexpert"})), None)


def test_a_model_file_is_audited_at_its_own_size(films, tmp_path):
    save_model(small_classifier(findings=FINDINGS, size=32), tmp_path / "theirs.safetensors")
    films.frame.write_csv(films.root / "ours.csv")
    columns = "{sample: sample_id, patient: patient_id, split: split, labels: {pneumothorax: label.pneumothorax},"
    columns += " attributes: {chest_tube: attribute.chest_tube}, counterparts: {chest_tube: counterpart.chest_tube}}"
    table = f"{{file: {films.root / 'ours.csv'}, columns: {columns}}}"
    config = load_config(
        sets=[
            "dataset.name=table", f"dataset.table={table}", f"dataset.root={films.root}", "image.size=96",
            "evaluate={spurious: [chest_tube], saliency_images: 0, gallery: 0}",
        ]
    )  # fmt: skip
    with open_run("evaluate", config, out=tmp_path / "out", new=False) as run:
        result, folder = audit_model(run, config, tmp_path / "theirs.safetensors")
    assert folder == tmp_path / "out"
    assert {verdict.model for verdict in result.verdicts} == {"theirs"}
    assert any("32 px" in note for note in result.notes)


def test_models_are_shown_in_one_order_whatever_was_trained_first(make_study):
    study = make_study()
    for name in (PERMUTED, SCRATCH):
        hold(study, name, small_segmenter())
    hold(study, CLASSIFIER, small_classifier(findings=FINDINGS))
    assert models_of(study) == [CLASSIFIER, SCRATCH, PERMUTED]


def test_scores_with_and_without_are_the_film_and_its_counterpart_each_in_its_state(study):
    table = score_table(study, {"classifier": study.run.path(CLASSIFIER)}, ("chest_tube",)).frame
    test = table.filter(table["split"] == "test")
    present = test["attribute.chest_tube"].cast(float) == 1
    own = test["score_with.chest_tube"].zip_with(present, test["score_without.chest_tube"])
    other = test["score_without.chest_tube"].zip_with(present, test["score_with.chest_tube"])
    assert own.to_list() == test["score"].to_list()
    assert (other - own).abs().max() > 0
    train = table.filter(table["split"] == "train")
    assert train["score_with.chest_tube"].null_count() == len(train)


def test_a_control_is_told_apart_from_a_model(make_study):
    study = make_study("evaluate.controls=[predicted_area]")
    for name in (SCRATCH, PERMUTED):
        hold(study, name, small_segmenter())
    paths = {name.removesuffix(".safetensors"): study.run.path(name) for name in (SCRATCH, PERMUTED)}
    roles = dict(score_table(study, paths, ()).frame.select("model", "role").unique().iter_rows())
    assert roles == {
        "segmenter_scratch": "model",
        "segmenter_scratch:predicted_area": "control",
        "segmenter_permuted": "control",
        "segmenter_permuted:predicted_area": "control",
    }


def test_a_classifier_gives_probabilities_and_a_summarised_segmentation_ranks(study):
    hold(study, SCRATCH, small_segmenter())
    paths = {name: study.run.path(name) for name in (CLASSIFIER, SCRATCH)}
    scales = dict(score_table(study, paths, ()).frame.select("model", "scale").unique().iter_rows())
    assert scales == {CLASSIFIER: "probability", SCRATCH: "rank"}


def test_a_table_of_scores_can_be_read_back(study):
    _, folder = audit_run(study.run, study.config, None)
    written = read_scores(folder / "scores.csv").frame
    assert set(written["split"]) == {"train", "val", "test"}
    assert len(written) == 24


def test_a_counterpart_that_cannot_be_read_is_named_and_its_film_has_none(study, films, capsys):
    before = switched_films(study, "chest_tube", study.films("test"))
    (films.root / "switched15.png").write_bytes(b"half a fi")
    found = switched_films(study, "chest_tube", study.films("test"))
    assert "counterpart left out:" in capsys.readouterr().err
    assert found.rows.sum() == before.rows.sum() - 1 == len(found.pixels)


def test_too_many_counterparts_that_cannot_be_read_are_an_error(study, films):
    for path in films.root.glob("switched*.png"):
        path.write_bytes(b"half a fi")
    with pytest.raises(InputError, match=r"counterparts are missing or cannot be read, more than max"):
        switched_films(study, "chest_tube", study.films("test"))


def test_what_was_left_out_is_counted(make_study, films):
    (films.root / "film3.png").write_bytes(b"")
    assert excluded(make_study()) == {"unreadable image (train)": 1}


def test_a_drawn_area_is_the_severity_of_positives_where_the_data_set_names_none(study):
    frame = score_table(study, {"classifier": study.run.path(CLASSIFIER)}, ()).frame
    label, severity = frame["label"], frame["severity.pneumothorax"]

    # A box of 12 by 12 pixels in a film of 32 by 32.
    assert severity.filter(label == 1).to_list() == pytest.approx([144 / 1024] * int(label.sum()))
    assert severity.filter(label == 0).null_count() == int((label == 0).sum())
    assert "covariate.lungs_area" not in frame.columns


def test_a_severity_that_the_data_set_names_is_kept(make_study, films):
    named = pl.Series("severity.pneumothorax", [7.5] * len(films))
    study = make_study(manifest=replace(films, frame=films.frame.with_columns(named)))
    hold(study, CLASSIFIER, small_classifier(findings=FINDINGS))

    assert set(score_table(study, {"classifier": study.run.path(CLASSIFIER)}, ()).frame["severity.pneumothorax"]) == {
        7.5
    }
