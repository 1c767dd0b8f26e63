"""Every probe of lint says what it asks, and gives features that a learner can take."""

import numpy as np
import pytest
from contracts.test_datasets import TREES

from shortcut_audit.audit.lint.material import gather
from shortcut_audit.audit.lint.probes import PROBES
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.errors import UsageError

NAMES = PROBES.names()


@pytest.fixture(scope="module", params=["table", "isic2017"])
def material(request, tmp_path_factory):
    return gather(open_dataset(TREES[request.param](tmp_path_factory.mktemp(request.param))))


@pytest.mark.parametrize("name", NAMES)
def test_its_first_line_is_a_question_and_more_lines_say_what_an_answer_means(name):
    first, *rest = (PROBES.get(name).__doc__ or "").strip().splitlines()
    assert first.endswith("?")
    assert len(" ".join(rest)) > 60


@pytest.mark.parametrize("name", NAMES)
def test_features_are_finite_and_one_row_a_film_and_names_differ(name, material):
    clues = PROBES.get(name)(material)
    assert len({clue.name for clue in clues}) == len(clues)
    for clue in clues:
        assert clue.features.shape[0] == len(clue.rows) == len(material.manifest)
        assert clue.features.ndim == 2
        assert np.isfinite(clue.features).all()


@pytest.mark.parametrize("name", NAMES)
def test_looking_twice_gives_the_same(name, material):
    first, second = (PROBES.get(name)(material) for _ in range(2))
    assert [(a.name, a.features.tobytes()) for a in first] == [(b.name, b.features.tobytes()) for b in second]


def test_an_unknown_probe_is_named_with_the_nearest_known_one():
    with pytest.raises(UsageError, match=r"no probe is called 'metdata' \(did you mean 'metadata'\?\)"):
        PROBES.get("metdata")
