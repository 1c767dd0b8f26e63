"""Every summarizer keeps the promises of ``models/summarizers/__init__.py``."""

import pytest
import torch

from shortcut_audit.config import EvaluateConfig
from shortcut_audit.models.summarizers import SUMMARIZERS

NAMES = SUMMARIZERS.names()


def maps(kind, classes=3):
    """Probabilities (5, K, 12, 12) whose classes sum to at most one."""
    generator = torch.Generator().manual_seed(0)
    drawn = torch.softmax(3 * torch.randn(5, classes + 1, 12, 12, generator=generator), dim=1)[:, 1:]
    return {"drawn": drawn, "nothing": torch.zeros_like(drawn), "all": torch.ones_like(drawn[:, :1])}[kind]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["drawn", "nothing", "all"])
def test_there_is_one_finite_score_in_0_to_1_for_each_film_and_class(name, kind):
    found = SUMMARIZERS.get(name)(maps(kind))
    assert found.shape == maps(kind).shape[:2]
    assert torch.isfinite(found).all()
    assert ((found >= 0) & (found <= 1 + 1e-6)).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_film_is_scored_for_itself_whatever_lies_beside_it(name):
    order = torch.tensor([3, 0, 4, 1, 2])
    scores = SUMMARIZERS.get(name)(maps("drawn"))
    assert torch.allclose(SUMMARIZERS.get(name)(maps("drawn")[order]), scores[order], atol=1e-7)
    assert torch.allclose(SUMMARIZERS.get(name)(maps("drawn")[2:3]), scores[2:3], atol=1e-7)


@pytest.mark.parametrize("name", NAMES)
def test_equal_maps_give_equal_scores_and_are_left_as_they_were(name):
    given = maps("drawn")
    assert torch.equal(SUMMARIZERS.get(name)(given), SUMMARIZERS.get(name)(given))
    assert torch.equal(given, maps("drawn"))


@pytest.mark.parametrize("name", NAMES)
def test_turning_the_film_does_not_change_the_score(name):
    turned = maps("drawn").flip(-1).transpose(-1, -2)
    assert torch.allclose(SUMMARIZERS.get(name)(turned), SUMMARIZERS.get(name)(maps("drawn")), atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_it_says_in_one_line_what_it_is(name):
    assert len(dict(SUMMARIZERS.describe())[name]) > 20


def test_the_default_summarizer_is_there():
    assert EvaluateConfig().summarizer in NAMES
