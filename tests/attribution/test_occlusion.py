"""Occlusion: what falls when a patch is hidden."""

import pytest
import torch
from from_images import each
from torch import nn

from shortcut_audit.attribution.methods.occlusion import Occlusion
from shortcut_audit.config import ExplainConfig


class Corner(nn.Module):
    """The logit is the sum of the upper left 4 x 4 pixels of all channels."""

    def forward(self, pixels):
        return pixels[..., :4, :4].sum((1, 2, 3))[:, None]


def explain(images, baselines):
    config = ExplainConfig(batch_size=2)
    return Occlusion().explain(
        Corner(), images, each(images, torch.zeros(len(images), dtype=int)), baselines=baselines, config=config
    )


def test_the_drop_of_a_patch_is_counted_once_and_not_once_a_channel():
    images = torch.ones(1, 3, 32, 32)
    found = explain(images, torch.zeros(1, 1, 3, 32, 32))
    # Patches are 4 x 4 and move by 2: the very first one hides all 48, the corner pixel no other.
    assert found.signed[0, 0, 0] == pytest.approx(48)
    assert abs(found.signed[0, 8:, 8:]).max() == 0
    assert (found.absolute == abs(found.signed)).all()
    assert found.delta is None
    assert found.steps is None
    assert found.logit.tolist() == [48]


def test_several_baselines_are_averaged():
    images = torch.ones(1, 1, 32, 32)
    both = torch.stack([torch.zeros_like(images), torch.ones_like(images)])
    assert explain(images, both).signed[0, 0, 0] == pytest.approx(8)
