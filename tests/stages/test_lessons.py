"""What pseudo-masks teach after cleaning, and what is measured of them."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import torch

from shortcut_audit.errors import UsageError
from shortcut_audit.masks.store import NAME as MASKS
from shortcut_audit.masks.store import MaskStore
from shortcut_audit.stages import learn
from shortcut_audit.stages.explain import explain_training_films
from shortcut_audit.stages.lessons import check_cleaning, check_scores, footprints, pseudo_lessons
from shortcut_audit.stages.look_masks import look_at_masks

EVERY_FILM = torch.arange(8)


@pytest.fixture
def explained(make_study):
    """A study whose run holds a classifier and pseudo-masks of the eight training films."""
    study = make_study("evaluate.saliency_images=8", "seed=1")  # its masks touch tubes
    learn.learn_labels(study)
    explain_training_films(study, [study.run.path(learn.CLASSIFIER)])
    return study


def taught(study, *rules):
    store = MaskStore(study.run.path(MASKS))
    masks, known = pseudo_lessons(study.cleaned(list(rules)), store, study.films("train"))
    return masks[EVERY_FILM].numpy(), known[EVERY_FILM].numpy()


def test_a_rule_that_asks_for_scores_is_refused_where_masks_have_none(make_study):
    imported = SimpleNamespace(path="masks.h5", header=SimpleNamespace(kind="imported"))
    explained = SimpleNamespace(path="masks.h5", header=SimpleNamespace(kind="explained"))
    study = make_study("segmenter.cleaning=[blank_negatives, keep_agreeing]")
    check_scores(study, explained)
    check_scores(study.cleaned(["blank_negatives"]), imported)
    with pytest.raises(
        UsageError, match=r"'keep_agreeing' asks for the teacher's scores, and the masks of masks.h5 were"
    ):
        check_scores(study, imported)


def test_without_a_rule_films_without_the_finding_teach_nothing(explained):
    masks, known = taught(explained)
    negative = explained.films("train").labels[:, 0] == 0
    assert not known[negative].any()
    store = MaskStore(explained.run.path(MASKS))
    np.testing.assert_array_equal(masks, store.planes(explained.films("train").manifest.ids)[0])


def test_rules_are_applied_in_order_to_the_films_own_footprints(explained):
    tube = np.array([row // 2 % 2 == 1 for row in range(8)])
    masks, _ = taught(explained, "blank_negatives")
    cleaned, known = taught(explained, "blank_negatives", "subtract_footprint:chest_tube")
    column = np.zeros(masks.shape[2:], dtype=bool)
    column[:, 26:28] = True
    np.testing.assert_array_equal(cleaned, masks & ~(column & tube[:, None, None])[:, None])
    random, _ = taught(explained, "blank_negatives", "remove_at_random:chest_tube")
    np.testing.assert_array_equal(random.sum(axis=(1, 2, 3)), cleaned.sum(axis=(1, 2, 3)))
    _, known = taught(explained, "blank_negatives", "drop_touching:chest_tube")
    touching = (masks & (column & tube[:, None, None])[:, None]).any(axis=(1, 2, 3))
    assert touching.any()
    np.testing.assert_array_equal(known.any(axis=(1, 2, 3)), ~touching)


def test_reweighting_keeps_all_films_where_label_and_attribute_are_independent(explained):
    assert np.array_equal(
        taught(explained, "blank_negatives", "reweight:chest_tube")[1], taught(explained, "blank_negatives")[1]
    )


def test_reweighting_forgets_films_of_the_cells_that_are_too_common(explained):
    films = explained.films("train")
    frame = films.manifest.frame.with_columns(pl.Series("attribute.chest_tube", [0, 1, 0, 1, 0, 1, 1, 0]))
    linked = replace(films, manifest=replace(films.manifest, frame=frame))
    explained._films["train"] = linked
    kept = []
    for seed in range(200):
        study = explained.cleaned(["blank_negatives", "reweight:chest_tube"], seed=seed)
        kept.append(
            pseudo_lessons(study, MaskStore(study.run.path(MASKS)), linked)[1][EVERY_FILM].numpy().any(axis=(1, 2, 3))
        )
    # P(y) P(a) / P(y, a): 2/3 in the common cells, 2 in the rare ones.
    assert np.mean(kept, axis=0) == pytest.approx([1 / 3] * 6 + [1, 1], abs=0.1)


def test_a_footprint_is_known_where_it_is_drawn_or_the_film_does_not_carry_the_attribute(explained):
    manifest = explained.films("train").manifest
    drawn, known = footprints(manifest, "chest_tube", range(8), 32)
    assert known.all()
    assert [bool(one.any()) for one in drawn] == [row // 2 % 2 == 1 for row in range(8)]
    lost = replace(manifest, frame=manifest.frame.with_columns(pl.lit(None).alias("footprint.chest_tube")))
    drawn, known = footprints(lost, "chest_tube", range(8), 32)
    assert known.tolist() == [row // 2 % 2 == 0 for row in range(8)]
    assert not drawn.any()


def test_masks_of_films_whose_footprint_is_not_known_are_left_out_and_counted(explained, capsys):
    films = explained.films("train")
    frame = films.manifest.frame.with_columns(pl.lit(None).cast(pl.String).alias("footprint.chest_tube"))
    explained._films["train"] = replace(films, manifest=replace(films.manifest, frame=frame))
    capsys.readouterr()
    _, known = taught(explained, "blank_negatives", "subtract_footprint:chest_tube")
    assert not known[[3, 7]].any()
    assert (
        "2 pseudo-masks left out: the film carries the attribute, and its footprint is not known"
        in capsys.readouterr().err
    )


def test_a_rule_about_an_attribute_without_footprints_is_refused(explained):
    with pytest.raises(
        UsageError, match="'drop_touching' needs footprints of 'clip', and the data set 'squares' has none"
    ):
        check_cleaning(explained.cleaned(["drop_touching:clip"]))
    check_cleaning(explained.cleaned(["blank_negatives", "drop_touching:chest_tube"]))


def test_pseudo_masks_are_measured_against_footprint_and_attribute(explained):
    found = {(one.name, one.group): one for one in look_at_masks(explained, "pneumothorax")}
    store, rows = MaskStore(explained.run.path(MASKS)), [1, 3, 5, 7]
    masks = [store[place].foreground for place in range(len(rows))]
    column = np.zeros((32, 32), dtype=bool)
    column[:, 26:28] = True
    touching = [bool((masks[place] & column).any()) for place in (1, 3)]
    assert found["mask_touching", "footprint:chest_tube"].value == pytest.approx(np.mean(touching))
    assert found["mask_touching", "footprint:chest_tube"].n == 2
    wins = [
        float(masks[a].sum() > masks[b].sum()) + (masks[a].sum() == masks[b].sum()) / 2 for a in (1, 3) for b in (0, 2)
    ]
    area = found["mask_area_auroc", "label:1"]
    assert area.value == pytest.approx(np.mean(wins))
    assert (area.n, area.n_patients) == (4, 4)
    for one in found.values():
        if one.name in ("mask_touching", "mask_share", "saliency_share") and one.value is not None:
            assert 0 <= one.low <= one.value <= one.high <= 1
            assert one.low < one.high
    shares = [(np.abs(store[place].heatmap) * column).sum() / np.abs(store[place].heatmap).sum() for place in (1, 3)]
    assert found["saliency_share", "footprint:chest_tube"].value == pytest.approx(np.mean(shares))


def test_without_masks_nothing_is_measured(make_study):
    assert look_at_masks(make_study(), "pneumothorax") == []
