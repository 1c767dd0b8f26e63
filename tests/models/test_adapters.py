"""Adapters change nothing at first, and beside a fixed encoder only what is meant to learn does."""

import pytest
import torch
from small_networks import SIZE, equal_weights, segmenter_card, small_segmenter, weights_of

from shortcut_audit.errors import OutputError, UsageError
from shortcut_audit.models.checkpoint import card_path, load_model, save_learnt, save_model
from shortcut_audit.models.segmenter import ENCODER, FIXED, build_segmenter, fix_encoder

PIXELS = torch.rand(2, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(1))


def adapted(**changes):
    return fix_encoder(small_segmenter(seed=3, **changes), width=0.25)


def one_step(model):
    model.train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(2):  # in the first step only the upper half of an adapter has a gradient
        optimiser.zero_grad()
        model(PIXELS).square().mean().backward()
        optimiser.step()
    return model.eval()


@pytest.mark.parametrize("width", [None, 0.25])
def test_before_the_first_step_nothing_has_changed(width):
    plain = small_segmenter(seed=3)
    with torch.no_grad():
        before = plain(PIXELS)
        assert torch.equal(fix_encoder(plain, width=width).eval()(PIXELS), before)


def test_the_encoder_stays_with_its_statistics_and_adapters_decoder_and_head_learn():
    model = adapted()
    before = weights_of(model)
    after = weights_of(one_step(model))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert not [name for name in changed if name.startswith(FIXED)]
    for part in ("adapters", "decoder", "segmentation_head"):
        of = {name for name in before if f".{part}." in name and "num_batches" not in name}
        assert of
        assert of <= changed | {name for name in of if "running" in name}, of - changed


def test_a_frozen_encoder_has_no_adapters():
    model = fix_encoder(small_segmenter(), width=None)
    assert not [name for name in weights_of(model) if ".adapters." in name]
    assert model.card.encoder_fixed


def test_a_stage_without_channels_has_no_adapter():
    model = adapted(encoder="tu-test_convnext")
    assert model.network.encoder.out_channels[1] == 0
    assert torch.isfinite(one_step(model)(PIXELS)).all()


@pytest.fixture
def small(tmp_path):
    """The file of what learnt, in a folder below that of the segmenter it started from; and the model itself."""
    start = small_segmenter(seed=3)
    digest = save_model(start, tmp_path / "base.safetensors")
    model = adapted()
    model.card = model.card.model_copy(update={"started_from": digest})
    one_step(model)
    (tmp_path / "arms").mkdir()
    save_learnt(model, tmp_path / "arms" / "small.safetensors")
    return tmp_path / "arms" / "small.safetensors", model


@pytest.mark.parametrize("beside", [True, False])
def test_what_learnt_is_a_small_file_read_together_with_what_it_started_from(small, tmp_path, beside):
    path, model = small
    base = tmp_path / "base.safetensors"
    assert path.stat().st_size < base.stat().st_size / 2
    save_model(small_segmenter(seed=4), path.with_name("another.safetensors"))
    path.with_name("without a card.safetensors").write_bytes(b"")
    if beside:
        for place in (base, card_path(base)):
            place.rename(path.with_name(place.name))
    assert equal_weights(weights_of(load_model(path)), weights_of(model))


def test_where_the_base_is_another_one_it_is_refused(small, tmp_path):
    path, model = small
    save_model(small_segmenter(seed=4), tmp_path / "base.safetensors")
    said = r"small.safetensors holds only what learnt .*%s.* none of the 1 other files of weights in .*arms and .*; put"
    with pytest.raises(UsageError, match=said % model.card.started_from[:12]):
        load_model(path)


def test_an_altered_base_is_not_read(small, tmp_path):
    base = tmp_path / "base.safetensors"
    base.write_bytes(base.read_bytes()[:-1] + b"x")
    with pytest.raises(OutputError, match=r"base.safetensors is not what its card base.json says"):
        load_model(small[0])


@pytest.mark.parametrize("width", [None, 0.25])
def test_a_file_without_an_encoder_gives_no_encoder(tmp_path, width):
    save_learnt(fix_encoder(small_segmenter(), width=width), tmp_path / "small.safetensors")
    with pytest.raises(UsageError, match=r"segmenter.weights: .*small.safetensors holds only what learnt .* that one"):
        build_segmenter(segmenter_card(), weights=str(tmp_path / "small.safetensors"))


def test_a_whole_file_of_an_adapted_segmenter_is_read_like_any_other(tmp_path):
    model = one_step(adapted())
    save_model(model, tmp_path / "whole.safetensors")
    again = load_model(tmp_path / "whole.safetensors")
    assert equal_weights(weights_of(again), weights_of(model))
    with torch.no_grad():
        assert torch.equal(again(PIXELS), model(PIXELS))


def test_the_names_of_a_card_without_adapters_are_as_before():
    assert segmenter_card().adapter_width is None
    assert not [name for name in weights_of(small_segmenter()) if name.startswith(FIXED)]
    assert [name for name in weights_of(small_segmenter()) if name.startswith(ENCODER)]
