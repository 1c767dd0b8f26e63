"""Stages that train: what they start from and what they refuse."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from small_networks import equal_weights, weights_of

from shortcut_audit.errors import InputError, UsageError
from shortcut_audit.masks.store import MaskStore
from shortcut_audit.models.checkpoint import load_as, save_model
from shortcut_audit.models.classifier import Classifier
from shortcut_audit.models.segmenter import HEAD, Segmenter
from shortcut_audit.stages import learn
from shortcut_audit.stages.explain import explain_training_films
from shortcut_audit.training import train_segmenter as training


@pytest.fixture
def begun(monkeypatch):
    """The weights of every segmenter at the moment its training begins."""
    caught = []
    fit = training.fit

    def watched(network, *arguments, **named):
        caught.append((weights_of(network), arguments))
        return fit(network, *arguments, **named)

    monkeypatch.setattr(training, "fit", watched)
    return caught


@pytest.fixture
def pretrained(make_study):
    """A study whose run holds classifier, pseudo-masks and pre-trained segmenter."""
    study = make_study()
    learn.learn_labels(study)
    explain_training_films(study, [study.run.path(learn.CLASSIFIER)])
    learn.learn_pseudo_masks(study)
    return study


def test_fine_tuning_starts_from_exactly_what_the_run_stored(pretrained, begun):
    stored = weights_of(load_as(pretrained.run.path(learn.PRETRAINED), Segmenter))
    learn.learn_drawn_masks(pretrained, "finetuned")
    learn.learn_drawn_masks(pretrained, "scratch")
    assert equal_weights(begun[0][0], stored)
    assert not equal_weights(begun[1][0], stored)
    tuned, scratch = (load_as(pretrained.run.path(name), Segmenter) for name in (learn.FINETUNED, learn.SCRATCH))
    assert tuned.card.started_from == pretrained.run.digest(learn.PRETRAINED)
    assert scratch.card.started_from == ""
    assert not equal_weights(weights_of(tuned), stored)


def test_a_classifier_with_a_class_of_uncertain_labels_is_explained_by_its_one_logit(make_study, films):
    doubted = films.frame["label.pneumothorax"].to_list()
    doubted[0] = doubted[1] = -1.0
    frame = films.frame.with_columns(pl.Series("label.pneumothorax", doubted))
    study = make_study("dataset.uncertain=multiclass", "explain.steps=24", manifest=replace(films, frame=frame))
    learn.learn_labels(study)
    explain_training_films(study, [study.run.path(learn.CLASSIFIER)])
    assert load_as(study.run.path(learn.CLASSIFIER), Classifier).card.outputs == 3
    store = MaskStore(study.run.path(learn.MASKS))
    assert len(store) == 3  # of four positives among the training films, one is doubted
    assert all(store[row].delta < 0.1 for row in range(3))


def test_both_arms_learn_from_the_same_films_and_masks(pretrained, begun):
    learn.learn_drawn_masks(pretrained, "finetuned")
    learn.learn_drawn_masks(pretrained, "scratch")
    (_, (pixels, targets)), (_, (other_pixels, other_targets)) = begun
    assert torch.equal(pixels, other_pixels)
    assert all(torch.equal(a, b) for a, b in zip(targets, other_targets, strict=True))


def test_another_run_can_be_started_from_and_other_classes_keep_all_but_the_head(pretrained, make_study, begun):
    classes = "classes={lungs: lungs, sick: lungs where pneumothorax = 1}"
    target = make_study(classes, out="second")
    learn.learn_drawn_masks(target, "finetuned", source=pretrained.run)
    stored = weights_of(load_as(pretrained.run.path(learn.PRETRAINED), Segmenter))
    body = {name for name in stored if not name.startswith(HEAD)}
    assert all(torch.equal(begun[0][0][name], stored[name]) for name in body)
    tuned = load_as(target.run.path(learn.FINETUNED), Segmenter)
    assert tuned.card.classes == ("lungs", "sick")
    assert tuned.card.started_from == pretrained.run.digest(learn.PRETRAINED)


def test_what_is_done_is_not_done_again_and_another_start_is(pretrained, capfd):
    learn.learn_drawn_masks(pretrained, "finetuned")
    before = pretrained.run.digest(learn.FINETUNED)
    capfd.readouterr()
    learn.learn_drawn_masks(pretrained, "finetuned")
    assert "finetuned: done before" in capfd.readouterr().err
    start = load_as(pretrained.run.path(learn.PRETRAINED), Segmenter)
    with torch.no_grad():
        next(iter(start.parameters())).add_(1.0)
    pretrained.run.stage(
        "pretrain", inputs={"other": 1}, outputs=learn.outputs(learn.PRETRAINED),
        work=lambda: save_model(start, pretrained.run.path(learn.PRETRAINED)),
    )  # fmt: skip
    learn.learn_drawn_masks(pretrained, "finetuned")
    assert pretrained.run.digest(learn.FINETUNED) != before


def test_fine_tuning_needs_a_pre_trained_segmenter(make_study):
    with pytest.raises(UsageError, match=r"run has no segmenter_pretrained.safetensors; run the stage that makes it"):
        learn.learn_drawn_masks(make_study(), "finetuned")


def test_films_without_the_finding_have_an_empty_known_mask_in_pre_training(pretrained, begun):
    pretrained.run.path(learn.PRETRAINED).unlink()
    learn.learn_pseudo_masks(pretrained)
    _, (_, (masks, known)) = begun[0]
    negative = torch.from_numpy(pretrained.films("train").labels[:, 0] == 0)
    assert known[negative].all()
    assert not masks[negative].any()


def test_the_permuted_twin_learns_the_same_labels_on_other_films(make_study, begun):
    study = make_study("classes={sick: lungs where pneumothorax = 1}")
    learn.learn_drawn_masks(study, "permuted")
    learn.learn_drawn_masks(study, "scratch")
    dealt, drawn = ([bool(mask.any()) for mask in arguments[1][0]] for _, arguments in begun)
    assert sum(dealt) == sum(drawn) == 4
    assert dealt != drawn


def test_the_same_run_gives_the_same_classifier(make_study):
    studies = [make_study(out=name) for name in ("one", "two")]
    for study in studies:
        learn.learn_labels(study)
    first, second = (weights_of(load_as(s.run.path(learn.CLASSIFIER), Classifier)) for s in studies)
    assert equal_weights(first, second)


def test_one_class_only_is_nothing_to_learn(make_study, films):
    frame = films.frame.with_columns(pl.lit(1.0).alias("label.pneumothorax"))
    message = r"nothing to learn: none of pneumothorax has both positive and negative training films \(8 films\)"
    with pytest.raises(InputError, match=message):
        learn.learn_labels(make_study(manifest=replace(films, frame=frame)))


def test_masks_on_test_films_only_are_nothing_to_learn(make_study, films):
    some = films.frame.with_columns(
        pl.when(pl.col("split") == "test").then(pl.col("mask.lungs")).otherwise(None).alias("mask.lungs")
    )
    study = make_study("classes={lungs: lungs}", manifest=replace(films, frame=some))
    with pytest.raises(InputError, match=r"no train film has a drawn mask for lungs; check the mask columns"):
        learn.learn_drawn_masks(study, "scratch")


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (
            ["classifier.findings=[effusion]"],
            r"was trained for pneumothorax; this run is about effusion; set classifier.f",
        ),
        (["image.size=64"], r"takes 1 x 32 px; this run works at 1 x 64 px; set image.size=32 and image.channels=1"),
    ],
)
def test_a_classifier_of_something_else_is_not_explained(make_study, films, sets, message):
    study = make_study()
    learn.learn_labels(study)
    both = replace(films, frame=films.frame.with_columns(pl.lit(1.0).alias("label.effusion")))
    other = make_study(*sets, manifest=both if "effusion" in sets[0] else films, out="second")
    with pytest.raises(UsageError, match=message):
        explain_training_films(other, [study.run.path(learn.CLASSIFIER)])


def test_pseudo_masks_are_made_for_training_films_with_the_finding(pretrained):
    from shortcut_audit.masks.store import MaskStore

    store = MaskStore(pretrained.run.path("masks.h5"))
    asked = [store.pairs.sample_ids[n] for n in store.pairs.sample]
    assert asked == ["s1", "s3", "s5", "s7"]
    assert store.header.manifest == pretrained.manifest.fingerprint
    assert np.isfinite(store[0].heatmap).all()


def test_a_segmenter_and_a_classifier_are_explained_together_by_their_scores(pretrained):
    from shortcut_audit.masks.store import MaskStore
    from shortcut_audit.provenance import sha256_file

    paths = [pretrained.run.path(name) for name in (learn.CLASSIFIER, learn.PRETRAINED)]
    alone = MaskStore(pretrained.run.path("masks.h5"))[0]
    assert "summarizer" not in MaskStore(pretrained.run.path("masks.h5")).header.settings
    explain_training_films(pretrained, paths)
    store = MaskStore(pretrained.run.path("masks.h5"))
    assert store.header.settings["summarizer"] == pretrained.config.evaluate.summarizer
    assert store.header.settings["classifiers"] == [sha256_file(path) for path in paths]
    assert store[0].sample_id == alone.sample_id
    assert store[0].heatmap.min() >= 0
    assert store[0].score != pytest.approx(alone.score, abs=1e-3)


def test_classes_of_which_no_mask_has_a_pixel_are_said_and_refused_where_there_is_no_other(capsys):
    masks, known = np.zeros((2, 2, 4, 4), dtype=bool), np.ones((2, 2, 4, 4), dtype=bool)
    masks[0, 0, 1, 1] = True
    learn.need_drawn(masks, known, ("lung", "heart"), "train")
    said = "no mask of heart has a pixel in train: nothing of it is learnt or measured"
    assert said in capsys.readouterr().err
    with pytest.raises(InputError, match=f"{said}; 'audit data check' counts the masks that are empty"):
        learn.need_drawn(masks[:, 1:], known[:, 1:], ("heart",), "train")
    # A control may be dealt labels whose films were not drawn.
    learn.need_drawn(masks[:, 1:], known[:, 1:], ("heart",), "train", control=True)
    learn.need_drawn(masks[:, 1:], known[:, 1:], ("heart",), "test")
    learn.need_drawn(masks[:, :1], known[:, :1], ("lung",), "train")
    assert "lung" not in capsys.readouterr().err
