"""Integrated Gradients: known answers, captum as the independent library, and no trace left on the model."""

import pytest
import timm
import torch
from captum.attr import IntegratedGradients as Captum
from torch import nn

from shortcut_audit.attribution.base import fixed_batches
from shortcut_audit.attribution.baselines import make_baselines
from shortcut_audit.attribution.methods.integrated_gradients import IntegratedGradients, gauss_legendre
from shortcut_audit.config import ExplainConfig

METHOD = IntegratedGradients()


def explain(model, images, targets, *, baselines=None, steps=8, batch_size=4):
    baselines = torch.zeros_like(images)[None] if baselines is None else baselines
    config = ExplainConfig(steps=steps, batch_size=batch_size)
    return METHOD.explain(model, images, targets, baselines=baselines, config=config)


def by_captum(model, images, targets, *, baselines, steps):
    model.eval()
    maps = [
        Captum(model).attribute(images, b, target=targets, n_steps=steps, method="gausslegendre") for b in baselines
    ]
    return torch.stack(maps).mean(0).detach()


def assert_equals_captum(model, images, targets, *, steps):
    baselines = make_baselines(["blur", "black"], images, mean=None)
    ours = explain(model, images, targets, baselines=baselines, steps=steps)
    theirs = by_captum(model, images, targets, baselines=baselines, steps=steps)
    scale = theirs.abs().max()
    assert scale > 0
    for mine, reference in ((ours.signed, theirs.sum(1)), (ours.absolute, theirs.abs().sum(1))):
        assert (torch.from_numpy(mine) - reference).abs().max() < 1e-4 * scale


def test_a_linear_model_is_attributed_its_weights_times_the_way_from_the_baseline(linear, images, targets):
    baselines = torch.full_like(images, 0.25)[None]
    found = explain(linear, images, targets, baselines=baselines, steps=2)
    expected = (linear.weights[targets] * (images - 0.25)).detach()
    assert torch.allclose(torch.from_numpy(found.signed), expected.sum(1), atol=1e-5)
    assert torch.allclose(torch.from_numpy(found.absolute), expected.abs().sum(1), atol=1e-5)
    assert found.delta.max() < 1e-5


def test_the_map_over_several_baselines_is_the_mean_of_the_maps(linear, images, targets):
    black, white = torch.zeros_like(images), torch.ones_like(images)
    both = explain(linear, images, targets, baselines=torch.stack([black, white]))
    alone = [explain(linear, images, targets, baselines=b[None]).signed for b in (black, white)]
    assert abs(both.signed - (alone[0] + alone[1]) / 2).max() < 1e-5
    assert both.delta.max() < 1e-5


def test_a_conv_net_gets_what_captum_gives_it(conv_net, images, targets):
    assert_equals_captum(conv_net, images, targets, steps=9)


def test_a_timm_resnet_gets_what_captum_gives_it(images, targets):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = timm.create_model("resnet10t", pretrained=False, in_chans=3, num_classes=2)
    assert_equals_captum(net, nn.functional.interpolate(images, size=32), targets, steps=5)


def test_a_vision_transformer_gets_what_captum_gives_it(images, targets):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = timm.create_model(
            "vit_tiny_patch16_224", pretrained=False, img_size=16, patch_size=4, embed_dim=48, depth=2, num_heads=3,
            num_classes=2,
        )  # fmt: skip
    assert_equals_captum(net, images, targets, steps=6)


def test_delta_is_the_distance_of_the_sum_to_the_difference_of_the_logits(conv_net, images, targets):
    found = explain(conv_net, images, targets, steps=2)
    with torch.no_grad():
        conv_net.eval()
        at = lambda x: conv_net(x).gather(1, targets[:, None])[:, 0].double()  # noqa: E731
        difference = (at(images) - at(torch.zeros_like(images))).numpy()
    expected = abs(found.signed.astype("f8").sum((1, 2)) - difference) / abs(difference).clip(0.5)
    assert found.delta == pytest.approx(expected, abs=1e-6)
    assert explain(conv_net, images, targets, steps=20).delta.max() < 0.01


def test_the_score_is_the_sigmoid_of_the_logit_and_no_pass_is_made_twice(linear, images, targets):
    passes = []

    def counted(points):
        passes.append(points.requires_grad)
        return linear(points)

    baselines = torch.stack([torch.zeros_like(images), torch.ones_like(images)])
    found = explain(counted, images, targets, baselines=baselines, steps=3, batch_size=8)
    with torch.no_grad():
        logits = linear(images).gather(1, targets[:, None])[:, 0]
    assert found.logit == pytest.approx(logits.numpy(), rel=1e-5)
    assert found.score == pytest.approx(torch.sigmoid(logits).numpy(), rel=1e-5)
    assert sum(passes) == 3 * 2
    assert len(passes) - sum(passes) == 1 + 2


def test_a_map_does_not_depend_on_the_size_of_the_last_batch(conv_net, images, targets):
    whole = explain(conv_net, images, targets, batch_size=4)
    first = explain(conv_net, images[:4], targets[:4], batch_size=4)
    last = explain(conv_net, images[4:], targets[4:], batch_size=4)
    assert (whole.signed[:4] == first.signed).all()
    assert (whole.signed[4:] == last.signed).all()


def test_flags_of_the_model_and_its_statistics_are_as_before(conv_net, images, targets):
    conv_net.train()
    conv_net[1].eval()
    conv_net[0].weight.requires_grad_(False)
    before = {name: value.clone() for name, value in conv_net.state_dict().items()}
    with torch.no_grad():
        explain(conv_net, images, targets)
    assert conv_net.training
    assert [module.training for module in conv_net] == [True, False, *[True] * 7]
    assert [p.requires_grad for p in conv_net.parameters()] == [False, *[True] * 9]
    assert all(p.grad is None for p in conv_net.parameters())
    assert all(torch.equal(before[name], value) for name, value in conv_net.state_dict().items())


def test_flags_are_put_back_after_an_error_too(conv_net, images):
    conv_net.train()
    with pytest.raises(RuntimeError, match=r"index 7 is out of bounds"):
        explain(conv_net, images, torch.full((5,), 7))
    assert conv_net.training
    assert all(p.requires_grad for p in conv_net.parameters())


def test_nodes_integrate_polynomials_exactly():
    nodes, weights = gauss_legendre(4)
    for power in range(8):
        assert weights @ nodes**power == pytest.approx(1 / (power + 1), rel=1e-12)


def test_batches_have_one_size_and_repeat_the_last_index():
    batches = [(rows.tolist(), real) for rows, real in fixed_batches(5, 3)]
    assert batches == [([0, 1, 2], 3), ([3, 4, 4], 2)]
    assert list(fixed_batches(0, 3)) == []
