"""Agreement of heatmaps and masks: by hand, by scikit-learn, and never a number for nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import f1_score, jaccard_score

from shortcut_audit.masks.agreement import dice, iou, pointing_game, saliency_share, saliency_shares

masks = arrays(bool, (4, 5))
EMPTY = np.zeros((2, 4), dtype=bool)
LEFT = np.array([[True, False, False, False]] * 2)


def test_a_share_is_the_part_of_the_attribution_in_the_region_and_enrichment_its_ratio_to_the_area():
    heatmap = np.array([[3, 1, 0, 0], [3, 0, 1, 0]], dtype=np.float32)
    found = saliency_share(heatmap, LEFT)
    assert (found.share, found.area, found.enrichment, found.reason) == (0.75, 0.25, 3.0, None)


def test_a_flat_map_is_enriched_nowhere():
    assert saliency_share(np.ones((2, 4), dtype=np.float32), LEFT).enrichment == pytest.approx(1)


@pytest.mark.parametrize(
    ("heatmap", "region", "share", "area", "reason"),
    [
        (np.ones((2, 4)), None, None, None, "the region is not known"),
        (np.ones((2, 4)), EMPTY, 0.0, 0.0, "the region is empty"),
        (np.zeros((2, 4)), LEFT, None, 0.25, "the attribution is zero everywhere"),
    ],
)
def test_what_is_not_defined_is_none_with_a_reason(heatmap, region, share, area, reason):
    found = saliency_share(heatmap.astype(np.float32), region)
    assert (found.share, found.area, found.enrichment, found.reason) == (share, area, None, reason)


def test_shares_are_listed_by_region_and_image():
    heatmaps = np.stack([np.ones((2, 4)), np.arange(8.0).reshape(2, 4)]).astype(np.float32)
    found = saliency_shares(heatmaps, {"finding": [LEFT, None], "chest_tube": np.stack([EMPTY, ~EMPTY])})
    assert {name: [share.share for share in shares] for name, shares in found.items()} == {
        "finding": [0.25, None],
        "chest_tube": [0.0, 1.0],
    }


def test_regions_of_another_number_of_images_are_refused():
    with pytest.raises(ValueError, match=r"shorter than argument 1"):
        saliency_shares(np.ones((2, 2, 4), dtype=np.float32), {"finding": [LEFT]})


@given(arrays(np.float32, (4, 5), elements=st.floats(0, 8, width=32)), masks)
def test_region_and_rest_hold_all_the_attribution(heatmap, region):
    inside, outside = saliency_share(heatmap, region), saliency_share(heatmap, ~region)
    assert inside.area + outside.area == pytest.approx(1)
    if heatmap.any():
        assert inside.share + outside.share == pytest.approx(1)


def test_the_pointing_game_hits_where_the_first_maximum_lies():
    heatmap = np.array([[0, 2, 2, 0], [0, 0, 0, 0]], dtype=np.float32)
    assert pointing_game(heatmap, np.roll(LEFT, 1, axis=1)) is True
    assert pointing_game(heatmap, np.roll(LEFT, 2, axis=1)) is False


def test_an_empty_reference_is_never_a_hit():
    assert pointing_game(np.ones((2, 4), dtype=np.float32), EMPTY) is None


def test_overlap_of_two_empty_masks_is_not_defined_and_of_one_is_nought():
    for overlap in (iou, dice):
        assert overlap(EMPTY, EMPTY) is None
        assert overlap(EMPTY, LEFT) == overlap(LEFT, EMPTY) == 0
        assert overlap(LEFT, LEFT) == 1


@given(masks, masks)
def test_overlap_is_what_scikit_learn_says(mask, reference):
    if not (mask | reference).any():
        return
    assert iou(mask, reference) == pytest.approx(jaccard_score(reference.ravel(), mask.ravel()))
    assert dice(mask, reference) == pytest.approx(f1_score(reference.ravel(), mask.ravel()))
