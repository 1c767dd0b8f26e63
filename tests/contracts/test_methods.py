"""Every attribution method keeps the promises of ``attribution/base.py``."""

import numpy as np
import pytest
import torch
from torch import nn

from shortcut_audit.attribution.base import METHODS, Method, Wanted
from shortcut_audit.attribution.baselines import make_baselines
from shortcut_audit.config import ExplainConfig
from shortcut_audit.errors import UsageError

NAMES = METHODS.names()


@pytest.fixture
def case():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            nn.Linear(4, 3),
        )  # fmt: skip
        images = torch.rand(3, 3, 16, 16)
    return net.train(), images, Wanted(image=torch.tensor([0, 0, 2]), target=torch.tensor([2, 0, 1]))


def explain(name, net, images, wanted, **changes):
    baselines = make_baselines(["blur", "white"], images, mean=None)
    config = ExplainConfig(method=name, **{"steps": 8, "batch_size": 2, **changes})
    return METHODS.get(name)().explain(net, images, wanted, baselines=baselines, config=config)


def test_there_are_at_least_two_methods_and_integrated_gradients_is_the_default():
    assert {"integrated_gradients", "occlusion"} <= set(NAMES)
    assert ExplainConfig().method in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_method_is_a_method_and_says_in_one_line_what_it_does(name):
    assert isinstance(METHODS.get(name)(), Method)
    assert len(dict(METHODS.describe())[name]) > 20


@pytest.mark.parametrize("name", NAMES)
def test_maps_have_one_plane_an_image_and_finite_logit_units(name, case):
    found = explain(name, *case)
    for plane in (found.signed, found.absolute):
        assert plane.shape == (3, 16, 16)
        assert plane.dtype == np.float32
        assert np.isfinite(plane).all()
    assert (abs(found.signed) <= found.absolute + 1e-6).all()
    assert found.absolute.max() > 0
    assert found.targets.tolist() == [2, 0, 1]
    net, images, wanted = case
    with torch.no_grad():
        logits = net.eval()(images)[wanted.image, wanted.target]
    assert found.logit == pytest.approx(logits.numpy(), abs=1e-5)
    assert ((found.score > 0) & (found.score < 1)).all()


@pytest.mark.parametrize("name", NAMES)
def test_only_a_complete_method_reports_a_completeness_error_and_it_is_small(name, case):
    found = explain(name, *case)
    if METHODS.get(name).complete:
        assert found.delta.shape == (3,)
        assert found.delta.max() < 0.02
    else:
        assert found.delta is None


@pytest.mark.parametrize("key", ["quadrature", "tolerance", "precision"])
@pytest.mark.parametrize("name", NAMES)
def test_a_key_changes_the_maps_of_the_methods_that_heed_it_and_of_no_other(name, key, case):
    asked = {"quadrature": "midpoint", "tolerance": 1e-12, "precision": "bfloat16"}[key]
    before, after = (
        explain(name, *case, smoothed="grad_cam"),
        explain(name, *case, smoothed="grad_cam", **{key: asked}),
    )
    assert (before.signed != after.signed).any() == (key in METHODS.get(name).heeds)


@pytest.mark.parametrize("name", NAMES)
def test_equal_arguments_give_equal_maps(name, case):
    assert (explain(name, *case).signed == explain(name, *case).signed).all()


@pytest.mark.parametrize("name", NAMES)
def test_model_and_images_are_left_as_they_were(name, case):
    net, images, _ = case
    weights, pixels = {k: v.clone() for k, v in net.state_dict().items()}, images.clone()
    explain(name, *case)
    assert net.training
    assert all(p.requires_grad and p.grad is None for p in net.parameters())
    assert all(torch.equal(weights[k], v) for k, v in net.state_dict().items())
    assert torch.equal(images, pixels)
    assert not images.requires_grad


def test_an_unknown_method_is_named_with_the_nearest_known_one():
    with pytest.raises(UsageError, match=r"no attribution method is called 'integrated_gradient' \(did you mean"):
        METHODS.get("integrated_gradient")
