"""Where models look: what is measured with footprints in the data set, and without."""

import numpy as np

from shortcut_audit.masks.agreement import dice
from shortcut_audit.models.checkpoint import load_as
from shortcut_audit.models.classifier import Classifier
from shortcut_audit.models.segmenter import Segmenter
from shortcut_audit.stages import learn
from shortcut_audit.stages.look import look, predicted_masks

FINDING = "pneumothorax"


def test_without_footprints_segmenters_are_compared_with_drawn_masks_and_nothing_is_explained(make_study, films):
    bare = films.frame.drop(name for name in films.frame.columns if name.startswith("footprint."))
    manifest = type(films)(card=films.card, root=films.root, frame=bare)
    study = make_study("evaluate.saliency_images=50", manifest=manifest)
    learn.learn_labels(study)
    learn.learn_drawn_masks(study, "scratch")
    segmenter = load_as(study.run.path(learn.SCRATCH), Segmenter)
    models = {"classifier": load_as(study.run.path(learn.CLASSIFIER), Classifier), "segmenter": segmenter}
    found = {(one.name, one.model): one for one in look(study, models, FINDING)}
    assert {model for _, model in found} == {"segmenter"}

    test = study.films("test")
    rows = np.flatnonzero(test.labels[:, 0] == 1)
    drawn, _ = study_masks(study, test)
    by_hand = [
        dice(mask, drawn[row]) for row, mask in zip(rows, predicted_masks(segmenter, test, rows)[:, 0], strict=True)
    ]
    measured = found["dice", "segmenter"]
    assert measured.n == len(rows)
    assert np.isclose(measured.value, np.mean(by_hand))


def study_masks(study, films):
    masks, known = learn.drawn_masks(films, study.rules(), study.config.image.size)
    return masks[:, 0], known[:, 0]


def test_with_footprints_classifiers_are_explained(make_study):
    study = make_study("evaluate.saliency_images=2")
    learn.learn_labels(study)
    models = {"classifier": load_as(study.run.path(learn.CLASSIFIER), Classifier)}
    names = {one.name for one in look(study, models, FINDING)}
    assert {"saliency_share", "mask_share"} <= names


def test_without_images_to_look_at_nothing_is_measured(make_study):
    assert look(make_study("evaluate.saliency_images=0"), {}, FINDING) == []
