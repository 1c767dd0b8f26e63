"""The loop: a function of its seed, and honest about a loss that is not finite."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from shortcut_audit.config import ClassifierConfig, SegmenterConfig
from shortcut_audit.errors import DivergedError
from shortcut_audit.training.engine import Engine
from shortcut_audit.training.loop import Schedule, fit

N, BATCH = 32, 8
IDS = [f"film {row}" for row in range(N)]


def schedule(**changes):
    fields = {
        "epochs": 4, "batch_size": BATCH, "learning_rate": 0.01, "weight_decay": 0.01, "flip": True,
        "keep_best": False, "seed": 0,
    }  # fmt: skip
    return Schedule(**(fields | changes))


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(1))


def films():
    generator = torch.Generator().manual_seed(1)
    stored = torch.randint(0, 256, (N, 1, 6, 6), dtype=torch.uint8, generator=generator)
    return stored, torch.arange(N).float()[:, None]


def squared(output, target):
    return (output.float() - target).square().mean()


def train(loss=squared, validate=lambda: None, targets=None, **changes):
    """Train the little network; return it and what training left."""
    net, (stored, order) = network(), films()
    net(torch.rand(2, 1, 6, 6))
    fitted = fit(
        net, stored, targets or [order], ids=IDS, loss=loss, validate=validate, schedule=schedule(**changes),
        what="Training a toy", engine=Engine(precision="32-true"),
    )  # fmt: skip
    return net, fitted


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_sixteen_steps_are_a_function_of_the_seed():
    first, fitted = train()
    assert fitted.steps == 16
    assert same(first, train()[0])
    assert not same(first, train(seed=1)[0])


def test_sixteen_steps_are_a_function_of_the_flips():
    assert not same(train()[0], train(flip=False)[0])
    assert same(train(flip=False)[0], train(flip=False)[0])


def test_rows_may_stand_in_another_order():
    stored, order = films()
    turned = torch.arange(N - 1, -1, -1)
    other = network()
    other(torch.rand(2, 1, 6, 6))
    fit(
        other, stored[turned], [order[turned]], ids=IDS[::-1], loss=squared, validate=lambda: None,
        schedule=schedule(), what="Training a toy", engine=Engine(precision="32-true"),
    )  # fmt: skip
    assert same(other, train()[0])


def test_every_epoch_sees_every_film_once_in_another_order():
    seen = []

    def loss(output, order):
        seen.append(order[:, 0].tolist())
        return squared(output, order)

    train(loss)
    epochs = [[film for batch in seen[start : start + 4] for film in batch] for start in range(0, 16, 4)]
    assert all(sorted(epoch) == list(range(N)) for epoch in epochs)
    assert all(a != b for a, b in pairwise(epochs))


def test_masks_are_flipped_with_their_film_and_labels_are_left_alone():
    stored, order = films()
    flipped = 0

    def loss(output, masks, numbers):
        nonlocal flipped
        rows = numbers[:, 0].long().cpu()
        original = stored[rows].float() / 255
        for mask, film in zip(masks.cpu(), original, strict=True):
            assert torch.equal(mask, film) or torch.equal(mask, film.flip(-1))
            flipped += torch.equal(mask, film.flip(-1))
        return squared(output, numbers)

    train(loss, targets=[stored.float() / 255, order])
    assert 0.25 * 4 * N < flipped < 0.75 * 4 * N


def test_without_flips_films_stay_as_they_are():
    stored, order = films()

    def loss(output, masks, numbers):
        assert torch.equal(masks.cpu(), stored[numbers[:, 0].long().cpu()].float())
        return squared(output, numbers)

    _, fitted = train(loss, targets=[stored.float(), order], flip=False)
    assert len(fitted.history) == 4


def test_the_best_epoch_is_kept_and_the_first_of_equals():
    kept, aurocs = [], iter([0.6, 0.8, 0.8, 0.7])
    net, (stored, order) = network(), films()
    net(torch.rand(2, 1, 6, 6))

    def validate():
        kept.append({name: tensor.clone() for name, tensor in net.state_dict().items()})
        return next(aurocs)

    fitted = fit(
        net, stored, [order], ids=IDS, loss=squared, validate=validate, schedule=schedule(keep_best=True),
        what="Training", engine=Engine(precision="32-true"),
    )  # fmt: skip
    assert fitted.chosen == "epoch 2: best validation AUROC"
    assert [entry["val_auroc"] for entry in fitted.history] == [0.6, 0.8, 0.8, 0.7]
    assert all(torch.equal(kept[1][name], tensor) for name, tensor in net.state_dict().items())
    assert not net.training


def test_the_last_epoch_is_kept_where_that_is_asked_or_nothing_can_be_validated():
    assert train(validate=lambda: 0.5)[1].chosen == "epoch 4: the last"
    assert train(keep_best=True)[1].chosen == "epoch 4: the last"


def test_training_brings_the_loss_down():
    history = train(epochs=8, learning_rate=0.1)[1].history
    assert history[-1]["loss"] < 0.7 * history[0]["loss"]
    assert [entry["epoch"] for entry in history] == list(range(1, 9))


def test_fewer_films_than_a_batch_make_one_step_an_epoch():
    assert train(batch_size=64)[1].steps == 4


def poisoned(*steps):
    """A loss that is NaN in these steps, counted from 0."""
    count = iter(range(1000))
    return lambda output, target: squared(output, target) * (float("nan") if next(count) in steps else 1.0)


def test_a_few_steps_without_a_finite_loss_are_left_out():
    net, fitted = train(poisoned(0, 6, 7))
    assert all(torch.isfinite(tensor).all() for tensor in net.state_dict().values())
    assert all(entry["loss"] > 0 for entry in fitted.history)


def test_a_loss_that_is_not_finite_more_than_three_times_ends_training():
    message = r"Training a toy: the loss was not finite in 4 steps, last in epoch 3; try a learning rate below 0.01"
    with pytest.raises(DivergedError, match=message):
        train(poisoned(1, 2, 5, 10))


def test_an_epoch_without_any_finite_loss_ends_training():
    with pytest.raises(DivergedError, match="the loss was not finite in 1 steps, last in epoch 2"):
        train(poisoned(1), batch_size=N)


@pytest.mark.parametrize("config", [ClassifierConfig(checkpoint="last"), SegmenterConfig(flip=False)])
def test_a_schedule_is_what_is_configured(config):
    found = Schedule.of(config, epochs=3, seed=7)
    assert (found.epochs, found.seed, found.flip) == (3, 7, config.flip)
    assert (found.batch_size, found.learning_rate) == (config.batch_size, config.learning_rate)
    assert found.keep_best == (config.checkpoint == "best")


def test_with_given_steps_films_come_round_again_before_any_comes_a_third_time():
    net, (stored, order) = network(), films()
    net(torch.rand(2, 1, 6, 6))
    seen = []

    def loss(output, target):
        seen.append(target.flatten().int().tolist())
        return squared(output, target)

    few = stored[:6], order[:6]
    fitted = fit(
        net, few[0], [few[1]], ids=IDS[:6], loss=loss, validate=lambda: 0.5,
        schedule=schedule(epochs=2, steps=3, keep_best=True), what="Training a toy",
        engine=Engine(precision="32-true"), measure="Dice",
    )  # fmt: skip
    assert fitted.steps == len(seen) == 6
    assert all(len(batch) == BATCH for batch in seen)
    rows = [row for batch in seen[:3] for row in batch]
    assert [sorted(rows[start : start + 6]) for start in (0, 6, 12, 18)] == [list(range(6))] * 4
    assert fitted.chosen == "epoch 1: best validation Dice"
    assert fitted.history[0]["val_dice"] == 0.5
