"""Timm networks as classifiers and as encoders: weights go both ways, for one channel and three."""

import pytest
import timm
import torch
from safetensors.torch import save_file
from small_networks import classifier_card, segmenter_card, weights_of

from shortcut_audit.errors import UsageError
from shortcut_audit.models.checkpoint import save_model
from shortcut_audit.models.classifier import build_classifier
from shortcut_audit.models.segmenter import build_segmenter
from shortcut_audit.models.transfer import take_body

ARCHITECTURES = (
    "test_resnet",
    "resnet18",
    "mobilenetv3_small_050",
    "efficientnet_lite0",
    "convnext_atto",
    "densenet121",
)
LOOKS = {1: {"channels": 1, "mean": (0.4,), "std": (0.2,)}, 3: {"channels": 3, "mean": (0.4,) * 3, "std": (0.2,) * 3}}


def classifier(architecture="test_resnet", channels=1, **options):
    return build_classifier(classifier_card(architecture=architecture, **LOOKS[channels]), **options).eval()


def segmenter(architecture="test_resnet", channels=1, **options):
    return build_segmenter(segmenter_card(encoder=f"tu-{architecture}", **LOOKS[channels]), **options).eval()


def features_of(network, pixels):
    with torch.no_grad():
        return network(pixels)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_classifier_gives_its_features_to_an_encoder(tmp_path, architecture, capfd):
    given = classifier(architecture)
    save_model(given, tmp_path / "c.safetensors")
    taken = segmenter(architecture, weights=str(tmp_path / "c.safetensors"))
    said = capfd.readouterr().err
    body = taken.network.encoder.model
    pixels = torch.rand(2, 1, 64, 64)
    reference = timm.create_model(architecture, in_chans=1, features_only=True, out_indices=(-1,)).eval()
    take_body(reference, given.state_dict(), where="the classifier", wanted="the reference")
    assert torch.allclose(features_of(body, pixels)[-1], features_of(reference, pixels)[-1], atol=1e-5)
    assert f"{len(body.state_dict())} tensors taken" in said
    heads = len(given.state_dict()) - len(body.state_dict())
    assert f"{heads} without a place here (network." in said
    assert "missing" not in said


@pytest.mark.parametrize("architecture", ["test_resnet", "convnext_atto"])
def test_an_encoder_gives_its_weights_to_a_classifier(tmp_path, architecture, capfd):
    given = segmenter(architecture)
    save_model(given, tmp_path / "s.safetensors")
    taken = classifier(architecture, weights=str(tmp_path / "s.safetensors"))
    stem = {"test_resnet": ("conv1.0.weight",) * 2, "convnext_atto": ("stem.0.weight", "stem_0.weight")}
    ours, theirs = stem[architecture]
    assert torch.equal(weights_of(taken)[f"network.{ours}"], weights_of(given)[f"network.encoder.model.{theirs}"])
    assert f"{len(given.network.encoder.model.state_dict())} tensors taken" in capfd.readouterr().err


@pytest.mark.parametrize(("found", "wanted"), [(3, 1), (1, 3)])
def test_a_grey_image_gives_the_same_features_with_one_channel_and_three(tmp_path, found, wanted):
    given = classifier(channels=found)
    save_file(given.network.state_dict(), tmp_path / "timm.safetensors")
    taken = segmenter(channels=wanted, weights=str(tmp_path / "timm.safetensors"))
    grey = torch.rand(2, 1, 64, 64)
    theirs = features_of(given.network.forward_features, grey.expand(-1, found, -1, -1))
    ours = features_of(taken.network.encoder.model, grey.expand(-1, wanted, -1, -1))[-1]
    assert torch.allclose(ours, theirs, atol=1e-4)


def test_weights_of_another_network_are_refused(tmp_path):
    save_model(classifier("mobilenetv3_small_050"), tmp_path / "c.safetensors")
    with pytest.raises(UsageError, match=r"c.safetensors lacks \d+ of 90 tensors of the encoder tu-test_resnet, first"):
        segmenter(weights=str(tmp_path / "c.safetensors"))
    save_model(segmenter("mobilenetv3_small_050"), tmp_path / "s.safetensors")
    with pytest.raises(UsageError, match=r"lacks \d+ of \d+ tensors of test_resnet, first"):
        classifier(weights=str(tmp_path / "s.safetensors"))


def test_a_file_that_cannot_be_read_and_an_encoder_of_smp_are_refused(tmp_path):
    (tmp_path / "x.safetensors").write_text("no")
    with pytest.raises(UsageError, match=r"segmenter.weights: .*x.safetensors is not a readable safetensors file"):
        segmenter(weights=str(tmp_path / "x.safetensors"))
    with pytest.raises(UsageError, match=r"only timm encoders take weights; write 'tu-NAME', not 'resnet18'"):
        build_segmenter(segmenter_card(encoder="resnet18"), weights="imagenet")


def test_weights_of_imagenet_that_cannot_be_had_are_a_usage_error(monkeypatch):
    create = timm.create_model

    def offline(name, *arguments, pretrained=False, **options):
        if pretrained:
            raise OSError("the network is unreachable\nand more")
        return create(name, *arguments, **options)

    monkeypatch.setattr("timm.create_model", offline)
    with pytest.raises(
        UsageError, match=r"segmenter.weights: imagenet weights of test_resnet could not be had \(OSErr"
    ):
        segmenter(weights="imagenet")
