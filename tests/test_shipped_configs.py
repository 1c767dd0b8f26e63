"""The configurations that are shipped: complete, explained, and accepted as they are."""

import re

import pytest
import yaml
from pydantic import BaseModel

from shortcut_audit.config import load_config

NAMES = ["covid_lungs.yaml", "hannover_icu.yaml", "isic2017_lesion.yaml", "isic2017_traps.yaml"]


def keys_of(model, start=""):
    """Every dotted key that a configuration of this type has."""
    found = set()
    for name in type(model).model_fields:
        value = getattr(model, name)
        nested = isinstance(value, BaseModel)
        found |= keys_of(value, f"{start}{name}.") if nested else {f"{start}{name}"}
    return found


def keys_in(tree, model, start=""):
    """Every dotted key that stands in a YAML tree, as deep as the type goes."""
    found = set()
    for name, value in tree.items():
        inner = getattr(model, name)
        found |= keys_in(value, inner, f"{start}{name}.") if isinstance(inner, BaseModel) else {f"{start}{name}"}
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_key_stands_in_the_file(configs, name):
    config = load_config([configs / name])
    tree = yaml.safe_load((configs / name).read_text())
    assert keys_in(tree, config) == keys_of(config)


@pytest.mark.parametrize("name", NAMES)
def test_every_key_is_explained_on_its_line(configs, name):
    for number, line in enumerate((configs / name).read_text().splitlines(), 1):
        if re.match(r"\s*[a-z_]+:", line):
            assert re.search(r"\s# \S+", line), f"{name}, line {number}: {line}"


@pytest.mark.parametrize("name", NAMES)
def test_the_root_is_left_to_the_command_line(configs, name):
    assert load_config([configs / name]).dataset.root is None


def test_both_models_of_dermoscopy_learn_alike(configs):
    config = load_config([configs / "isic2017_traps.yaml"])
    assert config.segmenter.encoder == f"tu-{config.classifier.architecture}"
    assert config.segmenter.checkpoint == config.classifier.checkpoint == "best"
    assert config.segmenter.epochs == config.classifier.epochs
    assert config.evaluate.spurious == ["+".join(config.dataset.table.columns.attributes)]
