"""What every data set promises, whatever it is made of."""

from pathlib import Path

import pytest
from trees.chexpert_tree import write_chexpert
from trees.table_tree import write_table_tree

from shortcut_audit.config import DatasetConfig, TableConfig
from shortcut_audit.data.datasets import DATASETS, open_dataset
from shortcut_audit.data.images import load_pixels
from shortcut_audit.data.manifest import SPLITS, read_manifest

OURS = {
    "image": "picture", "sample": "case", "patient": "who", "split": "set", "labels": {"cancer": "malignant"},
    "attributes": {"ruler": "ruler", "scanner": "scanner"}, "masks": {"lesion": "outline"},
}  # fmt: skip


def chexpert(root):
    write_chexpert(root, films=60, size=16)
    return DatasetConfig(name="chexpert", root=str(root))


def table(root):
    write_table_tree(root, rows=40)
    return DatasetConfig(
        name="table", root=str(root), table=TableConfig.model_validate({"file": "cases.csv", "columns": OURS})
    )


def synthetic_cxr(root):
    return DatasetConfig(root=str(root), options={"size": 32, "train": 16, "val": 8, "test": 16})


TREES = {"chexpert": chexpert, "table": table, "synthetic_cxr": synthetic_cxr}


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Every data set, opened once on its tree."""
    made = {}
    for name in DATASETS.names():
        config = TREES[name](tmp_path_factory.mktemp(name))
        made[name] = (config, open_dataset(config))
    return made


@pytest.fixture(params=sorted(TREES))
def pair(request, opened):
    return opened[request.param]


def test_every_data_set_has_a_tree_to_be_tested_on():
    assert sorted(TREES) == DATASETS.names()


def test_every_data_set_says_in_one_line_what_it_is():
    for name, line in DATASETS.describe():
        assert 20 < len(line) < 120, name
        assert line.endswith("."), name


def test_it_has_rows_in_every_split_and_at_least_one_finding_and_one_attribute(pair):
    _, manifest = pair
    assert set(manifest.frame["split"]) == set(SPLITS)
    assert manifest.findings
    assert manifest.attributes


def test_no_patient_is_in_two_splits(pair):
    _, manifest = pair
    assert manifest.frame.select("patient_id", "split").unique()["patient_id"].is_unique().all()


def test_every_image_can_be_read(pair):
    _, manifest = pair
    pixels, quarantine = load_pixels(manifest, size=32, channels=1)
    assert len(pixels) == len(manifest)
    assert quarantine.note() is None


def test_every_path_it_names_is_there_and_under_the_root(pair):
    _, manifest = pair
    named = [("mask", name) for name in manifest.structures] + [("counterpart", name) for name in manifest.counterparts]
    named += [("footprint", name) for name in manifest.footprints]
    for prefix, name in named:
        for path in manifest.paths(prefix, name):
            assert path is None or (path.is_file() and path.is_relative_to(manifest.root.resolve()))


def test_reading_twice_gives_the_same_and_leaves_the_folder_as_it_was(pair):
    config, manifest = pair
    before = _listing(config.root)
    again = open_dataset(config)
    assert again.fingerprint == manifest.fingerprint
    assert again.frame.equals(manifest.frame)
    assert _listing(config.root) == before


def test_it_can_be_saved_and_read_back(pair, tmp_path):
    _, manifest = pair
    path = manifest.save(tmp_path)
    again = read_manifest(tmp_path)
    assert again.fingerprint == manifest.fingerprint
    assert path.stat().st_mode & 0o777 == 0o600


def _listing(root):
    return sorted((str(path), path.stat().st_mtime_ns) for path in Path(root).rglob("*") if path.is_file())
