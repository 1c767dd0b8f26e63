"""Each summarizer on a probability map that can be summarized by hand."""

import pytest
import torch

from shortcut_audit.models.summarizers.mean_probability import mean_probability
from shortcut_audit.models.summarizers.predicted_area import predicted_area
from shortcut_audit.models.summarizers.target_share import target_share
from shortcut_audit.models.summarizers.top_mean import top_mean

MAPS = torch.tensor([[[[0.9, 0.1], [0.0, 0.2]], [[0.0, 0.3], [0.0, 0.5]]]])
"""One film, two classes, four pixels."""


def test_mean_probability_is_the_mean_over_pixels():
    assert mean_probability(MAPS)[0].tolist() == pytest.approx([0.3, 0.2])


def test_predicted_area_is_where_the_classes_together_exceed_one_half():
    assert predicted_area(MAPS)[0].tolist() == pytest.approx([0.5, 0.5])  # 0.9 and 0.7; 0.4 and 0.0 do not


def test_target_share_is_the_share_of_a_class_in_all_that_is_found():
    assert target_share(MAPS)[0].tolist() == pytest.approx([1.2 / 2.0, 0.8 / 2.0])


def test_target_share_does_not_know_size():
    small, large = torch.zeros(1, 2, 4, 4), torch.zeros(1, 2, 4, 4)
    small[0, :, 0, 0] = torch.tensor([0.6, 0.2])
    large[0, :, :3] = torch.tensor([0.6, 0.2])[:, None, None]
    assert target_share(small)[0].tolist() == pytest.approx([0.75, 0.25])
    assert torch.allclose(target_share(small), target_share(large))


def test_target_share_of_nothing_is_zero():
    assert target_share(torch.zeros(1, 2, 3, 3)).tolist() == [[0.0, 0.0]]


def test_top_mean_is_the_mean_of_the_largest_half_percent():
    maps = torch.zeros(1, 1, 20, 20)
    maps[0, 0, 3, 4], maps[0, 0, 9, 9], maps[0, 0, 0, 0] = 0.9, 0.5, 0.4
    assert top_mean(maps)[0, 0].item() == pytest.approx(0.7)  # two of 400 pixels


def test_top_mean_of_a_tiny_map_is_its_peak():
    assert top_mean(MAPS)[0].tolist() == pytest.approx([0.9, 0.5])
