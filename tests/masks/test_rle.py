"""Run lengths of COCO, beside pycocotools where it is installed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from shortcut_audit.data.drawn.codecs import CODECS
from shortcut_audit.masks.rle import pack_runs, runs_of

masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=40))
BIG = np.random.default_rng(0).random((300, 200)) < 0.01


def test_runs_go_down_the_columns_and_begin_with_zeros():
    mask = np.array([[True, False], [True, True]])
    assert runs_of(mask) == [0, 2, 1, 1]
    assert runs_of(~mask) == [2, 1, 1]


@given(masks)
def test_the_reader_of_drawn_masks_gives_the_mask_back(mask):
    for counts in (runs_of(mask), pack_runs(runs_of(mask))):
        assert (CODECS.get("coco").draw({"counts": counts}, mask.shape) == mask).all()


@given(masks)
def test_runs_cover_the_mask_and_none_but_the_first_is_empty(mask):
    runs = runs_of(mask)
    assert sum(runs) == mask.size
    assert all(run > 0 for run in runs[1:])


def test_an_empty_mask_of_a_published_set_is_written_as_its_makers_did():
    """CheXlocalize, an empty task of a film of 2828 x 2320."""
    assert pack_runs([2828 * 2320]) == "PVWX6"


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in pycocotools itself
@pytest.mark.parametrize("mask", [BIG, ~BIG, BIG.T, np.zeros((5, 7), bool), np.ones((5, 7), bool)])
def test_the_string_is_that_of_pycocotools(mask):
    coco = pytest.importorskip("pycocotools.mask")
    theirs = coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    assert pack_runs(runs_of(mask)) == theirs
    decoded = coco.decode({"size": list(mask.shape), "counts": pack_runs(runs_of(mask))})
    assert (decoded.astype(bool) == mask).all()
