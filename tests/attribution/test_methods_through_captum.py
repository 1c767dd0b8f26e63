"""Grad-CAM, SmoothGrad and gradient SHAP: known answers, and what they refuse."""

import numpy as np
import pytest
import timm
import torch
from from_images import each
from torch import nn

from shortcut_audit.attribution.methods.grad_cam import GradCam, coarsest_layer
from shortcut_audit.attribution.methods.gradient_shap import GradientShap
from shortcut_audit.attribution.methods.smoothgrad import SmoothGrad
from shortcut_audit.config import ExplainConfig
from shortcut_audit.errors import UsageError


def timm_net(name):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return timm.create_model(name, pretrained=False, in_chans=3, num_classes=2).eval()


def explain(explainer, model, images, targets, **changes):
    config = ExplainConfig(batch_size=4, **changes)
    return explainer.explain(
        model, images, each(images, targets), baselines=torch.zeros_like(images)[None], config=config
    )


class Patches(nn.Module):
    """A 4 x 4 map of mean brightness, twice; the logit is the sum of the first less that of the second, halved."""

    def __init__(self):
        super().__init__()
        self.map = nn.AvgPool2d(4)

    def forward(self, pixels):
        coarse = self.map(pixels)
        return (coarse[:, :1] - coarse[:, 1:2] / 2).sum((1, 2, 3))[:, None]


def test_grad_cam_weighs_each_map_by_its_mean_slope():
    images = torch.zeros(1, 2, 16, 16)
    images[0, 0, :4, :4] = 1
    images[0, 1, 12:, 12:] = 1
    found = explain(GradCam(), Patches(), images, torch.tensor([0])).signed[0]
    assert found[0, 0] == pytest.approx(1)
    assert found[-1, -1] == pytest.approx(-0.5)
    assert found[0, -1] == 0


def test_grad_cam_takes_the_last_stage_of_a_residual_network(images):
    net, shown = timm_net("resnet10t"), nn.functional.interpolate(images, size=64)
    assert coarsest_layer(net, shown[:1]) is net.layer4
    assert np.isfinite(explain(GradCam(), net, shown, torch.tensor([0, 1, 1, 0, 1])).signed).all()


def test_grad_cam_refuses_a_network_without_maps(linear, images, targets):
    with pytest.raises(UsageError, match=r"grad_cam needs a network with feature maps .*; take integrated_gradients"):
        explain(GradCam(), linear, images, targets)


def test_smoothgrad_of_a_linear_model_is_the_map_without_noise_up_to_the_mean_of_the_noise(linear, images, targets):
    plain = (linear.weights[targets] * images).sum(1).detach().numpy()
    found = explain(SmoothGrad(), linear, images, targets, method="smoothgrad", steps=2, samples=400, noise_sd=0.1)
    # The mean of 400 draws has a standard error of .1 x sqrt(sum of squared weights) / 20.
    error = 0.1 * np.sqrt((linear.weights[targets] ** 2).sum(1).detach().numpy()) / 20
    assert (abs(found.signed - plain) < 5 * error + 1e-5).all()
    assert (found.absolute >= abs(found.signed) - 1e-6).all()


@pytest.mark.parametrize("smoothed", ["grad_cam", "gradient_shap", "occlusion"])
def test_smoothgrad_goes_over_other_methods(smoothed, conv_net, images, targets):
    found = explain(
        SmoothGrad(), conv_net, images, targets, method="smoothgrad", smoothed=smoothed, samples=2, baseline=["black"]
    )
    assert found.signed.shape == (5, 16, 16)
    assert found.absolute.max() > 0


def test_smoothgrad_cannot_smooth_itself(linear, images, targets):
    with pytest.raises(UsageError, match="smoothgrad cannot smooth itself; name another method"):
        explain(SmoothGrad(), linear, images, targets, method="smoothgrad", smoothed="smoothgrad")


def test_gradient_shap_of_a_linear_model_is_weights_times_the_way(linear, images, targets):
    found = explain(GradientShap(), linear, images, targets, samples=5, noise_sd=1e-7)
    assert found.signed == pytest.approx((linear.weights[targets] * images).sum(1).detach().numpy(), abs=1e-4)


@pytest.mark.parametrize("method", [SmoothGrad, GradientShap])
def test_a_map_does_not_depend_on_what_else_is_explained_nor_touch_global_generators(method, conv_net, images, targets):
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    together = explain(method(), conv_net, images, targets, method="smoothgrad", samples=3)
    alone = explain(method(), conv_net, images[3:4], targets[3:4], method="smoothgrad", samples=3)
    assert together.signed[3] == pytest.approx(alone.signed[0], abs=1e-6)
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()  # noqa: NPY002
