"""A segmenter read as a classifier: the logit of its summarized score."""

import pytest
import torch
from small_networks import small_films, small_segmenter

from shortcut_audit.errors import UsageError
from shortcut_audit.models.summarize import summarize
from shortcut_audit.models.summarized import Summarized


def test_its_logits_are_those_of_the_summarized_scores_in_the_order_asked():
    segmenter = small_segmenter(classes=("pneumothorax", "effusion"))
    pixels = torch.from_numpy(small_films(3)[0])
    scores = summarize(segmenter, pixels, ["mean_probability"])["mean_probability"]
    with torch.no_grad():
        logits = Summarized(segmenter, "mean_probability", [1, 0])(pixels.float() / 255)
    assert torch.sigmoid(logits) == pytest.approx(scores[:, [1, 0]].numpy(), abs=1e-5)


def test_pixels_have_a_gradient():
    pixels = torch.rand(1, 1, 32, 32, requires_grad=True)
    Summarized(small_segmenter(), "top_mean", [0])(pixels).sum().backward()
    assert pixels.grad.abs().max() > 0


def test_a_score_that_counts_pixels_cannot_be_explained():
    with pytest.raises(
        UsageError, match=r"'predicted_area' counts pixels and has no gradient.*; take mean_probability"
    ):
        Summarized(small_segmenter(), "predicted_area", [0])
