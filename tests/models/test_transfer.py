"""Taking over weights: all of a part, or a message."""

import pytest
import torch
from torch import nn

from shortcut_audit.errors import UsageError
from shortcut_audit.models.transfer import take_weights


def network(outputs=2):
    return nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Linear(3, outputs))


def test_everything_is_taken_buffers_too():
    own, other = network(), network()
    other[1].running_mean += 5
    assert take_weights(own, other.state_dict(), but=None, where="the file", wanted="a net") == 9
    assert all(torch.equal(own.state_dict()[name], tensor) for name, tensor in other.state_dict().items())


def test_the_part_that_is_left_out_stays_as_it_was():
    own, other = network(outputs=4), network()
    before = own[2].weight.clone()
    assert take_weights(own, other.state_dict(), but="2.", where="the file", wanted="a net") == 7
    assert torch.equal(own[2].weight, before)
    assert torch.equal(own[0].weight, other[0].weight)


def test_tensors_nobody_asked_for_do_no_harm():
    own, other = network(), network()
    found = {**other.state_dict(), "9.weight": torch.zeros(1)}
    assert take_weights(own, found, but=None, where="the file", wanted="a net") == 9


def test_another_shape_is_refused_and_nothing_is_taken():
    own, other = network(outputs=4), network()
    before = own[0].weight.clone()
    with pytest.raises(UsageError, match=r"the file lacks 2 of 9 tensors of a net, first '2.bias'; name weights"):
        take_weights(own, other.state_dict(), but=None, where="the file", wanted="a net")
    assert torch.equal(own[0].weight, before)
