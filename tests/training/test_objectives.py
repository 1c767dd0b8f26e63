"""Losses by hand; what nobody knows counts nowhere."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from shortcut_audit.training.objectives import label_loss, mask_loss, soft_dice_loss, state_loss

NAN = float("nan")
PLAIN = {"activation": "sigmoid", "positive_weight": 1.0, "background_weight": 1.0, "dice": False}


def softplus(value):
    return math.log1p(math.exp(value))


def pixels(*values):
    """One film of one class and as many pixels as values."""
    return torch.tensor(values).view(1, 1, 1, -1)


def planes(*rows):
    """One film, a row of pixels a class."""
    return torch.tensor(rows).view(1, len(rows), 1, -1)


def test_label_loss_is_the_mean_over_known_labels_with_positives_weighed():
    logits, labels = torch.tensor([[0.0, 2.0], [1.0, -1.0]]), torch.tensor([[1.0, NAN], [0.0, 1.0]])
    expected = (3 * softplus(0.0) + softplus(1.0) + 2 * softplus(1.0)) / 3
    assert label_loss(logits, labels, torch.tensor([3.0, 2.0])).item() == pytest.approx(expected, rel=1e-6)


def test_state_loss_is_the_cross_entropy_of_three_classes_with_positives_weighed():
    outputs = torch.tensor([[[0.0, 0.0, 0.0], [9.0, 9.0, 9.0]], [[1.0, 0.0, 0.0], [0.0, 0.0, 2.0]]])
    labels = torch.tensor([[1.0, NAN], [0.0, -1.0]])
    negative = math.log(math.e + 2) - 1
    uncertain = math.log(math.e**2 + 2) - 2
    expected = (3 * math.log(3) + negative + uncertain) / 3
    assert state_loss(outputs, labels, torch.tensor([3.0, 2.0])).item() == pytest.approx(expected, rel=1e-6)


def test_the_state_of_an_unknown_label_has_no_influence_and_a_batch_of_them_no_loss():
    outputs, weights = torch.zeros(1, 2, 3, requires_grad=True), torch.ones(2)
    state_loss(outputs, torch.tensor([[-1.0, NAN]]), weights).backward()
    assert outputs.grad[0, 0].tolist() == pytest.approx([1 / 3, 1 / 3, -2 / 3])
    assert outputs.grad[0, 1].tolist() == [0, 0, 0]
    assert state_loss(outputs, torch.full((1, 2), NAN), weights).item() == 0


def test_the_logit_of_an_unknown_label_has_no_influence():
    labels, weights = torch.tensor([[1.0, NAN], [0.0, 1.0]]), torch.ones(2)
    logits = torch.tensor([[0.3, 5.0], [1.0, -1.0]], requires_grad=True)
    label_loss(logits, labels, weights).backward()
    assert logits.grad[0, 1] == 0
    assert (logits.grad != 0).sum() == 3


def test_a_batch_without_a_known_label_has_loss_zero_and_a_gradient():
    logits = torch.ones(2, 1, requires_grad=True)
    loss = label_loss(logits, torch.full((2, 1), NAN), torch.ones(1))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad.tolist() == [[0.0], [0.0]]


def test_sigmoid_mask_loss_is_the_weighted_mean_over_known_pixels():
    found = mask_loss(
        pixels(0.0, 1.0, -2.0, 50.0), pixels(1.0, 0.0, 1.0, 0.0), pixels(1.0, 1.0, 1.0, 0.0),
        activation="sigmoid", positive_weight=5.0, background_weight=0.1, dice=False,
    )  # fmt: skip
    expected = (5 * softplus(0.0) + 0.1 * softplus(1.0) + 5 * softplus(2.0)) / 10.1
    assert found.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_background_of_a_film_without_the_class_is_certain_and_weighs_one(activation):
    """Two films: one pixel of two is foreground in the first, none in the second."""
    masks = torch.tensor([[[[1.0, 0.0]]], [[[0.0, 0.0]]]])
    logits = torch.zeros(2, 1 if activation == "sigmoid" else 2, 1, 2, requires_grad=True)
    mask_loss(
        logits, masks, torch.ones_like(masks),
        activation=activation, positive_weight=1.0, background_weight=0.1, dice=False,
    ).backward()  # fmt: skip
    pull = logits.grad[:, -1, 0].abs() / 0.5 * (1 + 0.1 + 1 + 1)
    assert pull.tolist() == [pytest.approx([1.0, 0.1]), pytest.approx([1.0, 1.0])]


def test_softmax_mask_loss_is_the_weighted_cross_entropy_with_the_background_first():
    logits = planes([0.0, 1.0, 9.0], [1.0, 0.0, 0.0], [2.0, 0.0, 0.0])  # background, benign, malignant
    masks = planes([0.0, 0.0, 1.0], [1.0, 0.0, 0.0])
    known = planes([1.0, 1.0, 1.0], [1.0, 1.0, 0.0])  # of the last pixel one class is not known
    found = mask_loss(
        logits, masks, known, activation="softmax", positive_weight=4.0, background_weight=0.5, dice=False
    )
    malignant = math.log(1 + math.e + math.e**2) - 2
    background = math.log(math.e + 2) - 1
    assert found.item() == pytest.approx((4 * malignant + 0.5 * background) / 4.5, rel=1e-6)


def test_dice_is_added_over_known_pixels():
    logits, masks, known = pixels(0.0, 0.0, 30.0), pixels(1.0, 0.0, 0.0), pixels(1.0, 1.0, 0.0)
    plain = mask_loss(logits, masks, known, **PLAIN)
    both = mask_loss(logits, masks, known, **(PLAIN | {"dice": True}))
    overlap, total = 2 * 0.5, (0.5 + 0.5) + 1
    assert (both - plain).item() == pytest.approx(1 - (overlap + 1) / (total + 1), rel=1e-5)


def test_dice_of_softmax_leaves_the_background_out():
    logits = planes([0.0, 0.0], [0.0, 0.0])
    arguments = {**PLAIN, "activation": "softmax"}
    masks, known = pixels(1.0, 0.0), pixels(1.0, 1.0)
    plain, both = (mask_loss(logits, masks, known, **(arguments | {"dice": dice})) for dice in (False, True))
    assert (both - plain).item() == pytest.approx(1 - (2 * 0.5 + 1) / (1 + 1 + 1), rel=1e-5)


def test_dice_is_pooled_over_the_batch_and_averaged_over_classes():
    probabilities = torch.tensor([[[[0.5, 0.0]], [[1.0, 1.0]]], [[[0.5, 0.0]], [[0.0, 0.0]]]])
    masks = torch.tensor([[[[1.0, 0.0]], [[1.0, 1.0]]], [[[0.0, 0.0]], [[0.0, 0.0]]]])
    first, second = 1 - (2 * 0.5 + 1) / (1 + 1 + 1), 1 - (2 * 2 + 1) / (4 + 1)
    assert soft_dice_loss(probabilities, masks).item() == pytest.approx((first + second) / 2)


def test_dice_counts_a_false_positive_on_a_film_without_the_structure():
    empty, found = torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)
    assert soft_dice_loss(empty, empty).item() == 0
    assert soft_dice_loss(found, empty).item() == pytest.approx(0.8)


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
@given(seed=st.integers(0, 1000), shift=st.floats(-20, 20))
def test_what_the_network_says_of_an_unknown_pixel_changes_nothing(activation, seed, shift):
    generator = torch.Generator().manual_seed(seed)
    channels = 2 if activation == "sigmoid" else 3
    logits = torch.randn(2, channels, 3, 3, generator=generator)
    chosen = torch.randint(0, 3, (2, 3, 3), generator=generator)
    masks = torch.stack([chosen == 1, chosen == 2], dim=1).float()
    known = (torch.rand(2, 1, 3, 3, generator=generator) < 0.5).float().expand(-1, 2, -1, -1)
    arguments = {"activation": activation, "positive_weight": 5.0, "background_weight": 0.5, "dice": True}
    changed = logits + shift * (1 - known[:, :1]) * torch.arange(channels).view(1, -1, 1, 1)
    first, second = (mask_loss(given, masks, known, **arguments) for given in (logits, changed))
    assert second.item() == pytest.approx(first.item(), abs=1e-6)


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_a_batch_of_unknown_pixels_has_loss_zero(activation):
    logits = torch.randn(1, 1 if activation == "sigmoid" else 2, 4, 4)
    nothing = torch.zeros(1, 1, 4, 4)
    assert mask_loss(logits, nothing, nothing, **(PLAIN | {"activation": activation, "dice": True})).item() == 0
