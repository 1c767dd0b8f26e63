"""Baselines in pixel units, and why the default is the mean of two."""

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients as Captum
from torch import nn

from shortcut_audit.attribution.base import Wanted
from shortcut_audit.attribution.baselines import make_baselines, mean_image
from shortcut_audit.attribution.methods.integrated_gradients import IntegratedGradients
from shortcut_audit.config import ExplainConfig
from shortcut_audit.errors import UsageError


class Darkness(nn.Module):
    """A logit that grows with every pixel darker than .4: an honest reader of air."""

    def forward(self, pixels):
        return nn.functional.softplus(30 * (0.4 - pixels)).sum((1, 2, 3))[:, None]


def attributed(image, names):
    """Return the signed map of one grey image whose training set is flat grey."""
    grey = np.full(image.shape[1:], 0.6, dtype=np.float32)
    return (
        IntegratedGradients()
        .explain(
            Darkness(),
            image,
            Wanted(image=torch.tensor([0]), target=torch.tensor([0])),
            baselines=make_baselines(names, image, mean=grey),
            config=ExplainConfig(steps=24, batch_size=2),
        )
        .signed[0]
    )


def grey_film():
    return torch.full((1, 1, 32, 32), 0.6)


def test_a_black_baseline_gives_a_dark_finding_nothing_and_the_default_gives_it_all():
    film = grey_film()
    film[..., 12:17, 12:17] = 0.0
    black = attributed(film, ["black"])
    default = attributed(film, ExplainConfig().baseline)
    assert black[12:17, 12:17].max() == 0
    assert default[12:17, 12:17].min() > 0
    inside = default[12:17, 12:17].sum() / abs(default).sum()
    assert inside > 0.9


def test_blur_alone_is_nearly_blind_within_a_large_dark_corner_and_the_default_is_not():
    film = grey_film()
    film[..., :20, :20] = 0.0
    blur, default = attributed(film, ["blur"]), attributed(film, ["blur", "mean"])
    assert blur[:6, :6].mean() < 0.1 * default[:6, :6].mean()


def test_the_four_baselines_have_the_units_and_shape_of_the_images():
    images = torch.rand(2, 3, 40, 36, generator=torch.Generator().manual_seed(0))
    mean = np.full((3, 40, 36), 0.3, dtype=np.float32)
    black, white, middle, blur = make_baselines(["black", "white", "mean", "blur"], images, mean=mean)
    assert black.shape == images.shape
    assert black.max() == 0
    assert white.min() == 1
    assert torch.equal(middle, torch.full_like(images, 0.3))
    assert images.min() <= blur.min() <= blur.max() <= images.max()
    assert blur.std() < 0.1 * images.std()
    assert blur.mean() == pytest.approx(images.mean().item(), abs=0.02)


def test_blur_is_strong_and_leaves_a_flat_image_alone():
    flat = torch.full((1, 1, 9, 64), 0.25)
    (blur,) = make_baselines(["blur"], flat, mean=None)
    assert torch.allclose(blur, flat)


def test_the_mean_image_is_the_mean_of_every_pixel():
    pixels = np.stack([np.zeros((1, 2, 2)), np.full((1, 2, 2), 255), np.full((1, 2, 2), 51)]).astype(np.uint8)
    mean = mean_image(pixels)
    assert mean.dtype == np.float32
    assert mean == pytest.approx(np.full((1, 2, 2), 306 / 765))


def test_an_unknown_baseline_is_named_with_the_nearest_known_one():
    with pytest.raises(UsageError, match=r"no baseline is called 'blurr' \(did you mean 'blur'\?\); there are: black"):
        make_baselines(["blurr"], grey_film(), mean=None)


def test_the_mean_baseline_needs_a_mean_image():
    with pytest.raises(UsageError, match=r"'mean' needs the mean of the training images"):
        make_baselines(["mean"], grey_film(), mean=None)


def test_no_baseline_at_all_is_refused():
    with pytest.raises(UsageError, match=r"explain.baseline is empty; name at least one of black, blur"):
        make_baselines([], grey_film(), mean=None)


def test_zero_of_a_standardised_image_is_mean_grey_and_no_baseline_of_ours():
    """What captum's default baseline is, seen from the pixels."""
    mean, std = 0.6, 0.2
    grey = 0.0 * std + mean
    (black,) = make_baselines(["black"], grey_film(), mean=None)
    assert grey != black.max()
    inside = nn.Module()
    inside.forward = lambda standardised: Darkness()(standardised * std + mean)
    film = grey_film()
    standardised = (film - mean) / std
    standardised[..., 4:8, 4:8] = -mean / std
    found = Captum(inside).attribute(standardised, target=0, n_steps=24).sum(1).detach().numpy()
    wanted, config = (
        Wanted(image=torch.tensor([0]), target=torch.tensor([0])),
        ExplainConfig(steps=24, batch_size=2),
    )
    pixels = film.clone()
    pixels[..., 4:8, 4:8] = 0
    same = IntegratedGradients().explain(
        Darkness(), pixels, wanted, baselines=torch.full_like(pixels, grey)[None], config=config
    )
    assert found == pytest.approx(same.signed, abs=1e-4)


def test_noise_is_the_same_for_every_image_of_a_seed_and_another_when_it_is_named_twice():
    images = torch.rand(3, 1, 24, 24, generator=torch.Generator().manual_seed(0))
    one, two = make_baselines(["uniform", "uniform"], images, mean=None, seed=4)
    assert (one[0] == one[2]).all()
    assert not (one == two).all()
    assert 0.4 < one.mean() < 0.6
    assert torch.equal(one[:1], make_baselines(["uniform"], images[1:2], mean=None, seed=4)[0])
    assert not torch.equal(one, make_baselines(["uniform"], images, mean=None, seed=5)[0])


def test_gaussian_noise_lies_about_the_image_and_within_its_range():
    bright = torch.full((2, 1, 40, 40), 0.8)
    (noisy,) = make_baselines(["gaussian"], bright, mean=None)
    assert 0 == noisy.min() < noisy.max() == 1
    assert torch.quantile(noisy, 0.4) < 0.8 < torch.quantile(noisy, 0.6)
