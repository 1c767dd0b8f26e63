"""Weights and their card on disk: nothing that was altered is read."""

import json

import pytest
import torch
from small_networks import SIZE, equal_weights, small_classifier, small_segmenter, weights_of

from shortcut_audit.errors import OutputError, UsageError
from shortcut_audit.models.checkpoint import card_path, load_as, load_model, save_model
from shortcut_audit.models.classifier import Classifier
from shortcut_audit.models.segmenter import Segmenter
from shortcut_audit.provenance import sha256_file


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "classifier.safetensors"
    save_model(small_classifier(), path)
    return path


@pytest.mark.parametrize("make", [small_classifier, small_segmenter])
def test_a_model_comes_back_with_its_weights_its_card_and_its_answers(make, tmp_path):
    model = make(seed=3)
    digest = save_model(model, tmp_path / "model.safetensors")
    again = load_model(tmp_path / "model.safetensors")
    assert digest == sha256_file(tmp_path / "model.safetensors")
    assert equal_weights(weights_of(again), weights_of(model))
    assert again.card == model.card
    assert not again.training
    pixels = torch.rand(2, 1, SIZE, SIZE)
    assert torch.equal(again(pixels), model(pixels))


def test_equal_models_give_equal_files(saved, tmp_path):
    save_model(small_classifier(), tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == saved.read_bytes()


def test_the_card_can_be_read_by_people(saved):
    content = json.loads(card_path(saved).read_text())
    assert content["architecture"] == "test_resnet"
    assert content["sha256"] == sha256_file(saved)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_one_flipped_bit_is_found_wherever_it_is(saved, share):
    data = bytearray(saved.read_bytes())
    data[int(share * len(data))] ^= 1
    saved.write_bytes(data)
    with pytest.raises(OutputError, match=r"classifier.safetensors is not what its card classifier.json says"):
        load_model(saved)


@pytest.mark.parametrize("kept", [0, 7, 1000, -1])
def test_a_truncated_file_is_refused_by_name(saved, kept):
    saved.write_bytes(saved.read_bytes()[:kept])
    with pytest.raises(OutputError, match=r"classifier.safetensors .* truncated or altered; train again"):
        load_model(saved)


def test_weights_without_a_card_are_not_a_finished_model(saved):
    card_path(saved).unlink()
    with pytest.raises(UsageError, match=r"classifier.json is not there; weights are read together with the card"):
        load_model(saved)


def test_a_card_without_weights_is_not_a_model(saved):
    saved.unlink()
    with pytest.raises(UsageError, match=r"classifier.safetensors is not there; name a .safetensors file"):
        load_model(saved)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"sha256": "0"}', '{"kind": "classifier"}'])
def test_a_card_of_something_else_is_refused(saved, content):
    card_path(saved).write_text(content)
    with pytest.raises(OutputError, match=r"classifier.json is not a model card of ours; train again"):
        load_model(saved)


def test_a_card_whose_findings_were_changed_does_not_fit_the_weights(saved):
    content = json.loads(card_path(saved).read_text())
    card_path(saved).write_text(json.dumps({**content, "findings": ["pneumothorax"]}))
    with pytest.raises(OutputError, match=r"classifier.safetensors does not fit its card classifier.json"):
        load_model(saved)


def test_a_model_of_the_wrong_kind_is_refused(saved):
    assert isinstance(load_as(saved, Classifier), Classifier)
    with pytest.raises(UsageError, match="holds a classifier; a segmenter is needed here"):
        load_as(saved, Segmenter)
