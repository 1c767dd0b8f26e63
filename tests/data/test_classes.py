"""How masks and labels make the targets of a segmenter."""

import numpy as np
import polars as pl
import pytest
from PIL import Image

from shortcut_audit.data.classes import ClassRule, class_masks, parse_class
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.errors import InputError, UsageError

SIZE = 32


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("lesion", ClassRule(structure="lesion")),
        ("  lesion ", ClassRule(structure="lesion")),
        ("lesion where melanoma = 1", ClassRule(structure="lesion", finding="melanoma", value=1)),
        ("lesion  where melanoma=0", ClassRule(structure="lesion", finding="melanoma", value=0)),
    ],
)
def test_a_rule_is_a_structure_with_or_without_a_condition(text, rule):
    assert parse_class(text) == rule


@pytest.mark.parametrize(
    "text", ["", "lesion melanoma", "lesion where", "lesion where melanoma = 2", "lesion if melanoma = 1", "a where b"]
)
def test_anything_else_is_refused_with_an_example(text):
    with pytest.raises(UsageError, match=r"is not a class; write .*'lesion where melanoma = 1'"):
        parse_class(text)


def manifest_of(root, **columns):
    (root / "m.png").parent.mkdir(exist_ok=True)
    drawn = np.zeros((SIZE, SIZE), dtype=np.uint8)
    drawn[:8] = 255
    Image.fromarray(drawn).save(root / "m.png")
    rows = len(next(iter(columns.values())))
    base = {"sample_id": [str(row) for row in range(rows)], "image": ["i.png"] * rows, "split": ["train"] * rows}
    frame = pl.DataFrame({**base, **columns})
    return Manifest.from_frame(frame, card=DataCard(name="t"), root=root, where="t.csv")


def shares(masks):
    return masks.mean(axis=(2, 3)).tolist()


def test_a_condition_gives_the_mask_to_one_class_and_an_empty_known_one_to_the_other(tmp_path):
    manifest = manifest_of(tmp_path, **{"label.melanoma": ["1", "0"], "mask.lesion": ["m.png", "m.png"]})
    rules = [parse_class("lesion where melanoma = 0"), parse_class("lesion where melanoma = 1")]
    masks, known = class_masks(manifest, rules, SIZE)
    assert masks.shape == (2, 2, SIZE, SIZE)
    assert shares(masks) == [[0, 0.25], [0.25, 0]]
    assert known.all()


def test_where_the_label_is_blank_or_uncertain_a_conditional_mask_is_not_known(tmp_path):
    manifest = manifest_of(tmp_path, **{"label.melanoma": ["", "-1"], "mask.lesion": ["m.png", "m.png"]})
    masks, known = class_masks(manifest, [parse_class("lesion where melanoma = 1")], SIZE)
    assert not known.any()
    assert not masks.any()


def test_a_blank_mask_is_not_known_where_the_condition_holds_and_empty_where_it_does_not(tmp_path):
    manifest = manifest_of(tmp_path, **{"label.melanoma": ["1", "0"], "mask.lesion": ["", ""]})
    masks, known = class_masks(manifest, [parse_class("lesion where melanoma = 1")], SIZE)
    assert known.all(axis=(2, 3)).tolist() == known.any(axis=(2, 3)).tolist() == [[False], [True]]
    assert not masks.any()


def test_without_a_condition_a_mask_is_known_where_somebody_drew_it(tmp_path):
    manifest = manifest_of(tmp_path, **{"mask.lesion": ["m.png", ""]})
    masks, known = class_masks(manifest, [parse_class("lesion")], SIZE)
    assert known.all(axis=(2, 3)).tolist() == [[True], [False]]
    assert known.any(axis=(2, 3)).tolist() == [[True], [False]]
    assert shares(masks) == [[0.25], [0]]


def test_a_finding_that_is_absent_has_a_known_empty_mask(tmp_path):
    cells = {"label.pneumothorax": ["1", "0", "0", "-1", ""], "mask.pneumothorax": ["m.png", "", "m.png", "", ""]}
    masks, known = class_masks(manifest_of(tmp_path, **cells), [parse_class("pneumothorax")], SIZE)
    assert known[:, 0].all(axis=(1, 2)).tolist() == [True, True, True, False, False]
    assert shares(masks) == [[0.25], [0], [0.25], [0], [0]]


def test_a_few_masks_that_cannot_be_read_are_named_and_not_known(tmp_path, capsys):
    manifest = manifest_of(tmp_path, **{"mask.lesion": ["m.png", "gone.png"]})
    _, known = class_masks(manifest, [parse_class("lesion")], SIZE)
    assert known.all(axis=(2, 3)).tolist() == [[True], [False]]
    assert known.any(axis=(2, 3)).tolist() == [[True], [False]]
    assert "mask left out:" in (said := capsys.readouterr().err)
    assert "gone.png: no such file" in said


def test_too_many_masks_that_cannot_be_read_are_an_error(tmp_path):
    manifest = manifest_of(tmp_path, **{"mask.lesion": ["m.png", *(f"gone{row}.png" for row in range(4))]})
    with pytest.raises(InputError, match=r"4 of 5 masks are missing or cannot be read.*gone0\.png: no such file"):
        class_masks(manifest, [parse_class("lesion")], SIZE)


@pytest.mark.parametrize(
    ("text", "message"), [("leison", "no mask 'leison' .did you mean 'lesion'"), ("lesion where x = 1", "no label 'x'")]
)
def test_unknown_structures_and_findings_are_usage_errors(tmp_path, text, message):
    manifest = manifest_of(tmp_path, **{"label.melanoma": ["1"], "mask.lesion": ["m.png"]})
    with pytest.raises(UsageError, match=message):
        class_masks(manifest, [parse_class(text)], SIZE)
