"""Comparing ways to fine-tune: shares lie inside each other, arms differ in nothing else, a killed run goes on."""

import csv
import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from small_networks import equal_weights, segmenter_card, small_segmenter, weights_of

from shortcut_audit.audit.arms.result import LONG, ArmsResult
from shortcut_audit.errors import InputError, OutputError, UsageError
from shortcut_audit.models.checkpoint import load_model, save_model
from shortcut_audit.models.segmenter import ENCODER, FIXED, HEAD
from shortcut_audit.stages import arms as module
from shortcut_audit.stages import learn
from shortcut_audit.stages.arms import compare_arms, share_of_labels
from shortcut_audit.training import train_arm as training
from shortcut_audit.training.train_arm import begin_arm

ARMS = (
    "finetune={arms: [full, frozen, adapters, encoder, scratch], fractions: [0.5, 1.0], learning_rates: [0.001, 0.01], "
)
SHORT = f"{ARMS}steps: 2, check_every: 1, tune_fraction: 0.5, same_compute_fraction: 0.5, keep_weights: true}}"
ALONE = (
    "finetune={{arms: [{arms}], fractions: [1.0], learning_rates: [0.001], steps: 1, check_every: 1, "
    "tune_fraction: 1.0, same_compute_fraction: {share}}}"
)
CLASSES = "classes={lungs: lungs, pneumothorax: pneumothorax}"


@pytest.fixture
def source(make_study):
    """A run that holds a pre-trained segmenter of one finding, two epochs long."""
    study = make_study(out="source")

    def work():
        segmenter = small_segmenter(seed=7)
        segmenter.card = segmenter.card.model_copy(update={"history": ({"epoch": 1}, {"epoch": 2})})
        save_model(segmenter, study.run.path(learn.PRETRAINED))

    study.run.stage("pretrain", inputs={}, outputs=learn.outputs(learn.PRETRAINED), work=work)
    return study.run


@pytest.fixture
def trained(monkeypatch):
    """What every training was given: its arm, the weights at its beginning, and the films."""
    caught = []
    fit = training.fit

    def watched(network, stored, targets, **named):
        caught.append({
            "weights": weights_of(network), "stored": stored, "targets": targets, "schedule": named["schedule"],
            "learns": {name for name, weights in network.named_parameters() if weights.requires_grad},
            "what": named["what"],
        })  # fmt: skip
        return fit(network, stored, targets, **named)

    monkeypatch.setattr(training, "fit", watched)
    return caught


def test_a_smaller_share_lies_inside_a_larger_one_and_patients_stay_whole(films):
    drawn = np.ones((24, 2), dtype=bool)
    drawn[3] = False
    shares = [share_of_labels(films, drawn, fraction, 0) for fraction in (0.01, 0.05, 0.25, 0.5, 1.0)]
    for small, large in pairwise(shares):
        assert not (small & ~large).any()
    patients = films.frame["patient_id"].to_numpy()
    for share, wanted in zip(shares, (1, 1, 3, 6, 12), strict=True):
        assert len(set(patients[share])) == wanted
        for patient in set(patients[share]):
            assert (share | ~drawn.any(axis=1))[patients == patient].all()
    assert not shares[-1][3]
    assert any(not np.array_equal(share_of_labels(films, drawn, 0.25, seed), shares[2]) for seed in (1, 2, 3))


@pytest.mark.parametrize("arm", ["full", "frozen", "adapters", "encoder", "scratch"])
def test_what_an_arm_takes_and_what_of_it_learns(arm):
    start = small_segmenter(seed=7)
    stored = weights_of(start)
    card = segmenter_card(classes=("lungs", "heart"), seed=1)
    network = begin_arm(arm, card, (start, "f" * 64), adapter_width=0.25, weights="none")
    own = {name.replace(FIXED, ENCODER): tensor for name, tensor in weights_of(network).items()}
    same = {
        name for name, tensor in stored.items() if own[name].shape == tensor.shape and torch.equal(own[name], tensor)
    }
    drawn = {
        name for name in stored if name.endswith("weight") and stored[name].ndim == 4 and not name.startswith(HEAD)
    }
    encoder = {name for name in drawn if name.startswith(ENCODER)}
    assert same & drawn == {"encoder": encoder, "scratch": set()}.get(arm, drawn)
    learns = {name for name, weights in network.named_parameters() if weights.requires_grad}
    assert bool({name for name in learns if name.startswith((FIXED, "network.encoder.model"))}) == (
        arm in ("full", "encoder", "scratch")
    )
    assert any(".adapters." in name for name in learns) == (arm == "adapters")
    assert network.card.started_from == ("" if arm == "scratch" else "f" * 64)
    assert network.card.classes == ("lungs", "heart")


def test_all_arms_are_trained_alike_and_all_numbers_are_told(make_study, source, trained):
    study = make_study(SHORT, CLASSES)
    result = compare_arms(study, source)

    # two rates at 50 % for five arms; of these one is that of 50 %; five at 100 %, and the long one
    assert len(trained) == 10 + 5 + 1
    half = [one for one in trained if "-50pct-" in one["what"] and "-2steps" in one["what"]]
    assert len(half) == 10
    for one in half:
        assert torch.equal(one["stored"], half[0]["stored"])
        assert all(torch.equal(a, b) for a, b in zip(one["targets"], half[0]["targets"], strict=True))
        schedule = one["schedule"]
        assert (schedule.epochs, schedule.steps, schedule.seed) == (2, 1, 0)
        assert {schedule.learning_rate} <= {0.001, 0.01}
    assert half[0]["targets"][0].shape[1] == 2  # one channel a structure: they may overlap

    assert result.pretraining_steps == 2 * (8 // 4)
    assert {one.arm: one.steps for one in result.trainings}[LONG] == 2 + 4
    assert {(one.arm, one.structure, one.fraction) for one in result.numbers if one.name == "dice"} == {
        (arm, structure, fraction)
        for arm in ("full", "frozen", "adapters", "encoder", "scratch")
        for structure in ("lungs", "pneumothorax")
        for fraction in (0.5, 1.0)
    } | {(LONG, structure, 0.5) for structure in ("lungs", "pneumothorax")}
    for number in result.numbers:
        assert number.reason or number.low <= number.value <= number.high
    lungs, sick = (
        next(n for n in result.numbers if (n.name, n.structure) == ("dice", s)) for s in ("lungs", "pneumothorax")
    )
    assert (lungs.n, lungs.left_out, sick.n, sick.left_out) == (10, 0, 5, 5)
    for arm in ("full", "scratch"):
        rates = [rate for rate in result.rates if rate.arm == arm]
        (taken,) = [rate for rate in rates if rate.taken]
        assert taken.dice == max(rate.dice for rate in rates)
        assert {one.learning_rate for one in result.trainings if one.arm == arm} == {taken.learning_rate}
    learnt = {one.arm: one.learnt for one in result.trainings}
    assert learnt["frozen"] < learnt["adapters"] < learnt["full"] == learnt["encoder"] == learnt["scratch"]


@pytest.mark.parametrize(
    ("arms", "share", "lacking"),
    [("scratch", 0.25, "without 0.25 among finetune.fractions"), ("frozen", 1.0, "without the arm 'scratch'")],
)
def test_a_long_training_that_would_stand_beside_nothing_is_left_out_and_said(
    make_study, source, trained, arms, share, lacking
):
    result = compare_arms(make_study(ALONE.format(arms=arms, share=share), CLASSES), source)
    assert len(trained) == 1
    (note,) = result.notes
    assert note.startswith("nothing is trained from scratch with the steps of pre-training added")
    assert note.endswith(f"it would stand beside nothing {lacking}")


def test_the_files_say_the_same_and_adapters_are_a_small_file(make_study, source):
    study = make_study(SHORT, CLASSES)
    result = compare_arms(study, source)
    folder = study.run.folder
    assert ArmsResult.model_validate_json((folder / "arms.json").read_bytes()) == result
    with (folder / "arms.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["value"] for row in rows] == ["" if n.value is None else str(n.value) for n in result.numbers]
    page = (folder / "arms.html").read_text()
    assert "Overlap by share of the labels" in page
    small = next(folder.glob("arms/adapters-100pct-*.weights.safetensors"))
    whole = next(folder.glob("arms/full-100pct-*.weights.safetensors"))
    assert small.stat().st_size < whole.stat().st_size / 2
    base = folder / "arms" / learn.PRETRAINED
    assert base.read_bytes() == source.path(learn.PRETRAINED).read_bytes()
    assert load_model(small).card.adapter_width == 0.25
    assert study.run.intact(f"arms/{learn.PRETRAINED}")
    shared = [(folder / name).read_text() for name in ("arms.json", "arms.csv", "arms.html")]
    shared += [path.read_text() for path in folder.glob("arms/*.json")]
    assert not [one for one in study.manifest.ids for text in shared if f'"{one}"' in text]


def test_a_killed_comparison_goes_on_with_the_next_training(make_study, source, trained, monkeypatch):
    study = make_study(SHORT, CLASSES)
    overlap_on, seen = module.overlap_on, []

    def killed(*arguments):
        seen.append(1)
        if len(seen) == 4:
            raise KeyboardInterrupt
        return overlap_on(*arguments)

    monkeypatch.setattr(module, "overlap_on", killed)
    with pytest.raises(KeyboardInterrupt):
        compare_arms(study, source)
    assert len(list(study.run.folder.glob("arms/*steps.json"))) == 3
    kept = {path: path.stat().st_mtime_ns for path in study.run.folder.glob("arms/*")}
    del trained[:]

    result = compare_arms(study, source)
    assert len(trained) == 16 - 3
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    del trained[:]
    assert compare_arms(study, source).numbers == result.numbers
    assert trained == []

    altered = next(study.run.folder.glob("arms/full-100pct-*steps.json"))
    altered.write_text("{}")
    assert compare_arms(study, source).numbers == result.numbers
    assert [one["what"] for one in trained] == [f"Training {altered.stem}"]


def test_equal_runs_give_equal_numbers(make_study, source):
    first, second = (compare_arms(make_study(SHORT, CLASSES, out=out), source) for out in ("one", "two"))
    assert first.numbers == second.numbers


def test_a_segmenter_of_another_network_is_refused_before_anything_is_trained(make_study, source, trained):
    study = make_study(SHORT, CLASSES, "segmenter.decoder_channels=[16, 8, 8, 8, 8]")
    with pytest.raises(
        UsageError, match=r"the pre-trained segmenter .* lacks \d+ of \d+ tensors of a U-Net on tu-test"
    ):
        compare_arms(study, source)
    other = make_study(SHORT.replace("[full, frozen, adapters, encoder, scratch]", "[encoder]"), CLASSES,
                       "segmenter.encoder=tu-test_efficientnet", out="other")  # fmt: skip
    with pytest.raises(
        UsageError, match=r"the pre-trained segmenter lacks \d+ of 80 tensors of the encoder tu-test_eff"
    ):
        compare_arms(other, source)
    assert trained == []


def test_validation_films_without_masks_are_said(make_study, source, films):
    import polars as pl

    blank = films.frame.with_columns(
        pl.when(pl.col("split") == "val").then(None).otherwise(pl.col("mask.lungs")).alias("mask.lungs")
    )
    from dataclasses import replace

    study = make_study(SHORT, "classes={lungs: lungs}", manifest=replace(films, frame=blank))
    with pytest.raises(
        InputError, match=r"no val film has a drawn mask for lungs; check the mask columns and the split"
    ):
        compare_arms(study, source)
    healthy = films.frame.filter((pl.col("split") != "val") | (pl.col("label.pneumothorax") == 0))
    empty = make_study(SHORT, "classes={pneumothorax: pneumothorax}", manifest=replace(films, frame=healthy), out="two")
    with pytest.raises(UsageError, match=r"no validation film has a drawn mask of pneumothorax that is not empty"):
        compare_arms(empty, source)


def test_what_is_not_a_training_is_refused(tmp_path):
    (tmp_path / "x.json").write_text(json.dumps({"arm": "full"}))
    with pytest.raises(OutputError, match=r"x.json is not what a training of an arm leaves; remove it and run again"):
        module.read_training(tmp_path / "x.json")


def test_the_weights_at_the_beginning_are_those_of_the_seed_alone(make_study, source, trained):
    compare_arms(make_study(SHORT, CLASSES), source)
    scratch = [one["weights"] for one in trained if "scratch-50pct" in one["what"]]
    assert len(scratch) == 3
    assert all(equal_weights(scratch[0], other) for other in scratch[1:])
