"""Segmenters: one probability map a class."""

import pytest
import torch
from small_networks import SIZE, segmenter_card, small_segmenter

from shortcut_audit.errors import UsageError
from shortcut_audit.models.segmenter import HEAD, build_segmenter

PIXELS = torch.rand(2, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(0))


def test_sigmoid_gives_one_logit_map_a_class_and_classes_may_overlap():
    model = small_segmenter(classes=("lungs", "heart"))
    logits = model(PIXELS)
    assert logits.shape == (2, 2, SIZE, SIZE)
    assert torch.equal(model.probabilities(PIXELS), torch.sigmoid(logits))


def test_softmax_has_a_background_that_is_not_among_the_probabilities():
    model = small_segmenter(classes=("benign", "malignant"), activation="softmax")
    logits = model(PIXELS)
    assert logits.shape == (2, 3, SIZE, SIZE)
    found = model.probabilities(PIXELS)
    assert found.shape == (2, 2, SIZE, SIZE)
    assert torch.allclose(found.sum(dim=1), 1 - torch.softmax(logits, dim=1)[:, 0], atol=1e-6)


def test_the_head_is_what_depends_on_the_number_of_classes():
    one, two = (small_segmenter(classes=names).state_dict() for names in (("a",), ("a", "b")))
    assert {name for name in one if one[name].shape != two[name].shape} == {n for n in one if n.startswith(HEAD)}


@pytest.mark.parametrize("changes", [{"encoder": "tu-no_such_net"}, {"encoder": "no_such_net"}])
def test_an_encoder_that_does_not_exist_is_refused(changes):
    with pytest.raises(UsageError, match=r"segmenter.encoder: '(tu-)?no_such_net' cannot be built .* 'tu-resnet18'"):
        build_segmenter(segmenter_card(**changes))


def test_a_decoder_deeper_than_its_encoder_is_refused():
    with pytest.raises(UsageError, match=r"segmenter.encoder: 'tu-test_resnet' cannot be built"):
        build_segmenter(segmenter_card(decoder_channels=(64, 32, 16, 16, 8, 8, 8)))
