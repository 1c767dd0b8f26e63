"""Tuning a threshold rule: the best constant by hand, and where it stands in the store."""

import numpy as np
import pytest
from explain_small import explain_into, small_set

from shortcut_audit.config import PseudoMaskConfig
from shortcut_audit.errors import UsageError
from shortcut_audit.masks.agreement import dice
from shortcut_audit.masks.pseudo_mask import pseudo_mask
from shortcut_audit.masks.tune import References, tune

PLAIN = PseudoMaskConfig(rule="fixed", smooth_px=0, min_area_px=0)


def ramp(side=10):
    return np.arange(1, side * side + 1, dtype=np.float32).reshape(side, side) / side**2


def test_the_constant_with_the_largest_dice_is_chosen():
    found = tune([ramp(), ramp()], [ramp() > 0.295, ramp() > 0.295], PLAIN)
    assert (found.constant, found.value, found.dice, found.masks) == ("level", 0.3, 1.0, 2)


def test_no_other_value_of_the_grid_does_better():
    rng = np.random.default_rng(0)
    heatmaps = [rng.normal(size=(12, 12)).astype(np.float32) for _ in range(4)]
    masks = [rng.random((12, 12)) < 0.2 for _ in range(4)]
    config = PseudoMaskConfig(rule="mass", smooth_px=1, min_area_px=2)
    found = tune(heatmaps, masks, config)
    every = {
        share: np.mean([
            dice(pseudo_mask(h, config.model_copy(update={"share": share})).foreground, m) or 0
            for h, m in zip(heatmaps, masks, strict=True)
        ])
        for share in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    }  # fmt: skip
    assert found.dice == pytest.approx(max(every.values()))
    assert every[found.value] == pytest.approx(found.dice)


def test_the_gate_plays_no_part():
    gated = PLAIN.model_copy(update={"min_score": 1.0})
    assert tune([ramp()], [ramp() > 0.295], gated).dice == 1.0


def test_a_rule_without_a_constant_cannot_be_tuned():
    with pytest.raises(UsageError, match=r"'otsu' has no constant to tune; set pseudo_mask.tune_on: 0"):
        tune([ramp()], [ramp() > 0.295], PseudoMaskConfig(rule="otsu"))


def test_each_finding_is_cut_by_its_own_constant_which_stands_in_the_file(tmp_path):
    _, labels = small_set()
    rows = np.flatnonzero(labels[:, 1] == 1)[:3]
    plain = explain_into(tmp_path / "plain")
    corner = np.zeros((16, 16), dtype=bool)
    corner[:3, :3] = True
    tuned = explain_into(tmp_path / "tuned", references={"effusion": References(rows=rows, masks=[corner] * 3)})
    chosen = tuned.header.settings["tuned"]
    assert set(chosen) == {"effusion"}
    assert (chosen["effusion"]["constant"], chosen["effusion"]["masks"]) == ("share", 3)
    assert chosen["effusion"]["value"] != 0.6
    same = {finding: [] for finding in tuned.pairs.findings}
    for one, other in zip(plain, tuned, strict=True):
        same[one.finding].append((one.foreground == other.foreground).all())
    assert all(same["pneumothorax"])
    assert not all(same["effusion"])
    assert "tuned" not in plain.header.settings
