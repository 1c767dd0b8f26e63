"""Classifiers: one logit a finding, and where their first weights come from."""

import pytest
import torch
from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled
from safetensors.torch import save_file
from small_networks import SIZE, classifier_card, small_classifier, weights_of

from shortcut_audit.errors import UsageError
from shortcut_audit.models.checkpoint import load_model, save_model
from shortcut_audit.models.classifier import build_classifier, predict_scores

BODY = "network.layer1.0.conv1.weight"


def stored(count):
    return torch.randint(0, 256, (count, 1, SIZE, SIZE), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def test_there_is_one_logit_a_finding_and_standardisation_is_inside():
    model = small_classifier()
    pixels = torch.rand(3, 1, SIZE, SIZE)
    assert model(pixels).shape == (3, 2)
    assert torch.equal(model(pixels), model.network((pixels - 0.4) / 0.2))


def test_of_three_outputs_the_score_is_positive_among_positive_and_negative(tmp_path):
    model, pixels = small_classifier(outputs=3), stored(3)
    outputs = model.outputs(pixels.float() / 255).double()
    assert outputs.shape == (3, 2, 3)
    negative, positive, _ = outputs.softmax(dim=2).unbind(dim=2)
    assert torch.allclose(predict_scores(model, pixels).double(), positive / (positive + negative), atol=1e-5)
    assert torch.equal(model.network((pixels.float() / 255 - 0.4) / 0.2)[:, 3:], outputs[:, 1].float())
    save_model(model, tmp_path / "three.safetensors")
    read = load_model(tmp_path / "three.safetensors")
    assert read.card.outputs == 3
    assert torch.equal(predict_scores(read, pixels), predict_scores(model, pixels))


def test_a_colour_image_has_three_channels():
    model = small_classifier(channels=3, mean=(0.1, 0.2, 0.3), std=(1.0, 1.0, 1.0))
    assert model(torch.rand(1, 3, SIZE, SIZE)).shape == (1, 2)


def test_an_unknown_network_is_named_with_the_nearest_known_one():
    with pytest.raises(UsageError, match=r"no network called 'resnet1o0' \(did you mean 'resnet1"):
        build_classifier(classifier_card(architecture="resnet1o0"))


def test_scores_are_the_sigmoid_of_the_logits_of_stored_pixels():
    model, pixels = small_classifier(), stored(3)
    scores = predict_scores(model, pixels)
    assert scores.dtype == torch.float32
    with torch.no_grad():
        assert torch.allclose(scores, torch.sigmoid(model(pixels.float() / 255)), atol=1e-5)


def test_a_score_does_not_depend_on_how_many_films_are_scored_with_it():
    model, pixels = small_classifier(), stored(70)
    assert torch.equal(predict_scores(model, pixels)[:5], predict_scores(model, pixels[:5]))
    assert torch.equal(predict_scores(model, pixels)[64:], predict_scores(model, pixels[64:]))


def test_no_film_gives_no_score():
    assert predict_scores(small_classifier(), stored(0)).shape == (0, 2)


def test_weights_from_a_file_of_ours_are_all_taken_but_the_head(tmp_path):
    other = small_classifier(seed=1)
    save_model(other, tmp_path / "other.safetensors")
    torch.manual_seed(2)
    begun = build_classifier(classifier_card(findings=("a", "b", "c")), weights=str(tmp_path / "other.safetensors"))
    found, given = weights_of(begun), weights_of(other)
    same = {name for name in given if found[name].shape == given[name].shape and torch.equal(found[name], given[name])}
    assert set(given) - same == {"network.fc.weight", "network.fc.bias"}


def test_a_head_of_the_same_shape_is_not_taken_either(tmp_path):
    other = small_classifier(seed=1)
    save_file(other.network.state_dict(), tmp_path / "timm.safetensors")
    begun = build_classifier(classifier_card(), weights=str(tmp_path / "timm.safetensors"))
    assert not torch.equal(begun.network.fc.weight, other.network.fc.weight)
    assert torch.equal(weights_of(begun)[BODY], weights_of(other)[BODY])


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("No pretrained weights exist for test_resnet"), "RuntimeError: No pretrained weights exist"),
        (OSError("the network is unreachable"), "OSError: the network is unreachable"),
        (LocalEntryNotFoundError("not in the cache\nand offline"), "LocalEntryNotFoundError: not in the cache"),
        (OfflineModeIsEnabled("HF_HUB_OFFLINE=1"), "OfflineModeIsEnabled: HF_HUB_OFFLINE=1"),
    ],
)
def test_weights_of_imagenet_that_cannot_be_had_are_a_usage_error(monkeypatch, error, reason):
    def create_model(*_, pretrained, **__):
        assert pretrained
        raise error

    monkeypatch.setattr("timm.create_model", create_model)
    with pytest.raises(UsageError) as caught:
        build_classifier(classifier_card(), weights="imagenet")
    said = str(caught.value)
    assert said.startswith(f"classifier.weights: imagenet weights of test_resnet could not be had ({reason}")
    assert said.endswith("); name a file, or none")
    assert "\n" not in said


def test_a_file_that_is_no_safetensors_file_is_refused(tmp_path):
    (tmp_path / "weights.pt").write_bytes(b"PK\x03\x04 pickled")
    with pytest.raises(UsageError, match=r"classifier.weights: .*weights.pt is not a readable safetensors file"):
        build_classifier(classifier_card(), weights=str(tmp_path / "weights.pt"))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"classifier.weights: .*none.safetensors is not a readable"):
        build_classifier(classifier_card(), weights=str(tmp_path / "none.safetensors"))


def test_weights_of_another_network_are_refused(tmp_path):
    state = {name: tensor for name, tensor in small_classifier().network.state_dict().items() if "layer1" not in name}
    save_file(state, tmp_path / "other.safetensors")
    with pytest.raises(UsageError, match=r"other.safetensors lacks \d+ of \d+ tensors of test_resnet, first 'layer1"):
        build_classifier(classifier_card(), weights=str(tmp_path / "other.safetensors"))
