"""Integrated Gradients: known answers, captum as the independent library, and no trace left on the model."""

import numpy as np
import pytest
import timm
import torch
from captum.attr import IntegratedGradients as Captum
from from_images import each
from torch import nn

from shortcut_audit.attribution.base import Wanted, fixed_batches
from shortcut_audit.attribution.baselines import make_baselines
from shortcut_audit.attribution.methods.integrated_gradients import IntegratedGradients
from shortcut_audit.attribution.methods.integrated_gradients_captum import IntegratedGradientsCaptum
from shortcut_audit.attribution.path import gauss_legendre, growing_levels
from shortcut_audit.config import ExplainConfig

METHOD = IntegratedGradients()


def explain(model, images, targets, *, baselines=None, wanted=None, steps=8, batch_size=4, **changes):
    baselines = torch.zeros_like(images)[None] if baselines is None else baselines
    config = ExplainConfig(steps=steps, batch_size=batch_size, **changes)
    return METHOD.explain(model, images, wanted or each(images, targets), baselines=baselines, config=config)


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
        passes.append((len(points), torch.is_grad_enabled()))
        return linear(points)

    baselines = torch.stack([torch.zeros_like(images), torch.rand(images.shape)])
    found = explain(counted, images, targets, baselines=baselines, steps=3, batch_size=10)
    with torch.no_grad():
        logits = linear(images).gather(1, targets[:, None])[:, 0]
    assert found.logit == pytest.approx(logits.numpy(), rel=1e-5)
    assert found.score == pytest.approx(torch.sigmoid(logits).numpy(), rel=1e-5)
    # 5 images, 1 black and 5 other baselines are two batches; 5 images, 2 baselines, 3 nodes are three.
    assert passes == [(10, False)] * 2 + [(10, True)] * 3


def some_findings():
    """Two findings of the first image, none of the second, one of the third and fifth, both of the fourth."""
    return Wanted(image=torch.tensor([0, 0, 2, 3, 3, 4]), target=torch.tensor([1, 0, 1, 0, 1, 0]))


def test_findings_of_one_image_share_its_forward_passes_and_get_the_maps_they_get_alone(conv_net, images):
    wanted, shown = some_findings(), []
    hook = conv_net[0].register_forward_hook(lambda _m, _i, output: shown.append(output.requires_grad))
    together = explain(conv_net, images, None, wanted=wanted, steps=6, batch_size=4)
    hook.remove()
    assert sum(shown) == 4 * 6 / 4
    assert together.targets.tolist() == wanted.target.tolist()
    for row, (image, target) in enumerate(zip(wanted.image.tolist(), wanted.target.tolist(), strict=True)):
        alone = explain(conv_net, images[image, None], torch.tensor([target]), steps=6, batch_size=4)
        assert together.signed[row] == pytest.approx(alone.signed[0], abs=1e-6)
        assert together.logit[row] == pytest.approx(alone.logit[0], abs=1e-6)
        assert together.delta[row] == pytest.approx(alone.delta[0], abs=1e-5)


def test_no_weight_takes_part_in_the_gradients(conv_net, images, targets):
    grown = []

    def watched(points):
        grown.append(any(p.requires_grad for p in conv_net.parameters()))
        return conv_net(points)

    net = nn.Module()
    net.inner, net.forward = conv_net, watched
    explain(net, images, targets)
    assert grown
    assert not any(grown)


class Wavy(nn.Module):
    """A straight logit for dark images, one that swings along the path for bright ones."""

    def forward(self, pixels):
        mean = pixels.mean((1, 2, 3))
        return torch.where(mean < 0.5, 4 * mean, 4 * mean + torch.sin(60 * (mean - 0.5)))[:, None]


def test_steps_are_added_until_the_error_is_within_the_tolerance_and_only_where_it_is_not():
    images = torch.full((2, 1, 8, 8), 0.4)
    images[1] = 0.95
    wanted = each(images, torch.tensor([0, 0]))
    found = explain(Wavy(), images, None, wanted=wanted, steps=4, tolerance=0.02, max_steps=252)
    few = explain(Wavy(), images, None, wanted=wanted, steps=4)
    assert found.steps.tolist()[0] == 4
    assert found.steps[1] in (12, 28, 60, 124, 252)
    assert few.delta[1] > 0.02
    assert found.delta.max() <= 0.02
    assert (found.signed[0] == few.signed[0]).all()


def test_an_image_that_does_not_reach_the_tolerance_keeps_its_error_and_the_steps_spent_on_it():
    images = torch.full((1, 1, 8, 8), 0.95)
    found = explain(Wavy(), images, torch.tensor([0]), steps=4, tolerance=1e-9, max_steps=30)
    assert found.steps.tolist() == [28]
    assert found.delta[0] > 1e-9


@pytest.mark.parametrize(
    ("quadrature", "added"),
    [("gauss_legendre", [4, 8, 16]), ("midpoint", [4, 5, 8, 16])],
)
def test_levels_carry_what_was_found_and_their_weights_sum_to_one(quadrature, added):
    levels = growing_levels(quadrature, 4, 36)
    assert [len(level.nodes) for level in levels] == added
    for level in levels:
        assert level.carry + level.weights.sum() == pytest.approx(1)
    assert [len(level.nodes) for level in growing_levels(quadrature, 12, 5)] == [12]


def test_gauss_legendre_levels_stay_exact_for_polynomials():
    total = 0.0
    for level in growing_levels("gauss_legendre", 4, 30):
        total = level.carry * total + level.weights @ level.nodes**5
    assert total == pytest.approx(1 / 6, rel=1e-12)


def test_midpoints_are_refined_to_trapezoids_of_twice_as_many_cells_each_node_taken_once():
    levels = growing_levels("midpoint", 4, 36)
    spent = levels[0].nodes
    assert spent == pytest.approx([0.125, 0.375, 0.625, 0.875])
    total = levels[0].weights @ levels[0].nodes ** 5
    for cells, level in zip((8, 16, 32), levels[1:], strict=True):
        spent = np.sort(np.concatenate([spent, level.nodes]))
        total = level.carry * total + level.weights @ level.nodes**5
        assert spent == pytest.approx(np.linspace(0, 1, cells + 1))
        assert total == pytest.approx(np.trapezoid(spent**5, spent), rel=1e-12)


def test_midpoints_give_what_captum_gives_for_them(conv_net, images, targets):
    baseline = torch.full_like(images, 0.2)
    ours = explain(conv_net, images, targets, baselines=baseline[None], quadrature="midpoint", steps=7)
    conv_net.eval()
    theirs = Captum(conv_net).attribute(images, baseline, target=targets, n_steps=7, method="riemann_middle")
    assert (torch.from_numpy(ours.signed) - theirs.sum(1).detach()).abs().max() < 1e-4 * theirs.abs().max()


def test_bfloat16_gives_nearly_the_maps_of_float32_and_the_same_logits(conv_net, images, targets):
    exact = explain(conv_net, images, targets)
    short = explain(conv_net, images, targets, precision="bfloat16")
    assert short.signed.dtype == exact.signed.dtype
    assert (short.signed != exact.signed).any()
    assert abs(short.signed - exact.signed).max() < 0.1 * abs(exact.signed).max()
    assert (short.logit == exact.logit).all()


def test_captum_as_a_method_gives_the_same_error_and_steps(conv_net, images):
    wanted, config = some_findings(), ExplainConfig(steps=7, batch_size=4)
    baselines = make_baselines(["blur", "white"], images, mean=None)
    ours = METHOD.explain(conv_net, images, wanted, baselines=baselines, config=config)
    theirs = IntegratedGradientsCaptum().explain(conv_net, images, wanted, baselines=baselines, config=config)
    assert abs(ours.signed - theirs.signed).max() < 1e-4 * abs(theirs.signed).max()
    assert ours.delta == pytest.approx(theirs.delta, abs=1e-5)
    assert ours.steps.tolist() == theirs.steps.tolist()


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
    with pytest.raises(IndexError, match=r"index 7 is out of bounds"):
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
