"""Training a classifier from image labels."""

import numpy as np
import pytest
import torch
from small_networks import IMAGE, LEARN_LABELS, equal_weights, film_names, small_films, weights_of

from shortcut_audit.training import train_classifier as module
from shortcut_audit.training.train_classifier import mean_auroc, pixel_statistics, train_classifier

NAN = np.nan


def learn(**changes):
    pixels, labels, _ = small_films()
    arguments = {
        "train": (pixels, labels), "val": (pixels, labels), "ids": film_names(pixels),
        "findings": ("pneumothorax",), "config": LEARN_LABELS, "image": IMAGE, "seed": 0, "trained_on": "m" * 64,
    }  # fmt: skip
    return train_classifier(**(arguments | changes))


def test_equal_seeds_give_equal_weights_and_other_seeds_others():
    first = learn()
    assert equal_weights(weights_of(first), weights_of(learn()))
    assert not equal_weights(weights_of(first), weights_of(learn(seed=1)))


def test_the_card_tells_how_it_came_about():
    card = learn().card
    assert card.findings == ("pneumothorax",)
    assert (card.supervision, card.trained_on, card.started_from) == ("image labels", "m" * 64, "")
    assert [entry["epoch"] for entry in card.history] == [1, 2]
    assert card.chosen.endswith("best validation AUROC")
    pixels, _, _ = small_films()
    assert card.mean == pytest.approx([pixels.mean() / 255])
    assert card.std == pytest.approx([pixels.std() / 255])


@pytest.mark.parametrize(
    ("config", "wanted"),
    [({}, [9.0, 1 / 10, 1.0]), ({"max_class_weight": 3.0}, [3.0, 1 / 3, 1.0]), ({"class_weights": "none"}, [1.0] * 3)],
)
def test_positives_weigh_what_is_asked_for(monkeypatch, config, wanted):
    used = []
    label_loss = module.label_loss

    def watched(logits, labels, weights):
        used.append(weights.tolist())
        return label_loss(logits, labels, weights)

    monkeypatch.setattr(module, "label_loss", watched)
    pixels, _, _ = small_films(40)
    labels = np.full((40, 3), NAN)
    labels[:, 0] = np.arange(40) < 4  # 36 negatives a 4 positives
    labels[:, 1] = np.arange(40) >= 2  # 2 negatives to 38 positives: below the limit
    labels[:, 2] = 1.0  # one class alone
    learn(train=(pixels, labels), val=(pixels, labels), findings=("a", "b", "c"),
          config=LEARN_LABELS.model_copy(update={"epochs": 1, **config}))  # fmt: skip
    assert used[0] == pytest.approx(wanted)


def test_unknown_labels_teach_nothing():
    pixels, labels, _ = small_films()
    both = np.column_stack([labels, np.full_like(labels, NAN)])
    model = learn(train=(pixels, both), val=(pixels, both), findings=("pneumothorax", "effusion"))
    assert all(np.isfinite(tensor.numpy()).all() for tensor in weights_of(model).values())


def test_uncertain_labels_can_be_a_class_that_is_learnt():
    pixels, labels, _ = small_films()
    doubted = labels.copy()
    doubted[::3] = -1
    left_out = np.where(doubted == -1, NAN, doubted)
    three = learn(train=(pixels, doubted), uncertain=True)
    assert three.card.outputs == 3
    assert not three.training
    assert not equal_weights(weights_of(three), weights_of(learn(train=(pixels, left_out), uncertain=True)))
    assert learn(train=(pixels, left_out)).card.outputs == 1


def test_the_class_of_uncertain_labels_is_told_from_the_others():
    pixels, labels, _ = small_films(24)
    pixels[::3, :, 24:] = 255
    doubted = labels.copy()
    doubted[::3] = -1
    config = LEARN_LABELS.model_copy(update={"epochs": 15, "checkpoint": "last", "class_weights": "none"})
    model = learn(train=(pixels, doubted), val=(pixels, labels), ids=film_names(pixels), uncertain=True, config=config)
    with torch.no_grad():
        told = model.outputs(torch.from_numpy(pixels).float() / 255)[:, 0].argmax(dim=1).numpy()
    assert (told == np.where(doubted[:, 0] == -1, 2, doubted[:, 0])).mean() > 0.9


def test_without_a_validation_auroc_the_last_epoch_is_kept():
    pixels, labels, _ = small_films()
    assert learn(val=(pixels, labels * 0)).card.chosen == "epoch 2: the last"


def test_pixel_statistics_are_per_channel_and_never_zero():
    stored = np.zeros((4, 2, 3, 3), dtype=np.uint8)
    stored[:2, 1] = 255
    assert pixel_statistics(stored) == ((0.0, 0.5), (0.001, 0.5))


def test_mean_auroc_by_hand():
    labels = np.array([[1.0, 0], [0, 1], [1, NAN], [0, 1]])
    scores = np.array([[0.9, 0.1], [0.2, 0.2], [0.3, 0.9], [0.4, 0.1]])
    assert mean_auroc(labels[:, :1], scores[:, :1]) == 0.75
    assert mean_auroc(labels, scores) == pytest.approx((0.75 + 0.75) / 2)  # 0.1 against 0.2 and 0.1: 1.5 of 2


def test_mean_auroc_leaves_out_a_finding_of_one_class():
    labels, scores = np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([[0.9, 0.3], [0.1, 0.2]])
    assert mean_auroc(labels, scores) == 1.0
    assert mean_auroc(labels[:, 1:], scores[:, 1:]) is None
    assert mean_auroc(labels[:, :1] * NAN, scores[:, :1]) is None
