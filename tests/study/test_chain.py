"""The whole chain, as a user types it: what it leaves, how it goes on, what it refuses."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import time

import polars as pl
import pytest
from study.conftest import PROGRAM, run_audit

from shortcut_audit.audit.result.result import read_result
from shortcut_audit.runs import read_run

MODELS = {"classifier", "segmenter_pretrained", "segmenter_finetuned", "segmenter_scratch"}
LEARNT = {"manifest.csv", "masks.h5", *(f"{model}.safetensors" for model in MODELS)}
STAGES = 7
"""Data, classifier, explanation, pre-training, two segmenters on drawn masks, audit."""


def test_the_demo_ends_with_0_and_says_verdict_paths_and_whether_it_found_the_shortcut(finished):
    _, done = finished
    last = done.stdout.strip().splitlines()
    assert last[-1] in {"planted shortcut found: yes", "planted shortcut found: no"}
    assert any(line.endswith("report.html") for line in last)
    assert "classifier, pneumothorax, chest_tube" in done.stdout


def test_every_stage_leaves_its_file_and_private_ones_are_for_their_owner_only(finished):
    run = finished[0] / "run"
    names = {path.name for path in run.iterdir()}
    assert {f"{model}.safetensors" for model in MODELS} <= names
    assert {"manifest.csv", "masks.h5", "scores.csv", "cases.csv", "audit.json", "report.html"} <= names
    for name in ("manifest.csv", "masks.h5", "scores.csv", "cases.csv"):
        assert stat.S_IMODE((run / name).stat().st_mode) == 0o600, name


def test_all_models_are_audited_and_every_number_has_its_counts(finished):
    result = read_result(finished[0] / "run" / "audit.json")
    assert {verdict.model for verdict in result.verdicts} == MODELS
    assert {"classifier", "randomised weights"} <= {m.model for m in result.find("saliency_share")}
    assert {"pseudo-masks", "randomised weights", *MODELS} == {m.model for m in result.find("mask_share")}
    for metric in result.metrics:
        assert metric.reason or (metric.n > 0 and metric.low <= metric.value <= metric.high), metric


def test_raw_gap_is_reliance_plus_case_mix(finished):
    result = read_result(finished[0] / "run" / "audit.json")
    for model in MODELS:
        total, reliance, case_mix = (
            result.find(name, model=model)[0].value for name in ("auroc_gap", "gap_reliance", "gap_case_mix")
        )
        assert total == pytest.approx(reliance + case_mix, abs=1e-12)


def test_finetuning_says_which_weights_it_started_from(finished):
    run = finished[0] / "run"
    card, before = (json.loads((run / f"segmenter_{name}.json").read_text()) for name in ("finetuned", "pretrained"))
    assert card["started_from"] == before["sha256"]
    assert json.loads((run / "segmenter_scratch.json").read_text())["started_from"] == ""


def test_the_shared_files_hold_no_id(finished):
    run = finished[0] / "run"
    ids = pl.read_csv(run / "scores.csv", infer_schema=False)["sample_id"].unique()
    for name in ("audit.json", "report.html"):
        text = (run / name).read_text()
        assert not [one for one in ids if one in text]


def test_typing_the_command_again_takes_everything_as_it_is(study):
    before = {path: path.stat().st_mtime_ns for path in (study / "run").iterdir() if path.suffix == ".safetensors"}
    again = run_audit(study, "demo", "--config", "tiny.yaml", "--out", "run")
    assert again.returncode == 0, again.stderr
    assert again.stderr.count("done before, taken as it is") == 6
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_an_altered_output_is_made_again_with_the_same_content(study):
    weights = study / "run" / "segmenter_scratch.safetensors"
    good = weights.read_bytes()
    weights.write_bytes(good[:-1])
    again = run_audit(study, "demo", "--config", "tiny.yaml", "--out", "run")
    assert again.returncode == 0, again.stderr
    assert "scratch: segmenter_scratch.safetensors is missing or altered; making it again" in again.stderr
    assert weights.read_bytes() == good


def test_a_run_killed_in_every_stage_ends_as_if_it_had_never_been(study):
    """Killed without warning once in the work of each stage; the same command ends, with the same bytes."""
    finished = read_run(study / "run")
    wanted = {name: finished.digest(name) for name in LEARNT}
    numbers = read_result(study / "run" / "audit.json").metrics
    shutil.rmtree(study / "run")
    for done in range(STAGES):
        kill_when_done(study, done)
    again = run_audit(study, "demo", "--config", "tiny.yaml", "--out", "run")
    assert again.returncode == 0, again.stderr
    run = read_run(study / "run")
    assert {name: run.digest(name) for name in LEARNT} == wanted
    assert read_result(study / "run" / "audit.json").metrics == numbers


def kill_when_done(study, stages):
    """Type the command and kill it a moment after so many stages were done, in the middle of the next one."""
    record, audit = study / "run" / "run.json", study / "run" / "audit.json"
    command = [PROGRAM, "demo", "--config", "tiny.yaml", "--out", "run"]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, cwd=study, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as started:
        while started.poll() is None:
            if record.exists() and len(json.loads(record.read_text())["stages"]) >= stages:
                break
            time.sleep(0.01)
        time.sleep(0.05)
        assert started.poll() is None, "it ended before it could be killed"
        started.send_signal(signal.SIGKILL)
    assert not audit.exists()


def test_a_folder_of_another_configuration_is_73_and_left_alone(study):
    before = (study / "run" / "run.json").read_bytes()
    other = run_audit(study, "demo", "--config", "tiny.yaml", "--seed", "4", "--out", "run")
    assert other.returncode == 73
    assert "belongs to another run" in other.stderr
    assert (study / "run" / "run.json").read_bytes() == before


def test_a_second_audit_of_other_questions_goes_into_a_folder_inside(study):
    before = (study / "run" / "audit.json").read_bytes()
    other = run_audit(study, "evaluate", "--run", "run", "--spurious", "ecg_leads", "--exit-zero")
    assert other.returncode == 0, other.stderr
    inside = next((study / "run").glob("audit-*"))
    assert {verdict.attribute for verdict in read_result(inside / "audit.json").verdicts} == {"ecg_leads"}
    assert (study / "run" / "audit.json").read_bytes() == before


def test_truncated_masks_are_74_naming_the_file(study):
    store = study / "run" / "masks.h5"
    store.write_bytes(store.read_bytes()[:-100])
    told = run_audit(study, "evaluate", "--run", "run", "--spurious", "ecg_leads")
    assert told.returncode == 74
    assert "masks.h5" in told.stderr
    assert "Traceback" not in told.stderr


def test_an_unknown_attribute_is_2_and_says_what_helps(study):
    told = run_audit(study, "evaluate", "--run", "run", "--spurious", "chest_tub")
    assert told.returncode == 2
    for words in ("did you mean 'chest_tube'?", "--attributes FILE", "--dataset NAME"):
        assert words in told.stderr


def test_the_report_is_made_again_from_the_json_alone(study):
    page = study / "run" / "report.html"
    good = page.read_bytes()
    page.unlink()
    assert run_audit(study, "report", "run").returncode == 0
    assert page.read_bytes() == good


def test_a_model_without_the_findings_of_the_data_is_2_and_leaves_nothing(study):
    (study / "films.csv").write_text(
        "sample_id,image,patient_id,split,label.nodule,attribute.chest_tube\n"
        + "".join(
            f"s{n},run/films/images/{path.name},p{n},test,{n % 2},{n % 2}\n"
            for n, path in enumerate(sorted((study / "run" / "films" / "images").glob("test-*.png"))[:12])
        )
    )
    (study / "nodules.yaml").write_text("dataset: {name: table, table: {file: films.csv}}\n")
    told = run_audit(
        study, "evaluate", "--model", "run/classifier.safetensors", "--config", "nodules.yaml", "--root", ".",
        "--spurious", "chest_tube", "--out", "other",
    )  # fmt: skip
    assert told.returncode == 2, told.stderr
    assert "speaks of a finding of the data set" in told.stderr
    assert not (study / "other").exists()


@pytest.mark.parametrize(
    ("slip", "words"),
    [
        ("explain.method=integrated_gradiens", "did you mean 'integrated_gradients'?"),
        ("explain.smoothed=grad_kam", "did you mean 'grad_cam'?"),
        ("evaluate.summarizer=mean_probabilty", "did you mean 'mean_probability'?"),
        ("classifier.architecture=test_resnt", "did you mean 'test_resnet'?"),
        ("evaluate.spurious=[chest_tub]", "did you mean 'chest_tube'?"),
        ("classes={x: lungz}", "did you mean 'lungs'?"),
    ],
)
def test_a_misspelt_name_is_told_before_anything_is_trained_and_nothing_stays(finished, tmp_path, slip, words):
    few = [word for key in ("train", "val", "test") for word in ("--set", f"dataset.options.{key}=8")]
    told = run_audit(tmp_path, "demo", "--config", finished[0] / "tiny.yaml", *few, "--set", slip, "--out", "run")
    assert told.returncode == 2, told.stderr
    assert words in told.stderr
    assert not list(tmp_path.iterdir())


def test_an_altered_manifest_is_74_and_named(study):
    manifest = study / "run" / "manifest.csv"
    manifest.write_text("\n".join(manifest.read_text().splitlines()[:-20]) + "\n")
    told = run_audit(study, "evaluate", "--run", "run", "--spurious", "ecg_leads")
    assert told.returncode == 74
    assert "manifest.csv is missing or altered" in told.stderr


def test_an_audit_leaves_a_finished_run_finished(finished):
    assert json.loads((finished[0] / "run" / "run.json").read_text())["finished"] is True
