"""Explaining stored images: memory that runs out, several models, scores."""

from collections import Counter

import numpy as np
import pytest
import torch
from torch import nn

from shortcut_audit.attribution.explainer import Explainer, consensus
from shortcut_audit.config import ExplainConfig
from shortcut_audit.errors import UsageError

CONFIG = ExplainConfig(steps=3, batch_size=8, baseline=["blur"])
IMAGE, TARGET = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0])


class Picky(nn.Module):
    """Two logits of a small network that has room for so many images at once."""

    def __init__(self, room, seed=0, message="DefaultCPUAllocator: can't allocate memory: you tried to allocate"):
        super().__init__()
        self.room, self.message = room, message
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.inner = nn.Sequential(nn.Conv2d(1, 4, 3), nn.SiLU(), nn.Flatten(), nn.Linear(4 * 14 * 14, 2))

    def forward(self, pixels):
        if len(pixels) > self.room:
            raise RuntimeError(self.message)
        return self.inner(pixels)


@pytest.fixture
def stored():
    return np.random.default_rng(0).integers(0, 256, (3, 1, 16, 16), dtype=np.uint8)


def explain(stored, *models, config=CONFIG):
    explainer = Explainer(models, config, None)
    return explainer, explainer.explain(stored, image=IMAGE, target=TARGET)


def test_where_memory_runs_out_the_batch_is_halved_for_good_and_said(stored, capsys):
    explainer, found = explain(stored, Picky(room=2))
    _, easy = explain(stored, Picky(room=99))
    assert found.signed == pytest.approx(easy.signed, abs=1e-6)
    assert explainer.conditions == ("out of memory: batches of 4", "out of memory: batches of 2")
    assert "out of memory: explaining goes on in batches of 4" in capsys.readouterr().err
    explainer.explain(stored, image=IMAGE, target=TARGET)
    assert capsys.readouterr().err == ""


def test_with_memory_enough_a_cpu_sets_no_condition(stored):
    assert explain(stored, Picky(room=99))[0].conditions == ()


def test_a_batch_of_two_that_does_not_fit_is_the_end(stored):
    with pytest.raises(UsageError, match=r"not even 2 images at once fit into memory; choose a smaller image.size"):
        explain(stored, Picky(room=1))


def test_other_errors_of_the_network_come_through(stored):
    with pytest.raises(RuntimeError, match="no such kernel"):
        explain(stored, Picky(room=0, message="no such kernel"))


def test_several_models_give_the_mean_of_their_absolute_attributions(stored):
    one, two = (explain(stored, Picky(99, seed=seed))[1] for seed in (0, 1))
    _, both = explain(stored, Picky(99, seed=0), Picky(99, seed=1))
    assert both.signed == pytest.approx((one.absolute + two.absolute) / 2, rel=1e-5)
    assert (both.signed == both.absolute).all()
    assert both.logit == pytest.approx((one.logit + two.logit) / 2)
    assert both.delta == pytest.approx(np.maximum(one.delta, two.delta))
    assert both.steps.tolist() == [3] * 4


def test_the_consensus_of_one_model_is_its_own_signed_map(stored):
    _, alone = explain(stored, Picky(99))
    assert consensus([alone]) is alone
    assert alone.signed.min() < 0


def test_scores_are_those_of_the_mean_logit(stored):
    models = [Picky(99, seed=0).eval(), Picky(99, seed=1).eval()]
    with torch.no_grad():
        shown = torch.from_numpy(stored).float() / 255
        expected = torch.sigmoid((models[0](shown) + models[1](shown)) / 2)
    assert Explainer(models, CONFIG, None).scores(stored) == pytest.approx(expected.numpy(), abs=1e-5)


def test_scores_too_are_given_in_smaller_batches_where_memory_runs_out(stored, capsys):
    explainer = Explainer([Picky(room=2)], CONFIG, None)
    assert explainer.scores(stored) == pytest.approx(Explainer([Picky(room=99)], CONFIG, None).scores(stored), abs=1e-6)
    assert explainer.conditions == ("out of memory: batches of 4", "out of memory: batches of 2")
    assert "out of memory: explaining goes on in batches of 4" in capsys.readouterr().err


class Counting(nn.Module):
    """Counts, by the sum of its pixels, the batches without a gradient that each image was in."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.seen = inner, Counter()

    def forward(self, pixels):
        if not torch.is_grad_enabled():
            self.seen.update({round(total, 2) for total in pixels.sum((1, 2, 3)).tolist()})
        return self.inner(pixels)


@pytest.mark.parametrize("method", ["integrated_gradients", "integrated_gradients_captum", "gradient_shap"])
def test_an_image_whose_scores_were_asked_is_not_shown_again_for_its_logit(stored, method):
    config = CONFIG.model_copy(update={"method": method})
    model = Counting(Picky(99))
    explainer = Explainer([model], config, None)
    explainer._models = [model]  # it counts in a copy else
    explainer.scores(np.concatenate([stored[::-1], stored]))
    model.seen.clear()
    known = explainer.explain(stored, image=IMAGE, target=TARGET, scored=np.array([3, 4, 5]))
    shown = {round(total, 2) for total in (torch.from_numpy(stored).float() / 255).sum((1, 2, 3)).tolist()}
    assert not shown & set(model.seen)
    asked = explainer.explain(stored, image=IMAGE, target=TARGET)
    assert shown <= set(model.seen)
    assert known.logit == pytest.approx(asked.logit, abs=1e-6)
    assert known.signed == pytest.approx(asked.signed, abs=1e-6)


def test_the_models_it_is_given_stay_as_they_are(stored):
    model = Picky(99).train()
    explain(stored, model)
    assert model.training
    assert all(p.requires_grad for p in model.parameters())
