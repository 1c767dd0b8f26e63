"""From a segmenter to scores."""

import pytest
import torch
from small_networks import SIZE, small_segmenter

from shortcut_audit.errors import UsageError
from shortcut_audit.models.summarize import summarize
from shortcut_audit.models.summarizers.mean_probability import mean_probability

STORED = torch.randint(0, 256, (5, 1, SIZE, SIZE), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def test_each_name_gives_one_score_a_film_and_class():
    model = small_segmenter(classes=("a", "b"))
    found = summarize(model, STORED, ["mean_probability", "predicted_area"])
    assert {name: scores.shape for name, scores in found.items()} == {
        "mean_probability": (5, 2),
        "predicted_area": (5, 2),
    }
    with torch.no_grad():
        expected = mean_probability(model.probabilities(STORED.float() / 255))
    assert torch.allclose(found["mean_probability"], expected, atol=1e-5)


def test_no_film_gives_no_score():
    assert summarize(small_segmenter(), STORED[:0], ["top_mean"])["top_mean"].shape == (0, 1)


def test_the_network_is_left_in_evaluation_mode():
    model = small_segmenter().train()
    first = summarize(model, STORED, ["top_mean"])["top_mean"]
    assert not model.training
    assert torch.equal(first, summarize(model, STORED, ["top_mean"])["top_mean"])


def test_an_unknown_summarizer_is_named_with_the_nearest_known_one():
    with pytest.raises(UsageError, match=r"no summarizer is called 'mean_probabilty' \(did you mean 'mean_prob"):
        summarize(small_segmenter(), STORED, ["mean_probabilty"])
