"""Attributes made of metadata, probabilities, labels and masks."""

import numpy as np
import polars as pl
import pytest
from PIL import Image

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.data.derive import derive_attributes
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.errors import UsageError


@pytest.fixture
def manifest(tmp_path):
    for name, value in (("some.png", 255), ("none.png", 0)):
        Image.fromarray(np.full((4, 4), value, dtype=np.uint8)).save(tmp_path / name)
    frame = pl.DataFrame({
        "sample_id": ["a", "b", "c", "d", "e"],
        "image": ["some.png"] * 5,
        "split": ["train"] * 5,
        "view": ["AP", "PA", "AP", None, "PA"],
        "age": ["70", "65", "64.5", None, "3"],
        "attribute.ruler": ["0.2", "0.5", "0.9", None, "0.49"],
        "label.device": ["1", "0", "-1", None, "1"],
        "footprint.tube": ["some.png", "none.png", "empty", None, "missing.png"],
    })  # fmt: skip
    return Manifest.from_frame(frame, card=DataCard(name="films"), root=tmp_path, where="t.csv")


def made(manifest, rule, name="new", **config):
    derived = derive_attributes(manifest, DatasetConfig(attributes={name: rule}, **config))
    return derived.frame[f"attribute.{name}"].to_list()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("view = AP", [1, 0, 1, None, 0]),
        ("view != AP", [0, 1, 0, None, 1]),
        ("view", ["AP", "PA", "AP", None, "PA"]),
        ("age >= 65", [1, 1, 0, None, 0]),
        ("age<65", [0, 0, 1, None, 1]),
        ("age > 65", [1, 0, 0, None, 0]),
        ("age <= 64.5", [0, 0, 1, None, 1]),
        ("age = 65", [0, 1, 0, None, 0]),
        ("age", [70, 65, 64.5, None, 3]),
        ("attribute.ruler >= 0.5", [0, 1, 1, None, 0]),
        ("label.device", [1, 0, None, 0, 1]),
        ("footprint.tube", [1, 0, 0, None, None]),
    ],
)
def test_rules(manifest, rule, expected):
    assert made(manifest, rule) == expected


def test_labels_follow_the_policy_of_labels(manifest):
    assert made(manifest, "label.device", uncertain="ones", blank="ignore") == [1, 0, 1, None, 1]


def test_a_probability_may_be_cut_under_its_own_name(manifest):
    assert made(manifest, "attribute.ruler > 0.2", name="ruler") == [0, 1, 1, None, 1]


def test_a_note_says_what_it_is_and_of_how_many_it_is_not_known(manifest):
    derived = derive_attributes(manifest, DatasetConfig(attributes={"old": "age >= 65"}))
    assert derived.card.notes[-1] == "old is age >= 65; not known of 1 of 5 images"
    assert derived.attribute_type("old") == "binary"


@pytest.mark.parametrize(
    ("name", "rule", "message"),
    [
        ("x", ">= 3", r"dataset\.attributes\.x: '>= 3' is no rule; write a source such as view or footprint\.tube"),
        ("x", "site = A", r"there is no 'site'; take one of view, age, attribute\.NAME, label\.NAME"),
        ("x", "footprint.tub", r"has no footprint 'tub' \(did you mean 'tube'\?\)"),
        ("x", "view = ap", r"no image has view 'ap'; there are: AP, PA"),
        ("x", "view > 3", r"'view' holds text; compare it with = or !="),
        ("x", "age > old", r"'age' holds numbers, and 'old' is none"),
        ("x", "age > inf", r"'age' holds numbers, and 'inf' is none"),
        ("ruler", "view = AP", r"'films' already has an attribute 'ruler'; choose another name"),
    ],
)
def test_what_cannot_be_made_is_a_usage_error(manifest, name, rule, message):
    with pytest.raises(UsageError, match=message):
        made(manifest, rule, name=name)


def test_a_data_set_is_opened_with_them(tmp_path):
    config = DatasetConfig(root=str(tmp_path), attributes={"shown": "footprint.chest_tube"})
    config = config.model_copy(update={"options": {"size": 32, "train": 8, "val": 8, "test": 8}})
    manifest = open_dataset(config)
    drawn = manifest.frame.select("attribute.shown", "attribute.chest_tube").drop_nulls()
    assert drawn.height > 0
    assert drawn["attribute.shown"].to_list() == drawn["attribute.chest_tube"].to_list()
