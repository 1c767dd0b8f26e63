"""Training a segmenter: fine-tuning starts from exactly the stored weights."""

import numpy as np
import pytest
import torch
from small_networks import (
    IMAGE,
    LEARN_MASKS,
    equal_weights,
    film_names,
    segmenter_card,
    small_films,
    small_segmenter,
    weights_of,
)

from shortcut_audit.config import SegmenterConfig
from shortcut_audit.errors import UsageError
from shortcut_audit.models.checkpoint import load_as, save_model
from shortcut_audit.models.segmenter import HEAD, Segmenter
from shortcut_audit.training import train_segmenter as module
from shortcut_audit.training.train_segmenter import MaskSet, train_segmenter


def learn(count=8, **changes):
    pixels, labels, masks = small_films(count)
    arguments = {
        "train": MaskSet(ids=film_names(pixels), pixels=pixels, masks=masks, known=np.ones_like(masks)),
        "val": (pixels, labels), "classes": ("pneumothorax",), "config": LEARN_MASKS, "image": IMAGE,
        "summarizer": "mean_probability", "seed": 0, "trained_on": "m" * 64, "phase": "drawn", "what": "Training",
    }  # fmt: skip
    return train_segmenter(**(arguments | changes))


def with_background(**changes):
    """Masks of two classes that exclude each other."""
    pixels, labels, masks = small_films(8)
    two = np.concatenate([masks, np.zeros_like(masks)], axis=1)
    return {
        "train": MaskSet(ids=film_names(pixels), pixels=pixels, masks=two, known=np.ones_like(two)),
        "val": (pixels, np.repeat(labels, 2, axis=1)), "classes": ("benign", "malignant"),
        "config": LEARN_MASKS.model_copy(update={"activation": "softmax"}),
    } | changes  # fmt: skip


@pytest.fixture
def at_first(monkeypatch):
    """The weights as they are when the first loss is computed, before any step."""
    caught = {}
    fit, mask_loss = module.fit, module.mask_loss

    def watched_fit(network, *arguments, **named):
        caught["network"] = network
        return fit(network, *arguments, **named)

    def watched_loss(*arguments, **named):
        if "weights" not in caught:
            names = dict(caught["network"].named_parameters())
            caught["weights"] = {k: v for k, v in weights_of(caught["network"]).items() if k in names}
        return mask_loss(*arguments, **named)

    monkeypatch.setattr(module, "fit", watched_fit)
    monkeypatch.setattr(module, "mask_loss", watched_loss)
    return caught


@pytest.fixture
def before_training(monkeypatch):
    """All tensors, statistics of batch normalisation too, when training is about to begin."""
    caught = {}
    fit = module.fit

    def watched(network, *arguments, **named):
        caught.update(weights_of(network))
        return fit(network, *arguments, **named)

    monkeypatch.setattr(module, "fit", watched)
    return caught


def test_fine_tuning_starts_from_exactly_the_stored_weights(tmp_path, at_first):
    digest = save_model(small_segmenter(seed=5), tmp_path / "pretrained.safetensors")
    start = load_as(tmp_path / "pretrained.safetensors", Segmenter)
    tuned = learn(start=(start, digest), seed=3)
    stored = weights_of(load_as(tmp_path / "pretrained.safetensors", Segmenter))
    assert len(at_first["weights"]) > 50
    assert all(torch.equal(tensor, stored[name]) for name, tensor in at_first["weights"].items())
    assert tuned.card.started_from == digest
    assert not equal_weights(weights_of(tuned), stored)


def test_the_statistics_of_batch_normalisation_are_taken_too(before_training, capfd):
    start = small_segmenter(seed=5)
    for module_ in start.modules():
        if isinstance(module_, torch.nn.BatchNorm2d):
            module_.running_mean += 0.25
    stored = weights_of(start)
    learn(start=(start, "f" * 64))
    assert equal_weights(before_training, stored)
    count = len(stored)
    assert f"Starting from a pre-trained segmenter: {count} of {count} tensors taken\n" in capfd.readouterr().err


def test_the_segmenter_that_was_given_stays_as_it_is():
    start = small_segmenter(seed=5)
    stored = weights_of(start)
    learn(start=(start, "f" * 64))
    assert equal_weights(weights_of(start), stored)


@pytest.mark.parametrize("same_number", [True, False])
def test_where_the_classes_differ_all_but_the_head_is_taken(before_training, capfd, same_number):
    start = small_segmenter(seed=5, classes=("a", "b", "c") if same_number else ("pneumothorax",))
    stored = weights_of(start)
    tuned = learn(**with_background(start=(start, "f" * 64)))
    heads = {name for name in stored if name.startswith(HEAD)}
    assert len(heads) == 2
    assert all(torch.equal(before_training[name], stored[name]) for name in set(stored) - heads)
    assert not any(
        torch.equal(before_training[name], stored[name])
        for name in heads
        if before_training[name].shape == stored[name].shape and name.endswith("weight")
    )
    assert tuned.card.classes == ("benign", "malignant")
    assert (tuned.card.activation, tuned.card.started_from) == ("softmax", "f" * 64)
    told = capfd.readouterr().err
    assert f"{len(stored) - 2} of {len(stored)} tensors taken; its head for {', '.join(start.card.classes)} is" in told


def test_a_network_sees_films_as_it_learnt_to_see_them():
    start = small_segmenter(mean=(0.9,), std=(0.7,))
    tuned = learn(start=(start, "f" * 64))
    assert (tuned.card.mean, tuned.card.std) == ((0.9,), (0.7,))
    assert tuned.standardise.mean.item() == pytest.approx(0.9)


@pytest.mark.parametrize("changes", [{"decoder_channels": (32, 32, 16, 16, 8)}, {"channels": 3, "mean": (0.5,) * 3}])
def test_a_network_of_another_shape_is_no_start(changes):
    with pytest.raises(
        UsageError, match=r"the pre-trained segmenter .* lacks \d+ of \d+ tensors of a U-Net on tu-test"
    ):
        learn(start=(small_segmenter(**changes), "f" * 64))


def test_from_scratch_the_seed_decides_everything(before_training):
    first = learn()
    begun = dict(before_training)
    second = learn()
    assert equal_weights(begun, before_training)
    assert equal_weights(weights_of(first), weights_of(second))
    learn(seed=1)
    assert not equal_weights(begun, before_training)


@pytest.mark.parametrize(
    ("phase", "epochs", "supervision", "weights"),
    [("pretrain", 1, "pseudo-masks", (1.0, 0.1)), ("drawn", 2, "drawn masks", (5.0, 1.0))],
)
def test_a_phase_has_its_length_its_words_and_its_weights(monkeypatch, phase, epochs, supervision, weights):
    used = set()
    mask_loss = module.mask_loss

    def watched(*arguments, positive_weight, background_weight, **named):
        used.add((positive_weight, background_weight))
        return mask_loss(*arguments, positive_weight=positive_weight, background_weight=background_weight, **named)

    monkeypatch.setattr(module, "mask_loss", watched)
    card = learn(phase=phase).card
    assert len(card.history) == epochs
    assert (card.supervision, card.started_from, card.trained_on) == (supervision, "", "m" * 64)
    assert used == {weights}


def test_the_card_describes_the_network_that_is_configured():
    config = SegmenterConfig(encoder="tu-test_resnet", epochs=1, batch_size=4, decoder_channels=[16, 8, 8, 8, 4])
    card = learn(config=config).card
    assert card.decoder_channels == (16, 8, 8, 8, 4)
    assert card.encoder == segmenter_card().encoder
    assert card.size == IMAGE.size


def test_unknown_pixels_teach_nothing():
    pixels, _, masks = small_films(8)
    known = np.zeros_like(masks)
    known[:, :, :, :10] = True
    other = masks ^ ~known
    first, second = (
        learn(train=MaskSet(ids=film_names(pixels), pixels=pixels, masks=m, known=known)) for m in (masks, other)
    )
    assert equal_weights(weights_of(first), weights_of(second))
